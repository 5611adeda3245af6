//! CodeBuild build specifications, judged by `testing/schemas/buildspec.schema.json`: a JSON Schema of version 0.2 in which every level
//! names all that it may hold.
//!
//! Never runs a command and never looks into one.

use std::{path::Path, sync::LazyLock};

use jsonschema::Validator;
use serde_json::Value;

use crate::{Finding, Level};

static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
    let text = include_str!("../schemas/buildspec.schema.json");
    let schema = serde_json::from_str::<Value>(text).unwrap_or_else(|fault| panic!("buildspec.schema.json: {fault}"));
    jsonschema::validator_for(&schema).unwrap_or_else(|fault| panic!("buildspec.schema.json: {fault}"))
});

/// All faults of a buildspec in YAML (or in JSON, which is YAML). `name` is what the findings call it.
#[must_use]
pub fn validate(text: &str, name: &str) -> Vec<Finding> {
    let finding = |rule: &str, path: String, message: String| Finding {
        rule: rule.to_owned(),
        level: Level::Error,
        file: Path::new(name).to_owned(),
        path,
        message,
    };
    // First as YAML: serde_json keeps the last of two equal keys, this refuses them.
    let read = serde_yaml::from_str::<serde_yaml::Value>(text)
        .map_err(|fault| fault.to_string())
        .and_then(|yaml| serde_json::to_value(yaml).map_err(|fault| fault.to_string()));
    match read {
        Err(fault) => vec![finding("yaml", String::new(), fault)],
        Ok(buildspec) => SCHEMA
            .iter_errors(&buildspec)
            .map(|fault| {
                finding(
                    fault.kind().keyword(),
                    fault.instance_path().to_string(),
                    fault.to_string(),
                )
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT_TESTS: &str = r#"
version: 0.2
run-as: builder
env:
  shell: bash
  variables:
    STAGE: "unit"
    PORT: 8000
  parameter-store:
    LOGIN: /team/login
  secrets-manager:
    TOKEN: "github:token"
    LAST: "github:token:AWSPREVIOUS"
    EXACT: "github:token::0a1b"
    ELSEWHERE: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:github-AbCdEf:token:AWSCURRENT:"
  exported-variables: [TEMPLATE_URL]
  git-credential-helper: no
proxy: { upload-artifacts: no, logs: yes }
phases:
  install:
    runtime-versions: { java: corretto21, python: 3.12, nodejs: "$NODE" }
    commands: ["curl -o db.zip https://example.com/db.zip"]
  pre_build:
    on-failure: RETRY-2-.*timed out.*
    commands: ["./start-database"]
    finally: ["echo started"]
  build:
    run-as: tester
    on-failure: CONTINUE
    commands: ["python -m pytest --junitxml=reports/unit.xml"]
  post_build:
    on-failure: ABORT
    commands: ["echo done"]
reports:
  unit: { files: ["*.xml"], base-directory: reports, file-format: JUNITXML, discard-paths: yes }
  coverage: { files: ["coverage.xml"], file-format: COBERTURAXML }
artifacts:
  files: ["template.yml"]
  name: templates
  exclude-paths: "**/.*"
  secondary-artifacts:
    docs: { files: ["docs/**/*"], base-directory: out, enable-symlinks: yes, s3-prefix: docs }
cache:
  key: pip-$(codebuild-hash-files requirements.txt)
  fallback-keys: [pip-]
  action: restore
  paths: ["/root/.cache/pip/**/*"]
"#;

    #[test]
    fn a_buildspec_that_uses_every_section_passes() {
        assert_eq!(validate(UNIT_TESTS, "unit.yml"), []);
    }

    #[test]
    fn the_smallest_buildspec_passes_in_yaml_and_in_json() {
        assert_eq!(
            validate("version: 0.2\nphases: { build: { commands: [make] } }", "small.yml"),
            []
        );
        assert_eq!(
            validate(
                r#"{"version":"0.2","phases":{"build":{"commands":["make"]}}}"#,
                "small.json"
            ),
            []
        );
    }

    #[test]
    fn each_fault_is_refused_where_it_stands() {
        // What is changed in the full example, to what, and the rule and place of the finding.
        let table = [
            ("version: 0.2", "version: 0.1", "enum", "/version"),
            ("version: 0.2\n", "", "required", ""),
            ("  pre_build:", "  prebuild:", "additionalProperties", "/phases"),
            (
                "    commands: [\"./start-database\"]\n",
                "",
                "required",
                "/phases/pre_build",
            ),
            (
                "[\"echo done\"]",
                "[echo done: now]",
                "type",
                "/phases/post_build/commands/0",
            ),
            ("[\"echo done\"]", "[]", "minItems", "/phases/post_build/commands"),
            ("[\"echo done\"]", "echo done", "type", "/phases/post_build/commands"),
            (
                "on-failure: ABORT",
                "on-failure: STOP",
                "pattern",
                "/phases/post_build/on-failure",
            ),
            (
                "on-failure: ABORT",
                "on-failure: RETRY-101",
                "pattern",
                "/phases/post_build/on-failure",
            ),
            ("finally:", "finaly:", "additionalProperties", "/phases/pre_build"),
            (
                "java: corretto21",
                "jav: corretto21",
                "propertyNames",
                "/phases/install/runtime-versions",
            ),
            (
                "    run-as: tester",
                "    runtime-versions: { java: latest }",
                "additionalProperties",
                "/phases/build",
            ),
            ("shell: bash", "shell: zsh", "enum", "/env/shell"),
            ("STAGE:", "CODEBUILD_STAGE:", "propertyNames", "/env/variables"),
            ("STAGE: \"unit\"", "STAGE: [unit]", "type", "/env/variables/STAGE"),
            ("parameter-store:", "parameters:", "additionalProperties", "/env"),
            (
                "token::0a1b",
                "token:AWSCURRENT:0a1b",
                "pattern",
                "/env/secrets-manager/EXACT",
            ),
            ("[TEMPLATE_URL]", "[AWS_REGION]", "pattern", "/env/exported-variables/0"),
            (
                "file-format: JUNITXML",
                "file-format: JUNIT",
                "enum",
                "/reports/unit/file-format",
            ),
            (
                "discard-paths: yes",
                "discard-path: yes",
                "additionalProperties",
                "/reports/unit",
            ),
            ("  files: [\"template.yml\"]\n", "", "required", "/artifacts"),
            (
                "docs: { files",
                "the docs: { files",
                "propertyNames",
                "/artifacts/secondary-artifacts",
            ),
            ("action: restore", "action: both", "enum", "/cache/action"),
            (
                "  key: pip-$(codebuild-hash-files requirements.txt)\n",
                "",
                "required",
                "/cache",
            ),
            (
                "fallback-keys: [pip-]",
                "fallback-keys: [a, b, c, d, e, f]",
                "maxItems",
                "/cache/fallback-keys",
            ),
            ("proxy:", "batch:", "additionalProperties", ""),
        ];
        for (from, to, rule, path) in table {
            assert_eq!(
                UNIT_TESTS.matches(from).count(),
                1,
                "{from:?} stands once in the example"
            );
            let findings = validate(&UNIT_TESTS.replace(from, to), "unit.yml");
            let found: Vec<_> = findings
                .iter()
                .map(|finding| (finding.rule.as_str(), finding.path.as_str()))
                .collect();
            assert_eq!(found, [(rule, path)], "{from:?} -> {to:?}: {findings:#?}");
        }
    }

    #[test]
    fn all_faults_are_reported_at_once() {
        let findings = validate(
            "version: 0.3\nphases: { build: { command: [make] } }\nartefacts: {}",
            "bad.yml",
        );
        let rules: Vec<_> = findings.iter().map(|finding| finding.rule.as_str()).collect();
        assert_eq!(rules.len(), 4, "{findings:#?}");
        assert!(findings.iter().all(|finding| finding.file == Path::new("bad.yml")));
    }

    #[test]
    fn text_that_is_no_yaml_is_one_finding() {
        assert_eq!(validate("phases: [", "bad.yml")[0].rule, "yaml");
    }

    #[test]
    fn a_key_that_stands_twice_is_refused() {
        let twice = validate(
            "version: 0.2\nphases: { build: { commands: [a] }, build: { commands: [b] } }",
            "twice.yml",
        );
        assert_eq!(twice[0].rule, "yaml", "{twice:#?}");
    }
}
