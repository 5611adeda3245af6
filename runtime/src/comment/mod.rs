//! The one comment of a pull request: what ran and how it went, where the environment is, and what became of it.
//!
//! Rendered anew from what `report` remembers, every time, so that it always says all there is. Whatever others wrote stands in
//! code spans: a build's output cannot mention anybody, close anything or break the table. Its length is bounded by how much of
//! each text is shown. It talks to nobody.

mod text;

use std::collections::BTreeMap;

use contract::{Outcome, Step, Target};
use handlebars::{Handlebars, RenderError};
use serde::Serialize;

use crate::record::{ReportMemory, ReportRow, STAGE, row_key};

pub use text::{DESCRIPTION, one_line};

const TEMPLATE: &str = include_str!("comment.hbs");

/// The most characters of a summary.
const SUMMARY: usize = 300;
/// The most outputs of an environment, and the most characters of a name and of a value.
const OUTPUTS: usize = 20;
const OUTPUT: usize = 200;

/// The output of an application's stack that says where the environment can be used.
pub const URL: &str = "Url";

#[derive(Serialize)]
struct Page {
    marker: String,
    project: String,
    number: u32,
    rows: Vec<Row>,
    environments: Vec<Environment>,
}

#[derive(Serialize)]
struct Row {
    icon: &'static str,
    step: &'static str,
    summary: String,
    url: Option<String>,
    commit: String,
}

#[derive(Serialize)]
struct Environment {
    name: String,
    url: Option<String>,
    outputs: Vec<Output>,
}

#[derive(Serialize)]
struct Output {
    name: String,
    value: String,
}

/// What nobody sees in the comment, and what it is found by.
pub fn marker(project: &str) -> String {
    format!("<!-- pipeline:{project} -->")
}

/// The comment, Markdown.
///
/// # Errors
/// Where the template asks for what there is not; a test proves that it does not.
pub fn render(project: &str, target: &Target, memory: &ReportMemory) -> Result<String, RenderError> {
    let steps = [
        (row_key("", Step::UnitTest), "Unit tests"),
        (row_key("", Step::Deploy), "Environment"),
        (row_key(STAGE, Step::Deploy), "Stage"),
        (row_key("", Step::Teardown), "Teardown"),
    ];
    let page = Page {
        marker: marker(project),
        project: project.to_owned(),
        number: target.number,
        rows: steps
            .into_iter()
            .filter_map(|(key, step)| Some(Row::of(step, memory.rows.get(key)?, target)))
            .collect(),
        environments: memory
            .outputs
            .iter()
            .map(|(name, outputs)| Environment::of(name, outputs))
            .collect(),
    };
    let mut handlebars = Handlebars::new();
    handlebars.set_strict_mode(true);
    // What others wrote is harmless already, in Markdown's way and not in HTML's.
    handlebars.register_escape_fn(handlebars::no_escape);
    handlebars.render_template(TEMPLATE, &page)
}

/// Where an environment can be used, if its outputs say so.
pub fn environment_url(outputs: &BTreeMap<String, String>) -> Option<String> {
    outputs.get(URL).and_then(|url| text::link(url))
}

impl Row {
    fn of(step: &'static str, row: &ReportRow, target: &Target) -> Self {
        // What was pending for another commit stays so for ever: a newer one has taken its place.
        let replaced = row.outcome == Outcome::Pending && row.sha != target.sha;
        let icon = match row.outcome {
            _ if replaced => "⚪",
            Outcome::Pending => "⏳",
            Outcome::Success => "✅",
            Outcome::Failure => "❌",
            Outcome::Error => "⚠️",
            Outcome::Skipped => "⏭️",
        };
        let summary = if replaced {
            "Superseded by a newer commit"
        } else {
            &row.summary
        };
        Self {
            icon,
            step,
            summary: text::code(summary, SUMMARY),
            url: row.url.as_deref().and_then(text::link),
            commit: text::code(row.sha.get(..7).unwrap_or(&row.sha), 40),
        }
    }
}

impl Environment {
    fn of(name: &str, outputs: &BTreeMap<String, String>) -> Self {
        Self {
            name: text::code(name, OUTPUT),
            url: environment_url(outputs),
            outputs: outputs
                .iter()
                .take(OUTPUTS)
                .map(|(name, value)| Output {
                    name: text::code(name, OUTPUT),
                    value: text::code(value, OUTPUT),
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA: &str = "6dcb09b5b57875f334f61aebed695e2e4193db5e";

    fn target() -> Target {
        Target {
            repository: "octo-org/app".to_owned(),
            number: 17,
            sha: SHA.to_owned(),
            environment: "pr-17".to_owned(),
            generation: 3,
        }
    }

    fn row(outcome: Outcome, summary: &str, url: Option<&str>) -> ReportRow {
        ReportRow {
            outcome,
            summary: summary.to_owned(),
            url: url.map(str::to_owned),
            sha: SHA.to_owned(),
            generation: 3,
            updated: 0,
        }
    }

    fn memory(rows: &[(&str, ReportRow)]) -> ReportMemory {
        ReportMemory {
            rows: rows.iter().map(|(key, row)| ((*key).to_owned(), row.clone())).collect(),
            ..ReportMemory::default()
        }
    }

    fn rendered(memory: &ReportMemory) -> String {
        render("thebestest", &target(), memory).unwrap()
    }

    #[test]
    fn a_deployed_pull_request_shows_what_ran_and_where_it_is() {
        let mut memory = memory(&[
            (
                "unit_test",
                row(Outcome::Success, "38 tests passed", Some("https://example.com/log?a=b")),
            ),
            ("deploy", row(Outcome::Success, "Deployed", None)),
        ]);
        let outputs = [
            ("Url", "https://abc.example.com/live"),
            ("UserPoolId", "eu-west-1_A1b2"),
        ];
        let outputs = outputs.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        memory.outputs.insert("pr-17".to_owned(), outputs);
        assert_eq!(
            rendered(&memory),
            "<!-- pipeline:thebestest -->
### thebestest: pull request 17

| | Step | Result | Commit |
|---|---|---|---|
| ✅ | Unit tests | `38 tests passed` · [details](https://example.com/log?a=b) | `6dcb09b` |
| ✅ | Environment | `Deployed` | `6dcb09b` |

**`pr-17`**: <https://abc.example.com/live>

<details><summary>Outputs</summary>

| Output | Value |
|---|---|
| `Url` | `https://abc.example.com/live` |
| `UserPoolId` | `eu-west-1_A1b2` |

</details>
"
        );
    }

    #[test]
    fn a_pull_request_that_was_torn_down_shows_the_receipt() {
        let memory = memory(&[
            ("unit_test", row(Outcome::Failure, "2 of 38 tests failed", None)),
            (
                "deploy",
                row(Outcome::Skipped, "A fork, and nobody has approved this commit", None),
            ),
            (
                "teardown",
                row(Outcome::Success, "Nothing is left: 2 stacks, 31 objects", None),
            ),
            ("stage", row(Outcome::Error, "It took longer than 30 minutes.", None)),
        ]);
        assert_eq!(
            rendered(&memory),
            "<!-- pipeline:thebestest -->
### thebestest: pull request 17

| | Step | Result | Commit |
|---|---|---|---|
| ❌ | Unit tests | `2 of 38 tests failed` | `6dcb09b` |
| ⏭️ | Environment | `A fork, and nobody has approved this commit` | `6dcb09b` |
| ⚠️ | Stage | `It took longer than 30 minutes.` | `6dcb09b` |
| ✅ | Teardown | `Nothing is left: 2 stacks, 31 objects` | `6dcb09b` |
"
        );
    }

    #[test]
    fn what_was_pending_for_an_earlier_commit_is_superseded() {
        let earlier = ReportRow {
            sha: "7638417db6d59f3c431d3e1f261cc637155684cd".to_owned(),
            ..row(Outcome::Pending, "The environment is being prepared.", None)
        };
        let memory = memory(&[
            ("unit_test", row(Outcome::Pending, "The unit tests are starting.", None)),
            ("deploy", earlier),
        ]);
        let text = rendered(&memory);
        assert!(
            text.contains("| ⏳ | Unit tests | `The unit tests are starting.` | `6dcb09b` |"),
            "{text}"
        );
        assert!(
            text.contains("| ⚪ | Environment | `Superseded by a newer commit` | `7638417` |"),
            "{text}"
        );
    }

    #[test]
    fn a_builds_output_stays_in_its_code_span() {
        let hostile =
            "`| @octocat closes #1 <img src=x onerror=alert(1)> [x](javascript:y) -->\n\n# big\n{{marker}} \\`\\|";
        let memory = memory(&[(
            "deploy",
            row(Outcome::Failure, hostile, Some("https://e.example/)|`<script>")),
        )]);
        let text = rendered(&memory);
        let line = text.lines().find(|line| line.contains("Environment")).unwrap();
        assert_eq!(
            line,
            "| ❌ | Environment | `'¦ @octocat closes #1 <img src=x onerror=alert(1)> [x](javascript:y) --> # big {{marker}} \\'\\¦` \
             · [details](https://e.example/%29%7C%60%3Cscript%3E) | `6dcb09b` |"
        );
        assert_eq!(text.lines().count(), 6, "{text}");
    }

    #[test]
    fn the_longest_comment_is_one_that_github_takes() {
        let long = "ä".repeat(100_000);
        let url = format!("https://e.example/{}", "(".repeat(1_900));
        let all = ["unit_test", "deploy", "stage", "teardown"];
        let mut memory = memory(&all.map(|key| (key, row(Outcome::Error, &long, Some(&url)))));
        for environment in ["pr-17", "stage"] {
            let outputs = (0..200)
                .map(|at| (format!("{at}{long}"), long.clone()))
                .chain([(URL.to_owned(), url.clone())]);
            memory.outputs.insert(environment.to_owned(), outputs.collect());
        }
        let text = rendered(&memory);
        assert!(text.contains(&"%28".repeat(1_900)), "the address is there");
        assert!(text.chars().count() < 65_536, "{}", text.chars().count());
    }
}
