//! What is emitted, judged by tools that know the formats from elsewhere: templates, the state machine, buildspecs.
//!
//! Each kind of document is also broken on purpose: a judge that lets a broken one pass proves nothing about the sound one.

#![expect(clippy::unwrap_used, reason = "a test that cannot read what it judges has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use stacks::project::REGIONS;
use synth::DocumentKind;
use testing::emission::{self, Emission, Kind, Text};
use testing::{Finding, Level, asl, buildspec, cfn_lint, or_skip, yaml};

/// What cfn-lint advises and we do not follow: the rule, the type of the resource, and why. Errors and warnings cannot be listed.
const ADVICE_NOT_TAKEN: [(&str, &str, &str); 3] = [
    (
        "I3011",
        "AWS::Logs::LogGroup",
        "logs go with what wrote them: a log group that outlived a torn-down environment would be a leak",
    ),
    (
        "I3011",
        "AWS::DynamoDB::Table",
        "only the application's table, whose data is for trying an environment out",
    ),
    (
        "I3011",
        "AWS::Cognito::UserPool",
        "an environment's users are made up for it, and nothing of a pull request may outlive it",
    ),
];

fn texts(wanted: impl Fn(Kind) -> bool) -> Vec<Text> {
    let all = emission::everything();
    let texts = all.iter().flat_map(Emission::texts);
    let texts: Vec<Text> = texts.filter(|text| wanted(text.kind)).collect();
    assert!(!texts.is_empty(), "nothing of this kind is emitted");
    texts
}

fn documents(kind: DocumentKind) -> Vec<Text> {
    texts(|of| of == Kind::Document(kind))
}

fn lines(findings: &[&Finding]) -> String {
    findings.iter().map(|finding| format!("\n{finding}")).collect()
}

#[test]
fn every_template_passes_cfn_lint_in_every_region_in_yaml_and_in_json() {
    let folder = tempfile::tempdir().unwrap();
    let templates = texts(|kind| matches!(kind, Kind::YamlTemplate | Kind::JsonTemplate));
    let paths = emission::write(folder.path(), &templates).unwrap();
    let Some(findings) = or_skip("every template passes cfn-lint", cfn_lint::lint(&paths, &REGIONS)) else {
        return;
    };

    let grave: Vec<&Finding> = findings.iter().filter(|finding| finding.level > Level::Info).collect();
    assert!(grave.is_empty(), "{}", lines(&grave));

    let types: BTreeMap<(String, String), String> = emission::everything()
        .iter()
        .flat_map(|emission| {
            let own = emission.resources().map(|resource| {
                (
                    (emission.stack.name.clone(), resource.id.to_owned()),
                    resource.kind.to_owned(),
                )
            });
            own.collect::<Vec<_>>()
        })
        .collect();
    let kind_of = |finding: &Finding| {
        let stack = finding
            .file
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let id = finding.path.split('/').nth(2).unwrap_or_default().to_owned();
        types.get(&(stack, id)).cloned().unwrap_or_default()
    };
    let mut used = BTreeSet::new();
    let advice: Vec<&Finding> = findings
        .iter()
        .filter(|finding| {
            let kind = kind_of(finding);
            let row = ADVICE_NOT_TAKEN
                .iter()
                .position(|(rule, of, _)| *rule == finding.rule && *of == kind);
            used.extend(row);
            row.is_none()
        })
        .collect();
    assert!(
        advice.is_empty(),
        "{}\nhelp: take the advice, or list it with the reason not to",
        lines(&advice)
    );
    let unused: Vec<_> = (0..ADVICE_NOT_TAKEN.len())
        .filter(|row| !used.contains(row))
        .map(|row| ADVICE_NOT_TAKEN[row])
        .collect();
    assert!(
        unused.is_empty(),
        "nothing needs these rows any more, remove them: {unused:?}"
    );
}

#[test]
fn cfn_lint_sees_a_fault_in_an_emitted_template_in_each_form() {
    let folder = tempfile::tempdir().unwrap();
    let mut templates = texts(|kind| matches!(kind, Kind::YamlTemplate | Kind::JsonTemplate));
    templates.retain(|text| text.name.starts_with("stage/"));
    for text in &mut templates {
        let broken = text.text.replacen("RoleName", "RollName", 1);
        assert_ne!(broken, text.text, "{} has a role", text.name);
        text.text = broken;
    }
    let paths = emission::write(folder.path(), &templates).unwrap();
    let Some(findings) = or_skip("faults are seen", cfn_lint::lint(&paths, &[])) else {
        return;
    };
    for path in &paths {
        let seen = findings.iter().any(|finding| {
            finding.file == *path && finding.level == Level::Error && finding.message.contains("RollName")
        });
        assert!(seen, "{}: {findings:#?}", path.display());
    }
}

#[test]
fn yaml_and_json_say_the_same() {
    let yaml = texts(|kind| kind == Kind::YamlTemplate);
    let json = texts(|kind| kind == Kind::JsonTemplate);
    let texts: Vec<&str> = yaml.iter().map(|text| text.text.as_str()).collect();
    let loaded = yaml::load_all_like_cloudformation(&texts);
    let Some(loaded) = or_skip("YAML and JSON say the same", loaded) else {
        return;
    };
    for ((yaml, json), loaded) in yaml.iter().zip(&json).zip(loaded) {
        let loaded = loaded.unwrap_or_else(|refusal| panic!("{}: {refusal}", yaml.name));
        let expected: Value = serde_json::from_str(&json.text).unwrap();
        assert!(
            loaded == expected,
            "{} differs from {} at {}",
            yaml.name,
            json.name,
            first_difference(&loaded, &expected, String::new())
        );
    }
}

fn first_difference(left: &Value, right: &Value, path: String) -> String {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) if left.keys().all(|key| right.contains_key(key)) => {
            let differing = right.iter().find(|(key, value)| left.get(*key) != Some(value));
            differing.map_or(path.clone(), |(key, value)| {
                first_difference(left.get(key).unwrap_or(&Value::Null), value, format!("{path}/{key}"))
            })
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            let differing = left
                .iter()
                .zip(right)
                .enumerate()
                .find(|(_, (left, right))| left != right);
            differing.map_or(path.clone(), |(index, (left, right))| {
                first_difference(left, right, format!("{path}/{index}"))
            })
        }
        _ => format!("{path}: {left} is not {right}"),
    }
}

/// The state machine as Step Functions gets it: CloudFormation has put in the ARNs.
fn machines() -> Vec<(String, Value)> {
    let machines = documents(DocumentKind::StateMachine).into_iter().map(|text| {
        let mut finished = text.text.replace("${AWS::Partition}", "aws");
        while let Some(start) = finished.find("${") {
            let end = start + finished[start..].find('}').unwrap();
            let name = finished[start + 2..end].trim_end_matches(".Arn").to_owned();
            let arn = format!("arn:aws:lambda:eu-west-1:123456789012:function:{name}");
            finished.replace_range(start..=end, &arn);
        }
        (text.name, serde_json::from_str(&finished).unwrap())
    });
    machines.collect()
}

fn validated(folder: &Path, machines: &[Value]) -> Option<Vec<Vec<Finding>>> {
    let texts: Vec<Text> = machines
        .iter()
        .enumerate()
        .map(|(number, machine)| Text {
            name: format!("{number}.json"),
            kind: Kind::Document(DocumentKind::StateMachine),
            text: machine.to_string(),
        })
        .collect();
    let paths = emission::write(folder, &texts).unwrap();
    let findings = or_skip("state machines", asl::validate(&paths))?;
    let of = |path: &PathBuf| {
        findings
            .iter()
            .filter(|finding| finding.file == *path)
            .cloned()
            .collect()
    };
    Some(paths.iter().map(of).collect())
}

#[test]
fn every_state_machine_passes_and_is_refused_once_it_is_broken() {
    let folder = tempfile::tempdir().unwrap();
    for (name, machine) in machines() {
        let first = machine["StartAt"].as_str().unwrap().to_owned();
        let broken = |change: &dyn Fn(&mut Value)| {
            let mut mutant = machine.clone();
            change(&mut mutant);
            assert_ne!(mutant, machine);
            mutant
        };
        let state = |machine: &mut Value, change: &dyn Fn(&mut Value)| change(&mut machine["States"][&first]);
        let mutants = [
            (
                "a dangling Next",
                broken(&|machine| state(machine, &|state| state["Next"] = json!("Nowhere"))),
            ),
            (
                "an unreachable state",
                broken(&|machine| machine["States"]["Lost"] = json!({ "Type": "Succeed" })),
            ),
            (
                "an unreachable loop",
                broken(&|machine| machine["States"]["Lost"] = json!({ "Type": "Pass", "Next": "Lost" })),
            ),
            (
                "a misspelt field",
                broken(&|machine| {
                    state(machine, &|state| {
                        let arguments = state.as_object_mut().unwrap().remove("Arguments").unwrap();
                        state["Argument"] = arguments;
                    });
                }),
            ),
            (
                "a field of the other query language",
                broken(&|machine| state(machine, &|state| state["ResultPath"] = json!("$.result"))),
            ),
            (
                "broken JSONata",
                broken(&|machine| {
                    state(machine, &|state| {
                        state["Output"] = json!("{% $states.result.Payload. %}");
                    });
                }),
            ),
            (
                "a retry without errors",
                broken(&|machine| {
                    state(machine, &|state| {
                        state["Retry"][0].as_object_mut().unwrap().remove("ErrorEquals");
                    });
                }),
            ),
        ];
        let all: Vec<Value> = std::iter::once(machine.clone())
            .chain(mutants.iter().map(|(_, mutant)| mutant.clone()))
            .collect();
        let Some(mut findings) = validated(folder.path(), &all) else {
            return;
        };
        assert_eq!(findings.remove(0), [], "{name}");
        for ((what, _), findings) in mutants.iter().zip(findings) {
            assert!(!findings.is_empty(), "{name} passes with {what}");
        }
    }
}

#[test]
fn every_buildspec_passes_and_is_refused_once_it_is_broken() {
    for spec in documents(DocumentKind::Buildspec) {
        assert_eq!(buildspec::validate(&spec.text, &spec.name), [], "{}", spec.name);
        let table = [
            ("version: 0.2", "version: 0.1"),
            ("version: 0.2\n", ""),
            ("\nphases:\n", "\nphase:\n"),
            ("\n  build:\n", "\n  compile:\n"),
            ("\n    commands:\n", "\n    command:\n"),
            ("\n  variables:\n", "\n  variable:\n"),
        ];
        for (from, to) in table {
            let broken = spec.text.replacen(from, to, 1);
            assert_ne!(broken, spec.text, "{} holds {from:?}", spec.name);
            assert!(
                !buildspec::validate(&broken, &spec.name).is_empty(),
                "{} passes with {to:?} for {from:?}",
                spec.name
            );
        }
    }
}

#[test]
fn the_documents_are_what_the_templates_hold() {
    let mut compared = 0;
    for emission in emission::everything() {
        let specs: BTreeSet<String> = emission
            .resources()
            .filter(|resource| resource.kind == "AWS::CodeBuild::Project")
            .map(|resource| emission::shown(&resource.properties["Source"]["BuildSpec"]))
            .collect();
        let shown: BTreeSet<String> = emission
            .texts()
            .into_iter()
            .filter(|text| text.kind == Kind::Document(DocumentKind::Buildspec))
            .map(|text| text.text)
            .collect();
        assert_eq!(specs, shown, "{}", emission.stack.name);
        compared += shown.len();
    }
    assert!(compared >= 2, "the unit tests' and an environment's: {compared}");
}

#[test]
fn two_emissions_are_equal() {
    assert_eq!(texts(|_| true), texts(|_| true));
}

#[test]
fn no_text_holds_a_secret_and_no_template_takes_anything_but_code() {
    for text in texts(|_| true) {
        for telling in [
            "\"SecretString\"",
            "SecretString:",
            "NoEcho",
            "{{resolve:",
            "AKIA",
            "ghp_",
            "-----BEGIN",
        ] {
            let held = text.text.match_indices(telling).any(|(at, _)| {
                // `GenerateSecretString` lets Secrets Manager make one up: the template never knows it.
                !text.text[..at].ends_with("Generate")
            });
            assert!(!held, "{} holds {telling}", text.name);
        }
    }
    for emission in emission::everything() {
        let parameters = emission.template["Parameters"].as_object();
        let taken: BTreeSet<&str> = parameters
            .into_iter()
            .flatten()
            .map(|(name, _)| name.as_str())
            .collect();
        let code: BTreeSet<&str> = emission
            .stack
            .assets
            .iter()
            .flat_map(|asset| [asset.bucket_parameter.as_str(), asset.key_parameter.as_str()])
            .collect();
        assert_eq!(taken, code, "{}", emission.stack.name);
    }
}

#[test]
fn templates_fit_cloudformation() {
    // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html: a template from S3 has at most
    // 1 MB, 500 resources, 200 parameters, 200 outputs; the pipelines send the applications' templates from S3 as well.
    for emission in emission::everything() {
        let name = &emission.stack.name;
        for (section, most) in [
            ("Resources", 500),
            ("Parameters", 200),
            ("Outputs", 200),
            ("Mappings", 200),
        ] {
            let count = emission.template[section].as_object().map_or(0, serde_json::Map::len);
            assert!(count <= most, "{name} has {count} {section}, allowed are {most}");
        }
        for text in emission.texts() {
            assert!(text.text.len() <= 1_000_000, "{}: {} bytes", text.name, text.text.len());
        }
        let description = emission.template["Description"].as_str().unwrap_or_default();
        assert!(description.len() <= 1024, "{name}: the description is too long");
    }
}

/// S3 expires by age, which says nothing of whether an object is deployed.
#[test]
fn no_code_that_may_be_deployed_expires_by_its_age() {
    let mut rules = 0;
    for bucket in emission::everything()
        .iter()
        .flat_map(Emission::resources)
        .filter(|resource| resource.kind == "AWS::S3::Bucket")
    {
        for rule in bucket.properties["LifecycleConfiguration"]["Rules"]
            .as_array()
            .into_iter()
            .flatten()
        {
            rules += 1;
            let prefix = rule["Prefix"].as_str().unwrap_or_default();
            let expires = !rule["ExpirationInDays"].is_null() || !rule["ExpirationDate"].is_null();
            for code in ["packages/", "code/"] {
                let meets = prefix.starts_with(code) || code.starts_with(prefix);
                assert!(!(expires && meets), "{}: {rule}", bucket.id);
            }
        }
    }
    assert!(rules > 0, "no rule was looked at");
}
