//! CloudFormation templates, judged by cfn-lint: unknown types and properties, wrong values, broken references, IAM policies, the
//! wiring of CodePipeline's artifacts.
//!
//! It does not look inside state machine definitions, buildspecs or mapping templates; the other modules do.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::{Path, PathBuf},
    process::Command,
};

use serde::Deserialize;
use serde_json::Value;

use crate::{
    Error, Finding, Level,
    tools::{self, Packages},
};

/// Lints all templates in one process, for each of the regions; no region means cfn-lint's default, `us-east-1`.
///
/// All findings come back, advice ([`Level::Info`]) included. A file that does not exist or is no template is a finding too.
/// Settings that lie around (`.cfnlintrc` in the working or home folder) have no say.
///
/// # Errors
/// When cfn-lint cannot be installed or run.
pub fn lint(paths: &[PathBuf], regions: &[&str]) -> Result<Vec<Finding>, Error> {
    // Without a file, cfn-lint would lint its standard input.
    if paths.is_empty() {
        return Ok(Vec::new());
    }
    let python = tools::python(Packages::CfnLint)?;
    let neutral = tools::folder()?;
    let mut given_as = HashMap::new();
    for path in paths {
        let absolute = std::path::absolute(path).map_err(|source| Error::Io {
            doing: "resolve",
            path: path.clone(),
            source,
        })?;
        given_as.insert(absolute, path);
    }

    let mut command = Command::new(python);
    command.args([
        "-c",
        "from cfnlint.runner import main; main()",
        "--format",
        "json",
        "--include-checks",
        "I",
    ]);
    if !regions.is_empty() {
        command.arg("--regions").args(regions);
    }
    command
        .arg("--")
        .args(paths.iter().filter_map(|path| std::path::absolute(path).ok()));
    command
        .current_dir(&neutral)
        // Newer schemas that somebody downloaded into a cache would take the place of the pinned ones.
        .env("HOME", &neutral)
        .env_remove("XDG_CACHE_HOME")
        .env_remove("PYTHONPATH");

    let matches: Vec<Match> = tools::answer("cfn-lint", &mut command, "")?;
    let mut findings: Vec<Finding> = matches
        .into_iter()
        .map(|found| {
            let file = found.file.unwrap_or_default();
            Finding {
                rule: found.rule.id,
                level: found.level,
                path: found
                    .location
                    .path
                    .unwrap_or_default()
                    .iter()
                    .map(pointer_step)
                    .collect(),
                file: given_as
                    .get(Path::new(&file))
                    .map_or_else(|| PathBuf::from(&file), |given| given.to_path_buf()),
                message: found.message,
            }
        })
        .collect();
    findings.sort();
    Ok(findings)
}

/// The registry's schema of each of these types, as the pinned cfn-lint has it for us-east-1; those that it does not know are left out.
///
/// # Errors
/// When cfn-lint cannot be installed or run, or has no such schemas.
pub fn schemas(types: &BTreeSet<String>) -> Result<BTreeMap<String, Value>, Error> {
    const FOLDER: &str = "import json, pathlib, sys, cfnlint; \
        json.dump(str(pathlib.Path(cfnlint.__file__).parent / 'data/schemas'), sys.stdout)";
    let mut command = Command::new(tools::python(Packages::CfnLint)?);
    command.args(["-c", FOLDER]).env_remove("PYTHONPATH");
    let folder: PathBuf = tools::answer("cfn-lint", &mut command, "")?;
    let index: BTreeMap<String, String> = read(&folder.join("providers/us-east-1.json"))?;
    index
        .into_iter()
        .filter(|(type_name, _)| types.contains(type_name))
        .map(|(type_name, hash)| Ok((type_name, read(&folder.join(format!("resources/{hash}.json")))?)))
        .collect()
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let io = |source| Error::Io {
        doing: "read",
        path: path.to_owned(),
        source,
    };
    let text = std::fs::read(path).map_err(io)?;
    serde_json::from_slice(&text).map_err(|error| io(error.into()))
}

/// CloudFormation's quotas of one template, as the pinned cfn-lint knows them: by section, `number`, `name` and the like.
///
/// # Errors
/// When cfn-lint cannot be installed or run.
pub fn limits() -> Result<Value, Error> {
    const PRINT: &str = "import json, cfnlint.helpers; print(json.dumps(cfnlint.helpers.LIMITS))";
    let mut command = Command::new(tools::python(Packages::CfnLint)?);
    command.args(["-c", PRINT]).env_remove("PYTHONPATH");
    tools::answer("cfn-lint", &mut command, "")
}

fn pointer_step(step: &Value) -> String {
    match step {
        Value::String(name) => format!("/{}", name.replace('~', "~0").replace('/', "~1")),
        position => format!("/{position}"),
    }
}

#[derive(Deserialize)]
struct Match {
    #[serde(rename = "Filename")]
    file: Option<String>,
    #[serde(rename = "Level")]
    level: Level,
    #[serde(rename = "Location")]
    location: Location,
    #[serde(rename = "Message")]
    message: String,
    #[serde(rename = "Rule")]
    rule: Rule,
}

#[derive(Deserialize)]
struct Location {
    #[serde(rename = "Path")]
    path: Option<Vec<Value>>,
}

#[derive(Deserialize)]
struct Rule {
    #[serde(rename = "Id")]
    id: String,
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;
    use tempfile::TempDir;

    use super::*;
    use crate::or_skip;

    fn written(templates: &[(&str, Value)]) -> (TempDir, Vec<PathBuf>) {
        let folder = tempfile::tempdir().unwrap();
        let paths = templates.iter().map(|(name, template)| {
            let path = folder.path().join(name);
            fs::write(&path, template.to_string()).unwrap();
            path
        });
        let paths = paths.collect();
        (folder, paths)
    }

    fn with_resource(resource: Value) -> Value {
        json!({ "AWSTemplateFormatVersion": "2010-09-09", "Resources": { "It": resource } })
    }

    #[test]
    fn a_sound_template_has_no_findings() {
        let (_folder, paths) = written(&[("good.json", with_resource(json!({ "Type": "AWS::SNS::Topic" })))]);
        let Some(findings) = or_skip("a sound template", lint(&paths, &["us-east-1"])) else {
            return;
        };
        assert_eq!(findings, []);
    }

    #[test]
    fn each_fault_names_its_file_rule_level_and_place() {
        let misspelt = with_resource(json!({ "Type": "AWS::S3::Bucket", "Properties": { "BucketNam": "x" } }));
        let mut unused = with_resource(json!({ "Type": "AWS::SNS::Topic" }));
        unused["Parameters"] = json!({ "Unused": { "Type": "String" } });
        let queue = with_resource(json!({ "Type": "AWS::SQS::Queue" }));
        let (_folder, paths) = written(&[
            ("misspelt.json", misspelt),
            ("unused.json", unused),
            ("queue.json", queue),
        ]);
        let Some(findings) = or_skip("faulty templates", lint(&paths, &["us-east-1"])) else {
            return;
        };

        let in_file = |path: &PathBuf| -> Vec<(&str, Level, &str)> {
            let of_file = findings.iter().filter(|finding| finding.file == *path);
            of_file
                .map(|finding| (finding.rule.as_str(), finding.level, finding.path.as_str()))
                .collect()
        };
        assert_eq!(
            in_file(&paths[0]),
            [("E3002", Level::Error, "/Resources/It/Properties/BucketNam")]
        );
        assert_eq!(in_file(&paths[1]), [("W2001", Level::Warning, "/Parameters/Unused")]);
        assert!(
            in_file(&paths[2]).iter().all(|(_, level, _)| *level == Level::Info),
            "{findings:#?}"
        );
        assert!(
            in_file(&paths[2]).contains(&("I3011", Level::Info, "/Resources/It")),
            "{findings:#?}"
        );
    }

    #[test]
    fn a_type_that_a_region_lacks_is_found_only_for_that_region() {
        let (_folder, paths) = written(&[(
            "regional.json",
            with_resource(json!({ "Type": "AWS::DevOpsGuru::ResourceCollection", "Properties": {
                "ResourceCollectionFilter": { "CloudFormation": { "StackNames": ["*"] } } } })),
        )]);
        let Some(here) = or_skip("regions", lint(&paths, &["us-east-1"])) else {
            return;
        };
        let Some(there) = or_skip("regions", lint(&paths, &["us-east-1", "me-central-1"])) else {
            return;
        };
        assert_eq!(here, []);
        assert!(there.iter().any(|finding| finding.rule == "E3006"), "{there:#?}");
    }

    #[test]
    fn a_file_that_is_missing_is_a_finding() {
        let Some(findings) = or_skip("a missing file", lint(&["no-such.json".into()], &[])) else {
            return;
        };
        assert!(
            findings.iter().any(|finding| finding.level == Level::Error),
            "{findings:#?}"
        );
    }

    #[test]
    fn no_template_means_no_process_and_no_finding() {
        assert_eq!(lint(&[], &[]).unwrap(), []);
    }
}
