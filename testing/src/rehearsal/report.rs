//! A rehearsal as a page: the state machine as each execution went through it, statuses, calls, promises. It needs no network.

use handlebars::Handlebars;
use serde::Serialize;
use synth_graph::{Mark, asl, svg};

use super::{event::Event, summary::Execution, summary::Summary, terminal};

const PAGE: &str = include_str!("report.hbs");

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The state machine cannot be drawn.
    #[error("the state machine cannot be drawn: {0}")]
    Drawing(#[from] asl::AslError),
    /// The page cannot be written.
    #[error("the page cannot be written: {0}")]
    Page(#[from] Box<handlebars::RenderError>),
}

#[derive(Serialize)]
struct Page<'a> {
    summary: &'a Summary,
    executions: Vec<Drawn<'a>>,
    lines: Vec<String>,
}

#[derive(Serialize)]
struct Drawn<'a> {
    name: &'a str,
    status: &'a str,
    error: Option<&'a str>,
    entered: usize,
    transitions: u64,
    seconds: f64,
    drawing: String,
    open: bool,
}

/// The page of a rehearsal whose executions ran this definition.
///
/// # Errors
/// Where the definition is no state machine.
pub fn page(definition: &str, summary: &Summary, events: &[Event]) -> Result<String, ReportError> {
    let mut executions = Vec::new();
    for (place, execution) in summary.executions.iter().enumerate() {
        executions.push(Drawn {
            name: &execution.name,
            status: &execution.status,
            error: execution.error.as_deref(),
            entered: execution.states.len(),
            transitions: execution.transitions,
            seconds: execution.seconds,
            drawing: drawing(definition, execution)?,
            open: place == 0,
        });
    }
    let lines = events.iter().filter_map(|event| terminal::line(event, true));
    let page = Page {
        summary,
        executions,
        lines: lines
            .map(|line| anstream::adapter::strip_str(&line).to_string())
            .collect(),
    };
    Ok(Handlebars::new().render_template(PAGE, &page).map_err(Box::new)?)
}

/// The machine with the way that the execution took.
fn drawing(definition: &str, execution: &Execution) -> Result<String, ReportError> {
    let mut graph = asl::graph(definition)?;
    for state in &execution.states {
        graph.mark(state, Mark::Taken);
    }
    for state in &execution.failed {
        graph.mark(state, Mark::Failed);
    }
    for pair in execution.states.windows(2) {
        graph.mark_arrow(&pair[0], &pair[1]);
    }
    if let Some(first) = execution.states.first() {
        graph.mark("start", Mark::Taken);
        graph.mark_arrow("start", first);
    }
    Ok(svg::text(&graph, &execution.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFINITION: &str = r#"{ "StartAt": "One", "States": {
        "One": { "Type": "Pass", "Next": "Two" }, "Two": { "Type": "Fail" }, "Three": { "Type": "Succeed" } } }"#;

    #[test]
    fn the_page_shows_the_way_that_was_taken_and_escapes_what_others_wrote() {
        let execution = Execution {
            name: "first".to_owned(),
            status: "FAILED".to_owned(),
            error: Some("Broken".to_owned()),
            states: vec!["One".to_owned(), "Two".to_owned()],
            failed: vec!["Two".to_owned()],
            transitions: 3,
            seconds: 0.5,
        };
        let summary = Summary {
            executions: vec![execution],
            comment: Some("<script>alert(1)</script>".to_owned()),
            ..Summary::default()
        };
        let page = page(DEFINITION, &summary, &[]).unwrap();
        assert_eq!(
            page.matches("<g class=\"taken\">").count(),
            2,
            "the start and the first state"
        );
        assert_eq!(page.matches("<g class=\"failed\">").count(), 1);
        assert!(!page.contains("<script>") && page.contains("&lt;script&gt;"), "{page}");
    }
}
