//! What builds do instead of building: tests that pass or fail, and packages of a small application that tells its commit.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use codepipeline_local::{BuildRequest, BuildStatus, Builder, Engine, PhaseKind, Script, ScriptedBuilder, archive};
use serde_json::{Value, json};

/// How long tests take.
const TESTS: Duration = Duration::from_secs(25);
/// How long the tests of others take.
const OTHERS_TESTS: Duration = Duration::from_secs(600);
/// The environment of pull requests that only take builds away.
pub(crate) const OTHERS: &str = "pr-4711";
/// How long packaging takes.
const PACKAGING: Duration = Duration::from_secs(45);
/// The file of the zipball that holds the commit's SHA.
pub(crate) const COMMIT: &str = "COMMIT";

/// How a build goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Goes {
    /// To its end.
    #[default]
    Well,
    /// It fails.
    Badly,
    /// It never ends by itself.
    Nowhere,
    /// It ends at once: with this status, in this phase, for this reason.
    Ends(BuildStatus, PhaseKind, &'static str, &'static str),
}

/// What the applications' template is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Application {
    /// A log group.
    #[default]
    Small,
    /// The same with a bucket that keeps versions.
    WithBucket,
    /// One that CloudFormation cannot create.
    Broken,
    /// The same with an API.
    WithApi,
    /// The same with two custom resources, one after the other, whose function never answers these requests.
    Never(&'static [&'static str]),
}

/// How builds go from now on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    pub(crate) tests: Goes,
    pub(crate) packaging: Goes,
    pub(crate) application: Application,
}

/// The plan, to be changed while pipelines run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Builds {
    plan: Arc<Mutex<Plan>>,
    /// How many others are still to test, and what starts them.
    others: Arc<Mutex<(usize, Value)>>,
}

impl Builds {
    pub(crate) fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets so many others test, each as soon as it may.
    pub(crate) fn others(&self, count: usize, start: Value) {
        *self.others.lock().unwrap_or_else(PoisonError::into_inner) = (count, start);
    }

    /// Starts of the others as many as CodePipeline takes.
    pub(crate) fn press(&self, engine: &Engine) {
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        while others.0 > 0 && engine.answer("StartPipelineExecution", &others.1).is_ok() {
            others.0 -= 1;
        }
    }

    pub(crate) fn builder(&self) -> Arc<dyn Builder> {
        let builds = self.clone();
        Arc::new(ScriptedBuilder::new(move |request: &BuildRequest| {
            let plan = builds.plan().clone();
            let others = request.variables.iter().any(|(_, value)| value == OTHERS);
            if others {
                Script::succeeds().after(OTHERS_TESTS)
            } else if request.project.name.ends_with("-unit-test") {
                tests(plan.tests)
            } else {
                packaging(&plan, request)
            }
        }))
    }
}

fn tests(goes: Goes) -> Script {
    match goes {
        Goes::Well => Script::succeeds().after(TESTS),
        Goes::Badly => Script::fails("cargo nextest run", 100).after(TESTS),
        Goes::Nowhere => Script::hangs(),
        Goes::Ends(status, phase, code, words) => Script::succeeds().ending(status, phase, code, words),
    }
}

fn packaging(plan: &Plan, request: &BuildRequest) -> Script {
    match plan.packaging {
        Goes::Well => {}
        Goes::Badly => return Script::fails("cargo bootstrap", 101).after(PACKAGING),
        Goes::Nowhere => return Script::hangs(),
        Goes::Ends(status, phase, code, words) => return Script::succeeds().ending(status, phase, code, words),
    }
    let source = &request.inputs.first().expect("it is given the source").archive;
    let commit = archive::file(source, COMMIT).expect("the commit is at the root of the source");
    let commit = String::from_utf8(commit).expect("a SHA is text");
    let variable = |name: &str| {
        let found = request.variables.iter().find(|(given, _)| given == name);
        &found.unwrap_or_else(|| panic!("the action gives {name}")).1
    };
    let environment = variable("ENVIRONMENT");
    let key = format!("{}{commit}.zip", variable("CODE_PREFIX"));
    let application = application(plan.application, environment, &commit).to_string();
    let tags = json!({ "pipeline:project": "thebestest", "pipeline:environment": environment });
    let configuration = json!({ "Tags": tags }).to_string();
    let packaged = archive::of_files([
        ("out/app.json", application.as_bytes()),
        ("stack-configuration.json", configuration.as_bytes()),
    ]);
    let packaged = packaged.expect("the names differ");
    Script::succeeds()
        .after(PACKAGING)
        .artifact("Packaged", packaged)
        .export("CODE_KEY", &key)
}

/// Custom resources with the role of their function, which is the pull request's own code.
fn never(resources: &mut Value, environment: &str, commit: &str, requests: &[&str]) {
    let name = format!("thebestest-{environment}-seed");
    let trust = json!({ "Version": "2012-10-17", "Statement": [] });
    let boundary = format!("arn:aws:iam::${{AWS::AccountId}}:policy/thebestest-{environment}-boundary");
    let boundary = json!({ "Fn::Sub": boundary });
    let role = json!({ "RoleName": name, "AssumeRolePolicyDocument": trust, "PermissionsBoundary": boundary });
    resources["SeedRole"] = json!({ "Type": "AWS::IAM::Role", "Properties": role });
    let properties = json!({
        "ServiceToken": { "Fn::Sub": format!("arn:aws:lambda:${{AWS::Region}}:${{AWS::AccountId}}:function:{name}") },
        "ServiceTimeout": 300,
        "Commit": commit,
        "Puppet": { "Never": requests },
    });
    for (id, after) in [("Seed", "SeedRole"), ("Index", "Seed")] {
        resources[id] = json!({ "Type": "Custom::Seed", "Properties": properties, "DependsOn": after });
    }
}

/// The application's template: small, since CloudFormation makes it some hundred times.
fn application(application: Application, environment: &str, commit: &str) -> Value {
    let tags = json!([{ "Key": "pipeline:environment", "Value": environment }, { "Key": "commit", "Value": commit }]);
    let logs = json!({ "LogGroupName": format!("/aws/lambda/thebestest-{environment}-small"), "Tags": tags });
    let mut resources = json!({ "Small": { "Type": "AWS::Logs::LogGroup", "Properties": logs } });
    match application {
        Application::Small => {}
        Application::WithBucket => {
            let name = json!({ "Fn::Sub": format!("thebestest-{environment}-${{AWS::AccountId}}-files") });
            let bucket = json!({ "BucketName": name, "VersioningConfiguration": { "Status": "Enabled" } });
            resources["Files"] = json!({ "Type": "AWS::S3::Bucket", "Properties": bucket });
        }
        Application::WithApi => {
            let api = json!({ "Name": format!("thebestest-{environment}-api"), "Tags": tags });
            resources["Api"] = json!({ "Type": "AWS::ApiGateway::RestApi", "Properties": api });
        }
        Application::Never(requests) => never(&mut resources, environment, commit, requests),
        Application::Broken => {
            resources["Broken"] =
                json!({ "Type": "AWS::SNS::Topic", "Properties": { "Unknown": "property" }, "DependsOn": "Small" });
        }
    }
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Parameters": { "CodeBucket": { "Type": "String" }, "CodeKey": { "Type": "String" } },
        "Resources": resources,
        "Outputs": {
            "Commit": { "Value": commit },
            "Code": { "Value": { "Ref": "CodeKey" } },
            "Url": { "Value": format!("https://{environment}.example.com/") },
        },
    })
}
