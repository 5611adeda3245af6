//! The configuration file: what is wrong with it is told at once, and editors are told the same by its JSON Schema.

#![expect(clippy::expect_used, reason = "a test that cannot read what it judges has failed")]

use jsonschema::Validator;
use serde_json::Value;
use stacks::{ConfigFault, Project};
use testing::emission::CONFIGURATION;

fn schema() -> Validator {
    jsonschema::validator_for(&Project::schema()).expect("the schema of project.yaml is a JSON Schema")
}

fn read(text: &str) -> Value {
    serde_yaml::from_str(text).expect("YAML")
}

/// The shipped configuration with one text in it replaced.
fn changed(from: &str, to: &str) -> String {
    assert_eq!(
        CONFIGURATION.matches(from).count(),
        1,
        "{from:?} stands once in project.yaml"
    );
    CONFIGURATION.replace(from, to)
}

fn faults(text: &str) -> Vec<ConfigFault> {
    Project::from_yaml(text).err().unwrap_or_default()
}

fn told(faults: &[ConfigFault]) -> String {
    faults.iter().map(|fault| format!("\n{fault}")).collect()
}

#[test]
fn the_shipped_configuration_is_accepted_by_the_program_and_by_its_schema() {
    assert_eq!(faults(CONFIGURATION), []);
    let shipped = read(CONFIGURATION);
    let refused: Vec<String> = schema().iter_errors(&shipped).map(|fault| fault.to_string()).collect();
    assert!(refused.is_empty(), "{refused:?}");
}

#[test]
fn what_is_left_out_has_a_value_that_is_accepted_too() {
    let text = "
project: small
repository: owner/name
region: us-east-1
unit_test: { commands: [make test] }
application: { synthesize: [make template], package: [make zip] }
";
    assert_eq!(faults(text), []);
    assert!(schema().is_valid(&read(text)));
    let project = Project::from_yaml(text).unwrap();
    let whole = serde_json::to_value(&project).unwrap();
    assert!(schema().is_valid(&whole), "the defaults are within the schema");
}

/// What the types say: program and schema refuse it alike.
#[test]
fn program_and_schema_refuse_the_same() {
    let schema = schema();
    let table = [
        ("project: thebestest\nrepository", "repository", "project"),
        (
            "project: thebestest\nrepository",
            "project: The Best\nrepository",
            "project",
        ),
        ("project: thebestest\nrepository", "project: ab\nrepository", "project"),
        (
            "project: thebestest\nrepository",
            "project: twenty-one-characters\nrepository",
            "project",
        ),
        (
            "project: thebestest\nrepository",
            "project: a--b\nrepository",
            "project",
        ),
        (
            "project: thebestest\nrepository",
            "project: 9to5\nrepository",
            "project",
        ),
        ("project: thebestest\nrepository", "project: 17\nrepository", "project"),
        (
            "repository: thebestest/thebestest",
            "repository: thebestest",
            "repository",
        ),
        (
            "repository: thebestest/thebestest",
            "repository: https://github.com/a/b",
            "repository",
        ),
        ("region: eu-west-1", "region: [eu-west-1]", "region"),
        ("region: eu-west-1", "region: mars-north-1", "region"),
        ("region: eu-west-1", "regio: eu-west-1", "regio"),
        ("drafts: false", "drafts: \"false\"", "pull_requests.drafts"),
        ("forks: tests-only", "forks: everything", "pull_requests.forks"),
        (
            "  commands:\n    - cargo nextest run",
            "  command:\n    - cargo nextest run",
            "unit_test.command",
        ),
        (
            "  template: out/app.json",
            "  templates: out/app.json",
            "application.templates",
        ),
        ("  processor: arm64", "  processor: mips", "build.processor"),
        ("  compute: medium", "  compute: huge", "build.compute"),
        (
            "unit_test_minutes: 60",
            "unit_test_minutes: 4",
            "limits.unit_test_minutes",
        ),
        ("deploy_minutes: 60", "deploy_minutes: 481", "limits.deploy_minutes"),
        (
            "teardown_minutes: 60",
            "teardown_minutes: -1",
            "limits.teardown_minutes",
        ),
        ("environments: 100", "environments: 0", "limits.environments"),
        ("environments: 100", "environments: 1.5", "limits.environments"),
        ("retention_days: 30", "retention_days: a month", "limits.retention_days"),
        (
            "reconcile_minutes: 15",
            "reconcile_minutes: 61",
            "limits.reconcile_minutes",
        ),
        ("tags:\n  project: thebestest", "tags:\n  project: [a]", "tags.project"),
        ("tags:\n  project: thebestest", "tags: [a]", "tags"),
        ("tags:", "webhook: { rate: 0 }\ntags:", "webhook.rate"),
        ("tags:", "webhook: { burst: 2001 }\ntags:", "webhook.burst"),
    ];
    let mut disagreements = String::new();
    for (from, to, path) in table {
        let text = changed(from, to);
        let faults = faults(&text);
        if !faults.iter().any(|fault| fault.path == path) {
            disagreements += &format!("\nthe program takes {to:?}, or faults another place: {}", told(&faults));
        }
        if schema.is_valid(&read(&text)) {
            disagreements += &format!("\nthe schema takes {to:?}");
        }
    }
    assert!(disagreements.is_empty(), "{disagreements}");
}

/// Forms at the edge: whichever way the program decides, an editor must not say otherwise.
#[test]
fn program_and_schema_agree_on_edge_cases() {
    let schema = schema();
    let table = [
        ("project: thebestest\nrepository", "project: a1-b2-c3\nrepository"),
        ("project: thebestest\nrepository", "project: abc-\nrepository"),
        (
            "project: thebestest\nrepository",
            "project: abcdefghijklmnopqrst\nrepository",
        ),
        ("repository: thebestest/thebestest", "repository: own_er/name"),
        ("repository: thebestest/thebestest", "repository: own.er/name"),
        ("repository: thebestest/thebestest", "repository: -owner/name"),
        ("repository: thebestest/thebestest", "repository: owner/na me"),
        ("repository: thebestest/thebestest", "repository: owner/.github"),
        ("limits:", "limits: null\nold_limits:"),
        ("  code: out/app.zip", "  code: null"),
        ("tags:\n  project: thebestest", "tags: {}"),
        ("environments: 100", "environments: 400"),
    ];
    let mut disagreements = String::new();
    for (from, to) in table {
        let text = changed(from, to);
        let faults = faults(&text);
        let valid = schema.is_valid(&read(&text));
        if valid != faults.is_empty() {
            let verdict = if valid { "takes" } else { "refuses" };
            disagreements += &format!("\nthe schema {verdict} {to:?}; the program's faults: {}", told(&faults));
        }
    }
    assert!(disagreements.is_empty(), "{disagreements}");
}

/// What only the program can know: how values go together, and what lies beyond a pattern.
#[test]
fn the_program_refuses_what_a_schema_cannot_say() {
    let schema = schema();
    let table = [
        (
            "aws/codebuild/amazonlinux-aarch64-standard:3.0",
            "aws/codebuild/amazonlinux-x86_64-standard:5.0",
            "build.image",
        ),
        ("  processor: arm64", "  processor: x86_64", "build.image"),
        ("stage_branch: main", "stage_branch: my main", "stage_branch"),
        (
            "  template: out/app.json",
            "  template: ../app.json",
            "application.template",
        ),
        ("  code: out/app.zip", "  code: /app.zip", "application.code"),
        (
            "report_folder: target/nextest/ci",
            "report_folder: a/../b",
            "unit_test.report_folder",
        ),
        (
            "    - bash testing/dynamodb/load.sh",
            "    - \"  \"",
            "unit_test.prepare[0]",
        ),
        (
            "tags:",
            "github_api: http://127.0.0.1:80.example.com\ntags:",
            "github_api",
        ),
        ("tags:", "github_api: http://github.example.com\ntags:", "github_api"),
        (
            "tags:",
            "webhook: { allowed_ranges: [192.30.252.0/33] }\ntags:",
            "webhook.allowed_ranges[0]",
        ),
        (
            "tags:\n  project: thebestest",
            "tags:\n  aws:project: a",
            "tags.aws:project",
        ),
        (
            "tags:\n  project: thebestest",
            "tags:\n  pipeline:project: a",
            "tags.pipeline:project",
        ),
    ];
    for (from, to, path) in table {
        let text = changed(from, to);
        let faults = faults(&text);
        assert!(
            faults.iter().any(|fault| fault.path == path),
            "{to:?}: {}",
            told(&faults)
        );
        assert!(
            schema.is_valid(&read(&text)),
            "the schema refuses {to:?} as well: move the row to the other table"
        );
    }
}

#[test]
fn every_fault_of_a_file_is_told_at_once_with_what_mends_it() {
    let text = "
project: thebestest
repositry: thebestest/thebestest
region: 7
pull_requests: { forks: all, draft: true }
unit_test: { commands: [] }
application: { synthesize: make }
build: { compute: huge }
limits: { environments: 0, retention_days: 366 }
";
    let faults = faults(text);
    let expected = [
        "repositry",
        "repository",
        "region",
        "pull_requests.forks",
        "pull_requests.draft",
        "unit_test.commands",
        "application.synthesize",
        "application.package",
        "build.compute",
        "limits.environments",
        "limits.retention_days",
    ];
    for path in expected {
        assert!(
            faults.iter().any(|fault| fault.path == path),
            "{path} is not told: {}",
            told(&faults)
        );
    }
    assert_eq!(faults.len(), expected.len(), "{}", told(&faults));
    assert!(faults.iter().all(|fault| !fault.help.is_empty()));
    let misspelt = faults.iter().find(|fault| fault.path == "repositry").unwrap();
    assert!(misspelt.help.contains("repository"), "{misspelt}");
    assert!(told(&faults).contains("\n  help: "));
}

#[test]
fn faults_of_form_hide_no_faults_of_meaning() {
    for (form, path) in [
        ("unknown: 7", "unknown"),
        ("limits: { environments: many }", "limits.environments"),
    ] {
        let text = CONFIGURATION
            .replace("project: thebestest\n", "project: The_Best\n")
            .replace("stage_branch: main", "stage_branch: two words")
            .replace("limits:", "elsewhere:");
        let faults = faults(&format!("{text}\n{form}\n"));
        for expected in [path, "project", "stage_branch", "elsewhere"] {
            assert!(
                faults.iter().any(|fault| fault.path == expected),
                "{expected} is not told: {}",
                told(&faults)
            );
        }
        assert_eq!(faults.len(), 4, "{}", told(&faults));
    }
    // What is missing has no meaning that could be wrong.
    let faults = faults("unknown: 1");
    let required = ["project", "repository", "region", "unit_test", "application"];
    assert_eq!(faults.len(), 1 + required.len(), "{}", told(&faults));
}

#[test]
fn faults_of_meaning_are_told_at_once_as_well() {
    let text = CONFIGURATION
        .replace("processor: arm64", "processor: x86_64")
        .replace("stage_branch: main", "stage_branch: ''")
        .replace("template: out/app.json", "template: /out/app.json")
        .replace("tags:\n  project:", "tags:\n  aws:project:");
    let faults = faults(&text);
    for path in [
        "build.image",
        "stage_branch",
        "application.template",
        "tags.aws:project",
    ] {
        assert!(
            faults.iter().any(|fault| fault.path == path),
            "{path}: {}",
            told(&faults)
        );
    }
}

#[test]
fn what_is_no_configuration_at_all_is_one_fault() {
    for text in ["", "[]", "just text", "project: [", "a: b: c", "project: a\nproject: b"] {
        let faults = faults(text);
        assert_eq!(faults.len(), 1, "{text:?}: {}", told(&faults));
        assert!(!faults[0].help.is_empty());
    }
}
