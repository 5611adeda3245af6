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
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use codepipeline_local::{BuildInput, BuildRequest, BuildResult, BuildStatus, Builder, ShellBuilder};
use http::Method;
use serde_json::{Value, json};
use stacks::Project;
use testing::aws::{Cloud, REGION};
use testing::emission::{self, Emission};
use testing::or_skip;
use testing::toolbox::{self, Toolbox, Turn};
use testing::tools;

fn rehearsed() -> Project {
    Project::from_yaml(include_str!("../rehearsal/project.yaml")).expect("it is a configuration")
}

/// The properties of the emitted build project of the unit tests, with intrinsic functions resolved as far as a build sees them.
fn unit_test(emitted: &[Emission]) -> Value {
    let stacks = emitted.iter().filter(|emission| emission.owner == "shared");
    let mut projects = stacks
        .flat_map(Emission::resources)
        .filter(|resource| resource.kind == "AWS::CodeBuild::Project");
    let mut properties = projects.next().expect("a shared stack has a build").properties.clone();
    assert!(projects.next().is_none(), "the unit tests are the only shared build");
    properties["ServiceRole"] = "arn:aws:iam::123456789012:role/build".into();
    properties["LogsConfig"]["CloudWatchLogs"]["GroupName"] = "/aws/codebuild/unit-test".into();
    properties
}

/// The artifacts bucket of a test's account: a name belongs to one account of all.
fn bucket(cloud: &Cloud) -> String {
    format!("thebestest-artifacts-{}-{REGION}", cloud.account())
}

/// The variables that the emitted pipeline's action gives the build.
fn given(emitted: &[Emission], bucket: &str) -> Vec<(String, String)> {
    let stacks = emitted.iter().filter(|emission| emission.owner == "shared");
    let mut resources = stacks.flat_map(Emission::resources);
    let pipeline = resources.find(|resource| resource.kind == "AWS::CodePipeline::Pipeline");
    let pipeline = pipeline.expect("the unit tests have a pipeline").properties;
    let settings = &pipeline["Stages"][1]["Actions"][0]["Configuration"]["EnvironmentVariables"];
    let text = settings["Fn::Sub"][0].as_str().expect("a text with the bucket in it");
    let text = text
        .replace("${Value1}", bucket)
        .replace("${AWS::Region}", REGION)
        .replace("${AWS::URLSuffix}", "amazonaws.com")
        .replace("#{variables.ENVIRONMENT}", "stage");
    let variables: Vec<BTreeMap<String, String>> = serde_json::from_str(&text).expect("it is JSON");
    let pair = |variable: &BTreeMap<String, String>| (variable["name"].clone(), variable["value"].clone());
    variables.iter().map(pair).collect()
}

/// What builds of this repository need around them.
struct Place {
    toolbox: Toolbox,
    cloud: Cloud,
    sources: Arc<Vec<u8>>,
}

/// The archive of this repository, packed once.
fn sources(what: &str) -> Option<Arc<Vec<u8>>> {
    static PACKED: Mutex<Option<Arc<Vec<u8>>>> = Mutex::new(None);
    let mut packed = PACKED.lock().unwrap();
    if packed.is_none() {
        *packed = or_skip(what, toolbox::repository()).map(Arc::new);
    }
    packed.clone()
}

impl Place {
    fn new(what: &str) -> Option<Self> {
        let cloud = or_skip(what, Cloud::start())?;
        let place = format!(
            "<CreateBucketConfiguration><LocationConstraint>{REGION}</LocationConstraint></CreateBucketConfiguration>"
        );
        let made = cloud
            .observer()
            .rest("s3", Method::PUT, &format!("/{}", bucket(&cloud)), place.into());
        made.expect("the artifacts bucket is made");
        Some(Self {
            toolbox: or_skip(what, Toolbox::install())?,
            cloud,
            sources: sources(what)?,
        })
    }

    /// Runs a build to its end, whose calls to AWS are `caller`'s; `heard` is told each line of its log.
    fn build(&self, caller: &str, properties: &Value, heard: impl Fn(&str) + Send + Sync + 'static) -> BuildResult {
        let root = tools::folder().unwrap().join("unit-test-builds");
        fs::create_dir_all(&root).unwrap();
        let mut variables = self.cloud.variables(caller);
        variables.insert("AWS_SDK_UA_APP_ID".to_owned(), caller.to_owned());
        let builder = ShellBuilder::new(root).toolbox(self.toolbox.tools(variables));
        let mut running = builder.start(self.request(properties, heard));
        loop {
            if let Some(result) = running.poll(SystemTime::now()).result {
                return result;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// As the emitted pipeline asks for it.
    fn request(&self, properties: &Value, heard: impl Fn(&str) + Send + Sync + 'static) -> BuildRequest {
        let project =
            codepipeline_local::Project::from_resource(properties).unwrap_or_else(|faults| panic!("{faults}"));
        let id = format!("{}:11111111-1111-4111-8111-111111111111", project.name);
        BuildRequest {
            arn: format!("arn:aws:codebuild:{REGION}:123456789012:build/{id}"),
            id,
            number: 1,
            project: Arc::new(project),
            initiator: "codepipeline/thebestest-unit-test".to_owned(),
            region: REGION.to_owned(),
            execution: "execution".to_owned(),
            action: "UnitTest".to_owned(),
            variables: given(&emission::emit(&rehearsed(), &["stage"]), &bucket(&self.cloud)),
            inputs: vec![BuildInput {
                name: "Source".to_owned(),
                archive: Arc::clone(&self.sources),
                location: "artifacts/thebestest-unit-te/Source/abcdefg.zip".to_owned(),
                revision: None,
            }],
            outputs: Vec::new(),
            timeout: Duration::from_secs(600),
            log: Arc::new(heard),
        }
    }
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
    const WHAT: &str = "the unit-test build";
    let Some(place) = Place::new(WHAT) else { return };
    let Some(turn) = or_skip(WHAT, Turn::wait()) else {
        return;
    };
    let emitted = emission::emit(&rehearsed(), &["stage"]);
    let found: Arc<Mutex<Option<[Value; 2]>>> = Arc::default();
    let log: Arc<Mutex<Vec<String>>> = Arc::default();
    let (seen, lines) = (Arc::clone(&found), Arc::clone(&log));
    let result = place.build("unit-test", &unit_test(&emitted), move |line| {
        lines.lock().unwrap().push(line.to_owned());
        // The database lives as long as the build, so it is asked while the build goes on.
        if let Some(said) = line.strip_prefix("load.sh: ") {
            let name = said.split(' ').next().unwrap();
            let table = dynamodb("DescribeTable", &json!({ "TableName": name }));
            let items = dynamodb("Scan", &json!({ "TableName": name }));
            *seen.lock().unwrap() = Some([table["Table"].clone(), items["Items"].clone()]);
        }
    });
    let log = log.lock().unwrap().join("\n");
    assert_eq!(result.status, BuildStatus::Succeeded, "{log}");

    let [table, items] = found.lock().unwrap().take().expect("load.sh says that it is done");
    loaded(&emitted, &table, &items);
    let [report] = result.reports.as_slice() else {
        panic!("one report is declared: {:?}", result.reports)
    };
    assert_eq!(report.name, "unit-tests");
    assert!(report.total() > 10, "the application's tests are in it: {report:?}");
    assert_eq!(report.succeeded, report.total(), "{report:?}");
    validated(&place.cloud, &emitted);
    // The next one could begin: the database has ended with the build.
    drop(turn);
    drop(or_skip("the next build", Turn::wait()));
}

/// The emitted template was validated, and nothing else was asked of AWS.
fn validated(cloud: &Cloud, emitted: &[Emission]) {
    let mut calls = cloud.all_calls();
    calls.retain(|call| call.caller != "observer");
    let [upload, call] = calls.as_slice() else {
        panic!("two calls, not {calls:?}")
    };
    assert_eq!(
        (upload.caller.as_str(), call.caller.as_str()),
        ("unit-test", "unit-test")
    );
    assert_eq!((upload.operation.as_str(), upload.status), ("PutObject", Some(200)));
    assert_eq!((call.operation.as_str(), call.status), ("ValidateTemplate", Some(200)));
    let template = template(cloud, call.parameters["TemplateURL"].as_str().expect("a URL"));
    let application = emitted
        .iter()
        .find(|emission| emission.template["Outputs"].get("UserPoolId").is_some())
        .expect("the application is emitted");
    assert_eq!(serde_json::from_str::<Value>(&template).unwrap(), application.template);
}

/// The template at a URL of the form that CloudFormation reads.
fn template(cloud: &Cloud, url: &str) -> String {
    let bucket = bucket(cloud);
    let key = url.strip_prefix(&format!("https://{bucket}.s3.{REGION}.amazonaws.com/"));
    let key = key.unwrap_or_else(|| panic!("{url} is not in the bucket"));
    assert!(
        key.starts_with("thebestest-unit-test/"),
        "{key} is where the build's role may write"
    );
    let object = cloud
        .observer()
        .rest("s3", Method::GET, &format!("/{bucket}/{key}"), Bytes::new());
    String::from_utf8(object.expect("it is there").body().to_vec()).unwrap()
}

/// A project whose tests are none, and whose template has a topic with this property and is larger than a request takes.
fn with_a_large_template(property: &str) -> Project {
    let mut project = rehearsed();
    project.unit_test.build.clear();
    project.unit_test.prepare.clear();
    project.unit_test.local_dynamodb = false;
    project.unit_test.commands = vec!["mkdir -p target/nextest/ci".to_owned()];
    project.build.install = vec!["mkdir -p out".to_owned()];
    let name = "x".repeat(200);
    let script = format!(
        "(printf '{{\"Resources\":{{'; for n in $(seq 1 250); do printf '\"T%s\":{{\"Type\":\"AWS::SNS::Topic\",\"Properties\":{{{property}:\"{name}\"}}}},' $n; done; printf '\"Last\":{{\"Type\":\"AWS::SNS::Topic\"}}}}}}') > out/app.json"
    );
    project.application.synthesize = vec![script];
    project
}

#[test]
fn a_template_that_no_request_takes_is_validated_where_it_was_uploaded() {
    const WHAT: &str = "the validation of a large template";
    let Some(place) = Place::new(WHAT) else { return };
    for (property, status) in [
        ("\"DisplayName\"", BuildStatus::Succeeded),
        (
            "\"DisplayName\":{\"Ref\":\"Nobody\"},\"TopicName\"",
            BuildStatus::Failed,
        ),
    ] {
        let emitted = emission::emit(&with_a_large_template(property), &["stage"]);
        let log: Arc<Mutex<Vec<String>>> = Arc::default();
        let lines = Arc::clone(&log);
        let result = place.build("unit-test", &unit_test(&emitted), move |line| {
            lines.lock().unwrap().push(line.to_owned());
        });
        assert_eq!(result.status, status, "{}", log.lock().unwrap().join("\n"));
        let calls = place.cloud.calls("unit-test");
        let call = calls.last().expect("it asks for the validation");
        assert_eq!(call.operation, "ValidateTemplate");
        let text = template(&place.cloud, call.parameters["TemplateURL"].as_str().expect("a URL"));
        assert!(text.len() > 51_200, "{} bytes", text.len());
        let inline = [("TemplateBody", text.as_str())];
        let refused = place
            .cloud
            .observer()
            .query("cloudformation", "ValidateTemplate", &inline);
        let words = refused.expect_err("a request takes no such template").to_string();
        assert!(words.contains("51200") || status == BuildStatus::Failed, "{words}");
    }
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
    let of = |template: &mut Value, part: &str, keep: fn(&str, &Value) -> bool| {
        let part = template[part].as_object_mut().expect("a part of the template");
        part.retain(|name, value| keep(name, value));
    };
    of(&mut template, "Resources", |_, resource| {
        resource["Type"]
            .as_str()
            .is_some_and(|kind| kind.starts_with("AWS::Cognito::"))
    });
    of(&mut template, "Outputs", |name, _| name.starts_with("UserPool"));
    let name = &application.stack.name;
    let commands = [
        format!("cat > pool.json <<'END'\n{template}\nEND"),
        format!("aws cloudformation create-stack --stack-name {name} --template-body file://pool.json > /dev/null"),
        format!("aws cloudformation wait stack-create-complete --stack-name {name}"),
        format!("aws cloudformation describe-stacks --stack-name {name} --output json | jq -c '.Stacks[0].Outputs'"),
        "bash testing/dynamodb/token.sh pr-17 ada@example.com".to_owned(),
    ];
    let mut properties = unit_test(&emitted);
    let spec = json!({ "version": 0.2, "phases": { "build": { "commands": commands } } });
    properties["Name"] = "token".into();
    properties["Source"]["BuildSpec"] = spec.to_string().into();
    let log: Arc<Mutex<Vec<String>>> = Arc::default();
    let lines = Arc::clone(&log);
    let result = place.build("tester", &properties, move |line| {
        lines.lock().unwrap().push(line.to_owned());
    });
    let log = log.lock().unwrap();
    assert_eq!(result.status, BuildStatus::Succeeded, "{}", log.join("\n"));

    let own = |line: &&String| !line.starts_with("[Container]");
    let outputs = log.iter().filter(own).find(|line| line.starts_with("[{"));
    let outputs: Vec<Value> = serde_json::from_str(outputs.expect("the outputs")).unwrap();
    let output = |key: &str| {
        let found = outputs.iter().find(|output| output["OutputKey"] == key);
        found.expect(key)["OutputValue"].as_str().unwrap().to_owned()
    };
    let token = log.iter().rfind(own).expect("a token");
    let claims = token.trim().split('.').nth(1).expect("a token has three parts");
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    assert_eq!(claims["token_use"], "id", "{claims}");
    assert_eq!(claims["aud"], output("UserPoolClientId"), "{claims}");
    assert!(
        claims["iss"].as_str().unwrap().ends_with(&output("UserPoolId")),
        "{claims}"
    );
    assert_eq!(claims["email"], "ada@example.com", "{claims}");
}
