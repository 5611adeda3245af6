//! The project's unit-test build on this machine: the commands of the emitted buildspec, unchanged, on a clean copy of the sources,
//! with the toolbox and the local AWS around them.
//!
//! The buildspec is the one that is emitted for `testing/rehearsal/project.yaml`: the same application with fewer tests.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot read what it judges has failed"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use stacks::Project;
use testing::aws::Cloud;
use testing::emission::{self, Emission, Kind};
use testing::or_skip;
use testing::toolbox::{self, Toolbox, Turn};
use testing::tools;

const PHASES: [&str; 4] = ["install", "pre_build", "build", "post_build"];

fn rehearsed() -> Project {
    Project::from_yaml(include_str!("../rehearsal/project.yaml")).expect("it is a configuration")
}

/// The emitted buildspecs by the end of their names.
fn buildspec(emitted: &[Emission], ending: &str) -> serde_yaml::Value {
    let texts = emitted.iter().flat_map(Emission::texts);
    let mut found =
        texts.filter(|text| text.kind == Kind::Document(synth::DocumentKind::Buildspec) && text.name.ends_with(ending));
    let text = found
        .next()
        .unwrap_or_else(|| panic!("no buildspec is named …{ending}"));
    serde_yaml::from_str(&text.text).expect("it is YAML")
}

/// A folder with the sources and all that a build of them needs.
struct Place {
    toolbox: Toolbox,
    cloud: Cloud,
    folder: PathBuf,
    /// One build at a time, since all have the same folder.
    _alone: MutexGuard<'static, ()>,
}

impl Place {
    fn new(what: &str) -> Option<Self> {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let toolbox = or_skip(what, Toolbox::install())?;
        let cloud = or_skip(what, Cloud::start())?;
        let files = or_skip(what, toolbox::repository())?;
        // Where it always is, so that cargo builds only what has changed since the last run.
        let folder = tools::folder().unwrap().join("unit-test-sources");
        toolbox::refresh(&folder, &files).unwrap();
        Some(Self {
            toolbox,
            cloud,
            folder,
            _alone: alone,
        })
    }

    /// The environment of a build whose calls to AWS are `caller`'s.
    fn variables(&self, caller: &str) -> BTreeMap<String, String> {
        let mut variables = self.toolbox.variables();
        variables.extend(self.cloud.variables(caller));
        variables.insert("AWS_DEFAULT_REGION".to_owned(), testing::aws::REGION.to_owned());
        variables.insert("AWS_SDK_UA_APP_ID".to_owned(), caller.to_owned());
        variables
    }

    fn bash(&self, caller: &str) -> Command {
        let mut command = Command::new("bash");
        command
            .current_dir(&self.folder)
            .env_clear()
            .envs(self.variables(caller))
            .process_group(0);
        command
    }
}

/// The commands of all phases as one script, each shown before it runs, stopping at the first that fails.
fn script(spec: &serde_yaml::Value) -> String {
    let mut script = String::new();
    for phase in PHASES {
        let commands = spec["phases"][phase]["commands"].as_sequence().expect(phase);
        for command in commands {
            let command = command.as_str().expect("a command");
            script.push_str(&format!("echo {}\n{command}\n", quoted(&format!("{phase}: {command}"))));
            script.push_str("code=$?; if [ $code -ne 0 ]; then echo \"ended with $code\"; exit $code; fi\n");
        }
    }
    script
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// One call to the build's own DynamoDB, as the tests of an application make them: with credentials that belong to nobody.
fn dynamodb(operation: &str, input: &Value) -> Value {
    let body = input.to_string();
    let mut connection = TcpStream::connect("127.0.0.1:8000").expect("the local DynamoDB listens");
    write!(
        connection,
        "POST / HTTP/1.1\r\nhost: 127.0.0.1:8000\r\nconnection: close\r\nx-amz-target: DynamoDB_20120810.{operation}\r\n\
         content-type: application/x-amz-json-1.0\r\ncontent-length: {}\r\n\
         authorization: AWS4-HMAC-SHA256 Credential=local/20260101/local/dynamodb/aws4_request, SignedHeaders=host, Signature=0\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
    assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
    serde_json::from_str(body).unwrap_or_else(|fault| panic!("{fault}: {answer}"))
}

#[test]
fn the_emitted_unit_test_build_runs_on_this_machine() {
    let Some(place) = Place::new("the unit-test build") else {
        return;
    };
    let Some(_turn) = or_skip("the unit-test build", Turn::wait()) else {
        return;
    };
    let emitted = emission::emit(&rehearsed(), &["stage"]);
    let spec = buildspec(&emitted, "unit-test.buildspec.yaml");
    let mut command = place.bash("unit-test");
    for (name, value) in spec["env"]["variables"].as_mapping().expect("variables") {
        command.env(name.as_str().unwrap(), value.as_str().unwrap());
    }
    let mut build = command
        .env("ENVIRONMENT", "stage")
        .args(["-c", &format!("exec 2>&1\n{}", script(&spec))])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("bash starts");
    let (mut log, mut items, mut table) = (String::new(), Value::Null, Value::Null);
    for line in BufReader::new(build.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        // The database lives as long as the build, so it is asked while the build goes on.
        if let Some(said) = line.strip_prefix("load.sh: ") {
            let name = said.split(' ').next().unwrap();
            items = dynamodb("Scan", &json!({ "TableName": name }));
            table = dynamodb("DescribeTable", &json!({ "TableName": name }));
        }
        log.push_str(&line);
        log.push('\n');
    }
    let status = build.wait().unwrap();
    assert!(status.success(), "{status}:\n{log}");

    loaded(&emitted, &table["Table"], &items["Items"]);
    reported(
        &place
            .folder
            .join(spec["reports"]["unit-tests"]["base-directory"].as_str().unwrap()),
    );
    let template = fs::read_to_string(place.folder.join("out/app.json")).expect("the template is written");
    let calls = place.cloud.all_calls();
    let operations: Vec<(&str, &str)> = calls
        .iter()
        .map(|call| (call.service.as_str(), call.operation.as_str()))
        .collect();
    assert_eq!(
        operations,
        [("cloudformation", "ValidateTemplate")],
        "all that the build asks of AWS"
    );
    assert_eq!(calls[0].parameters["TemplateBody"], template);
    assert_eq!(calls[0].status, Some(200));
    assert_eq!(calls[0].caller, "unit-test");
    // The next one could begin: the database has ended with the build.
    drop(_turn);
    drop(or_skip("the next build", Turn::wait()));
}

/// The table is the emitted one, with the data of the repository.
fn loaded(emitted: &[Emission], table: &Value, items: &Value) {
    let tables = emitted.iter().flat_map(Emission::resources);
    let wanted = tables
        .filter(|resource| resource.kind == "AWS::DynamoDB::Table" && resource.id != "PullRequests")
        .map(|resource| resource.properties)
        .next()
        .expect("the application has a table");
    assert_eq!(table["TableName"], wanted["TableName"]);
    assert_eq!(table["KeySchema"], wanted["KeySchema"]);
    let data: Value = serde_json::from_str(include_str!("../dynamodb/items.json")).unwrap();
    let texts = |items: Vec<&Value>| -> BTreeSet<String> {
        let ordered = |item: &&Value| {
            item.as_object()
                .unwrap()
                .clone()
                .into_iter()
                .collect::<BTreeMap<_, _>>()
        };
        let ordered = items.iter().map(ordered);
        ordered.map(|item| serde_json::to_string(&item).unwrap()).collect()
    };
    let puts = data["items"].as_array().unwrap();
    assert_eq!(
        texts(items.as_array().expect("items").iter().collect()),
        texts(puts.iter().map(|put| &put["PutRequest"]["Item"]).collect())
    );
}

/// Every report is JUnit's, and all tests of the application are in them.
fn reported(folder: &Path) {
    let mut names = Vec::new();
    for report in fs::read_dir(folder).expect("the reports are written") {
        let text = fs::read_to_string(report.unwrap().path()).unwrap();
        let document = roxmltree::Document::parse(&text).unwrap_or_else(|fault| panic!("{fault}: {text}"));
        for suite in document.descendants().filter(|node| node.has_tag_name("testsuite")) {
            assert_eq!(suite.attribute("failures"), Some("0"));
            assert_eq!(suite.attribute("errors"), Some("0"));
            let cases = suite.children().filter(|node| node.has_tag_name("testcase"));
            names.extend(cases.map(|case| case.attribute("classname").unwrap().to_owned()));
        }
    }
    for module in ["app::tests", "comment::tests"] {
        assert!(names.iter().any(|name| name == module), "{names:?}");
    }
}

#[test]
fn a_test_user_signs_in_with_the_token_of_the_environments_pool() {
    let Some(place) = Place::new("the token of a test user") else {
        return;
    };
    let emitted = emission::emit(&rehearsed(), &["pr-17"]);
    let application = emitted
        .iter()
        .find(|emission| emission.template["Outputs"].get("UserPoolClientId").is_some())
        .expect("a stack has the pool");
    // The stack without what needs the functions' code: the pool, its client, and what they refer to.
    let mut template = application.template.clone();
    template["Parameters"] = json!({});
    template["Resources"]
        .as_object_mut()
        .unwrap()
        .retain(|_, resource| resource["Type"].as_str().unwrap().starts_with("AWS::Cognito::"));
    template["Outputs"]
        .as_object_mut()
        .unwrap()
        .retain(|name, _| name.starts_with("UserPool"));
    let file = place.folder.join("pool.json");
    fs::write(&file, template.to_string()).unwrap();
    let name = &application.stack.name;
    let script = format!(
        "set -euo pipefail
        aws cloudformation create-stack --stack-name {name} --template-body file://pool.json > /dev/null
        aws cloudformation wait stack-create-complete --stack-name {name}
        aws cloudformation describe-stacks --stack-name {name} --query 'Stacks[0].Outputs' --output json
        echo ---
        bash testing/dynamodb/token.sh pr-17 ada@example.com"
    );
    let output = place
        .bash("tester")
        .args(["-c", &script])
        .output()
        .expect("bash starts");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );

    let (outputs, token) = text.split_once("---").unwrap();
    let outputs: Vec<Value> = serde_json::from_str(outputs).unwrap();
    let output = |key: &str| {
        let found = outputs.iter().find(|output| output["OutputKey"] == key);
        found.expect(key)["OutputValue"].clone()
    };
    let claims = token.trim().split('.').nth(1).expect("a token has three parts");
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    assert_eq!(claims["token_use"], "id", "{claims}");
    assert_eq!(claims["aud"], output("UserPoolClientId"), "{claims}");
    let pool = output("UserPoolId");
    assert!(
        claims["iss"].as_str().unwrap().ends_with(pool.as_str().unwrap()),
        "{claims}"
    );
    // The password stands in no argument: the calls are the only place that it is in.
    let calls = place.cloud.calls("tester");
    assert!(calls.iter().any(|call| call.operation == "AdminSetUserPassword"));
}
