//! The pipelines that this system emits: taken as they are, and executed from the source to the stack.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::Arc,
    thread,
    time::Duration,
};

use codepipeline_local::{BuildRequest, Script, Settings, ShellBuilder, StackRequest, Tools, archive};
use serde_json::{Value, json};
use stacks::{Environment, Project};

use crate::world::{BUCKET, World};

const CONFIGURATION: &str = include_str!("../../../../stacks/project.yaml");

/// The templates of the shared stacks and of one environment.
fn templates() -> Vec<Value> {
    let project = Project::from_yaml(CONFIGURATION).unwrap();
    let environment: Environment = "pr-17".parse().unwrap();
    let assemblies = [
        stacks::shared(&project).unwrap(),
        stacks::environment(&project, environment).unwrap(),
    ];
    let stacks = assemblies.into_iter().flat_map(|assembly| assembly.stacks);
    stacks
        .map(|stack| serde_json::from_str(&stack.template.to_json().unwrap()).unwrap())
        .collect()
}

/// A value as CloudFormation resolves it, as far as pipelines and their projects need it.
fn resolved(value: &Value, template: &Value) -> Value {
    let name = |id: &str| -> String {
        let properties = &template["Resources"][id]["Properties"];
        let found = ["Name", "RoleName", "LogGroupName"]
            .iter()
            .find_map(|name| properties[name].as_str());
        found.unwrap_or(id).to_owned()
    };
    match value {
        Value::Object(members) if members.len() == 1 => {
            let (function, argument) = members.iter().next().unwrap();
            match (function.as_str(), argument) {
                ("Ref", Value::String(id)) => json!(name(id)),
                ("Fn::GetAtt", _) => json!(format!(
                    "arn:aws:iam::123456789012:role/{}",
                    name(argument[0].as_str().unwrap())
                )),
                ("Fn::ImportValue", _) => json!(BUCKET),
                ("Fn::Sub", Value::Array(parts)) => {
                    let text = parts[0].as_str().unwrap().to_owned();
                    let values = parts[1].as_object().unwrap().iter();
                    json!(values.fold(text, |text, (name, value)| {
                        text.replace(&format!("${{{name}}}"), resolved(value, template).as_str().unwrap())
                    }))
                }
                (name, value) => json!({ name: resolved(value, template) }),
            }
        }
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(name, value)| (name.clone(), resolved(value, template)));
            Value::Object(members.collect())
        }
        Value::Array(items) => items.iter().map(|item| resolved(item, template)).collect(),
        plain => plain.clone(),
    }
}

/// A world with all that is emitted.
fn deployed(decide: impl Fn(&BuildRequest) -> Script + Send + Sync + 'static) -> World {
    let world = World::new(decide);
    assert_eq!(deploy(&world), [2, 2]);
    world
}

/// Puts all that is emitted into the world, and says how many projects and pipelines that is.
fn deploy(world: &World) -> [usize; 2] {
    let mut counts = [0, 0];
    for template in templates() {
        for resource in template["Resources"].as_object().unwrap().values() {
            let properties = resolved(&resource["Properties"], &template);
            match resource["Type"].as_str().unwrap() {
                "AWS::CodeBuild::Project" => {
                    world
                        .engine
                        .put_project(&properties)
                        .unwrap_or_else(|faults| panic!("{faults}"));
                    counts[0] += 1;
                }
                "AWS::CodePipeline::Pipeline" => {
                    world.put_pipeline(&properties);
                    counts[1] += 1;
                }
                _ => {}
            }
        }
    }
    counts
}

fn pinned(more: Value) -> Value {
    let mut start = crate::world::pinned("source/org/repo/17.zip", "v1");
    for (name, value) in more.as_object().unwrap() {
        start[name] = value.clone();
    }
    start
}

#[test]
fn everything_that_is_emitted_is_taken_and_every_name_fits() {
    let world = deployed(|_| Script::succeeds());
    for pipeline in ["thebestest-unit-test", "pr-17-thebestest-deploy"] {
        assert!(world.engine.has_pipeline(pipeline));
    }
}

#[test]
fn the_unit_test_pipeline_tests_the_commit_that_it_is_started_with() {
    let world = deployed(|_| Script::succeeds());
    world.objects.write(BUCKET, "source/org/repo/17.zip", b"the commit");
    world.objects.write(BUCKET, "source/org/repo/17.zip", b"a later commit");
    let variables = json!({ "variables": [{ "name": "ENVIRONMENT", "value": "pr-17" }] });
    let id = world.start("thebestest-unit-test", pinned(variables));
    world.engine.run_until_idle();
    assert_eq!(world.status("thebestest-unit-test", &id), "Succeeded");
    let builds = world.builds.lock().unwrap();
    assert_eq!(*builds[0].inputs[0].archive, b"the commit");
    let environment = ("ENVIRONMENT".to_owned(), "pr-17".to_owned());
    assert!(builds[0].variables.contains(&environment), "{:?}", builds[0].variables);
    assert_eq!(builds[0].timeout.as_secs(), 3_600);
}

#[test]
fn the_deploy_pipeline_makes_the_stack_of_what_the_build_exports() {
    let world = deployed(|request| {
        let variables: BTreeMap<&str, &str> = request
            .variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let key = format!("{}hash.zip", variables["CODE_PREFIX"]);
        let files = [
            ("out/app.json", &b"{\"Resources\": {}}"[..]),
            (
                "stack-configuration.json",
                b"{\"Tags\": {\"pipeline:environment\": \"pr-17\"}}",
            ),
        ];
        Script::succeeds()
            .export("CODE_KEY", &key)
            .artifact("Packaged", archive::of_files(files).unwrap())
    });
    world.objects.write(BUCKET, "source/org/repo/17.zip", b"the commit");
    let id = world.start("pr-17-thebestest-deploy", pinned(json!({})));
    world.engine.run_until_idle();
    let actions = world.actions("pr-17-thebestest-deploy", &id);
    assert_eq!(
        world.status("pr-17-thebestest-deploy", &id),
        "Succeeded",
        "{actions:#?}"
    );
    let request = world.stacks.request("thebestest-pr-17-app").unwrap();
    assert_eq!(request.template, "{\"Resources\": {}}");
    let parameters: BTreeMap<_, _> = request.parameters.into_iter().collect();
    assert_eq!(parameters["CodeBucket"], BUCKET);
    assert_eq!(parameters["CodeKey"], "packages/pr-17/hash.zip");
    assert_eq!(request.tags, [("pipeline:environment".to_owned(), "pr-17".to_owned())]);
    assert_eq!(request.capabilities, ["CAPABILITY_NAMED_IAM"]);
    // The roles of the pipeline reach no other folder.
    let keys = world.objects.keys(BUCKET);
    let artifacts: Vec<&String> = keys.iter().filter(|key| !key.starts_with("source/")).collect();
    assert_eq!(artifacts.len(), 2);
    assert!(
        artifacts.iter().all(|key| key.starts_with("pr-17-thebestest-dep/")),
        "{keys:?}"
    );
}

#[test]
fn a_build_that_exports_no_key_deploys_nothing() {
    let world = deployed(|_| Script::succeeds().artifact("Packaged", archive::of_files([]).unwrap()));
    world.objects.write(BUCKET, "source/org/repo/17.zip", b"the commit");
    let id = world.start("pr-17-thebestest-deploy", pinned(json!({})));
    world.engine.run_until_idle();
    let message = world.failure("pr-17-thebestest-deploy", &id, "Prepare");
    assert!(
        message.contains("one or more variables could not be resolved"),
        "{message}"
    );
    assert!(world.stacks.status("thebestest-pr-17-app").is_none());
}

/// What the emitted commands make of a commit, with stand-ins for what a build would download and compile: `zip` is called with what
/// `zip --junk-paths ARCHIVE FILE` is.
fn built(zip: &str) -> (World, String) {
    let root = tempfile::tempdir().unwrap();
    let shims = root.path().join("shims");
    fs::create_dir(&shims).unwrap();
    shim(&shims, "curl", "echo 'echo installed'");
    let cargo = r#"case "$1" in
        run) echo "{\"Description\": \"$7 $(cat commit)\"}" ;;
        bootstrap) mkdir -p target/lambda && echo code > target/lambda/bootstrap && chmod 755 target/lambda/bootstrap ;;
    esac"#;
    shim(&shims, "cargo", cargo);
    shim(&shims, "zip", zip);
    shim(&shims, "aws", r#"echo "aws $*""#);
    let tools = Tools {
        path: vec![shims],
        ..Tools::default()
    };
    let settings = Settings {
        start_on_create: false,
        ..Settings::default()
    };
    let world = World::building(settings, Arc::new(ShellBuilder::new(root.path()).toolbox(tools)));
    deploy(&world);
    let source = archive::of_files([("commit", &b"17"[..])]).unwrap();
    world.objects.write(BUCKET, "source/org/repo/17.zip", &source);
    let id = world.start("pr-17-thebestest-deploy", pinned(json!({})));
    while world.engine.is_busy() {
        world.engine.tick();
        thread::sleep(Duration::from_millis(2));
    }
    (world, id)
}

/// What CloudFormation is asked for then, and the build's story.
fn packaged(zip: &str) -> (StackRequest, Vec<String>) {
    let (world, id) = built(zip);
    let story = world.story(&id);
    assert_eq!(world.status("pr-17-thebestest-deploy", &id), "Succeeded", "{story:#?}");
    (world.stacks.request("thebestest-pr-17-app").unwrap(), story)
}

/// Python's `zipfile`, which writes the times that the file has.
const ZIP: &str = r#"python3 -m zipfile -c "$2" "$3""#;

#[test]
fn the_deploy_pipelines_own_commands_package_the_commit() {
    let (request, story) = packaged(ZIP);
    assert_eq!(request.template, "{\"Description\": \"pr-17 17\"}\n");
    let tags: Vec<&str> = request.tags.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(tags, ["pipeline:environment", "pipeline:project", "project"]);
    // printf "'bootstrap' 100755 $(echo code | sha256sum | cut -c 1-64)" | sha256sum
    let key = "packages/pr-17/252586f08d6d26b814ba1123df84b306798d1f428117b37efa19d2a89e6a831b.zip";
    let parameters: BTreeMap<_, _> = request.parameters.into_iter().collect();
    assert_eq!(parameters["CodeKey"], key);
    let uploaded = format!("| aws s3 cp --only-show-errors out/app.zip s3://{BUCKET}/{key}");
    assert!(story.contains(&uploaded), "{story:#?}");
}

#[test]
fn two_builds_of_one_commit_ask_cloudformation_for_the_same_whatever_times_and_order_the_zip_has() {
    let zips = [
        ZIP.to_owned(),
        format!(r#"touch -d @1000000000 "$3"; {ZIP}"#),
        // Stored and not compressed, with a comment.
        r#"python3 - "$2" "$3" <<'END'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_STORED) as archive:
    archive.comment = b"made on another day"
    archive.write(sys.argv[2], "bootstrap")
END"#
            .to_owned(),
    ];
    let requests = zips.map(|zip| packaged(&zip).0);
    assert_eq!(requests[0], requests[1], "times");
    assert_eq!(requests[0], requests[2], "compression and comment");
}

#[test]
fn another_content_name_or_mode_is_another_key() {
    let key = |zip: &str| {
        let parameters: BTreeMap<_, _> = packaged(zip).0.parameters.into_iter().collect();
        parameters["CodeKey"].clone()
    };
    let keys = [
        ZIP.to_owned(),
        format!(r#"echo more >> "$3"; {ZIP}"#),
        r#"mv "$3" "$3.py"; python3 -m zipfile -c "$2" "$3.py""#.to_owned(),
        format!(r#"chmod 644 "$3"; {ZIP}"#),
        r#"touch second; python3 -m zipfile -c "$2" "$3" second"#.to_owned(),
    ]
    .map(|zip| key(&zip));
    let different: BTreeSet<&String> = keys.iter().collect();
    assert_eq!(different.len(), keys.len(), "{keys:#?}");
}

#[test]
fn what_is_no_zip_is_never_uploaded() {
    let (world, id) = built(r#"cp "$3" "$2""#);
    let story = world.story(&id);
    assert_eq!(world.status("pr-17-thebestest-deploy", &id), "Failed", "{story:#?}");
    assert!(!story.iter().any(|line| line.contains("aws s3 cp")), "{story:#?}");
}

/// A program that stands in for another.
fn shim(folder: &Path, name: &str, script: &str) {
    let path = folder.join(name);
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}
