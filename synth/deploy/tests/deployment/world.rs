//! An account, a repository and a configuration, and the deployer's process between them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;
use stacks::project::Processor;
use tempfile::TempDir;
use testing::aws::{Call, Cloud, Fault};
use testing::emission;
use testing::github::{GitHub, Repository};
use testing::or_skip;

/// Stands in for the functions' binary: here it only matters that it is called.
pub(crate) const BOOTSTRAP: &str = include_str!("../../../../testing/tests/cloudformation/bootstrap.py");
/// How the deployer names itself to AWS.
pub(crate) const CALLER: &str = "deploy";
pub(crate) const REPOSITORY: &str = "thebestest/thebestest";

/// Everything that a deployment is between.
pub(crate) struct World {
    pub(crate) cloud: Cloud,
    pub(crate) github: GitHub,
    /// The project's name, another one in each world: MiniStack stops a function's processes by its name, in all accounts.
    pub(crate) project: String,
    folder: TempDir,
}

/// What a process has said, and how it ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl World {
    /// An account in which everybody may do everything, and a repository without webhooks.
    pub(crate) fn new(what: &str) -> Option<Self> {
        Self::with(or_skip(what, Cloud::start())?, what)
    }

    /// The same around an account.
    pub(crate) fn with(cloud: Cloud, what: &str) -> Option<Self> {
        let github = or_skip(what, GitHub::start())?;
        github.repository(REPOSITORY);
        let folder = tempfile::tempdir().expect("a folder");
        static WORLDS: AtomicU64 = AtomicU64::new(1);
        let name = format!("best-{}", WORLDS.fetch_add(1, Ordering::Relaxed));
        let mut project = emission::project();
        name.clone_into(&mut project.project);
        let world = Self {
            cloud,
            github,
            project: name,
            folder,
        };
        world.github.api().clone_into(&mut project.github_api);
        world.write("project.yaml", &serde_json::to_string(&project).expect("JSON is YAML"));
        world.write("token", &format!("{}\n", world.github.token()));
        world.write("bootstrap", BOOTSTRAP);
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(world.path("bootstrap"), executable).expect("it may be run");
        Some(world)
    }

    /// The shared stacks, in the order of deployment.
    pub(crate) fn shared(&self) -> [String; 3] {
        ["artifacts", "unit-test", "pipeline-manager"].map(|stack| format!("{}-{stack}", self.project))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("it is written");
    }

    pub(crate) fn repository(&self) -> Repository {
        self.github.repository(REPOSITORY)
    }

    /// `deploy up --yes` with the stand-in and the token, and more arguments.
    pub(crate) fn up(&self, more: &[&str]) -> Outcome {
        Outcome::of(self.begin_up(more))
    }

    /// The same, left running.
    pub(crate) fn begin_up(&self, more: &[&str]) -> Child {
        let token = self.path("token");
        let mut arguments = vec!["up", "--yes"];
        if !more.contains(&"--credentials") && !more.contains(&NO_CREDENTIALS) {
            arguments.extend(["--credentials", text(&token)]);
        }
        arguments.extend(more.iter().filter(|argument| **argument != NO_CREDENTIALS));
        self.begin(&arguments)
    }

    /// The deployer with these arguments and the configuration.
    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        Outcome::of(self.begin(arguments))
    }

    fn begin(&self, arguments: &[&str]) -> Child {
        self.begin_with(arguments, Stdio::null())
    }

    /// The deployer with the configuration and the stand-in, reading this.
    pub(crate) fn begin_with(&self, arguments: &[&str], input: Stdio) -> Child {
        let mut command = self.command(Command::new(env!("CARGO_BIN_EXE_deploy")), arguments);
        if arguments.first() == Some(&"up") {
            command.args(["--bootstrap", text(&self.path("bootstrap"))]);
        }
        command.stdin(input).spawn().expect("it starts")
    }

    /// A command with these arguments and the configuration, in the world's folder and with its credentials.
    pub(crate) fn command(&self, mut command: Command, arguments: &[&str]) -> Command {
        command
            .args(arguments)
            .args(["--config", text(&self.path("project.yaml"))])
            .env_clear()
            .envs(self.cloud.variables(CALLER))
            .env("HOME", self.folder.path())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Has the functions run on this machine's processor, or on another.
    pub(crate) fn run_functions(&self, here: bool) {
        let is_arm = std::env::consts::ARCH == "aarch64";
        self.configure(|project| {
            let (processor, image) = if is_arm == here {
                (Processor::Arm64, "aws/codebuild/amazonlinux-aarch64-standard:3.0")
            } else {
                (Processor::X86_64, "aws/codebuild/amazonlinux-x86_64-standard:5.0")
            };
            project.build.processor = processor;
            image.clone_into(&mut project.build.image);
        });
    }

    /// Changes the configuration.
    pub(crate) fn configure(&self, change: impl FnOnce(&mut stacks::Project)) {
        let text = fs::read_to_string(self.path("project.yaml")).expect("it is there");
        let mut project = stacks::Project::from_yaml(&text).expect("it is right");
        change(&mut project);
        self.write("project.yaml", &serde_json::to_string(&project).expect("JSON is YAML"));
    }

    /// The calls that the deployer has made, without those of before.
    pub(crate) fn calls_since(&self, before: usize) -> Vec<Call> {
        self.cloud.calls(CALLER).split_off(before)
    }

    /// The status of a stack; none if there is none.
    pub(crate) fn status(&self, stack: &str) -> Option<String> {
        self.described(stack, "StackStatus")
    }

    /// A part of what CloudFormation says of a stack.
    pub(crate) fn described(&self, stack: &str, part: &str) -> Option<String> {
        let client = self.cloud.client("test");
        let text = client
            .query("cloudformation", "DescribeStacks", &[("StackName", stack)])
            .ok()?;
        between(&text, &format!("<{part}>"), &format!("</{part}>"))
    }

    /// CloudFormation's answer that a stack, which there is, has another status: one that MiniStack's never come to.
    pub(crate) fn answer_of(&self, stack: &str, status: &str) -> Fault {
        let id = self.described(stack, "StackId").expect("it is there");
        let body = format!(
            "<DescribeStacksResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><DescribeStacksResult><Stacks><member>\
             <StackId>{id}</StackId><StackName>{stack}</StackName><CreationTime>2026-01-01T00:00:00Z</CreationTime>\
             <StackStatus>{status}</StackStatus><Tags><member><Key>{}</Key><Value>{}</Value></member></Tags></member></Stacks>\
             </DescribeStacksResult></DescribeStacksResponse>",
            stacks::PROJECT_TAG,
            self.project
        );
        Fault::Answer { status: 200, body }
    }

    /// The template of a stack.
    pub(crate) fn template(&self, stack: &str) -> Value {
        let client = self.cloud.client("test");
        let answer = client
            .query("cloudformation", "GetTemplate", &[("StackName", stack)])
            .expect("the stack is there");
        let document = roxmltree::Document::parse(&answer).expect("it is XML");
        let body = document.descendants().find(|node| node.has_tag_name("TemplateBody"));
        let body = body.or_else(|| {
            document
                .descendants()
                .find(|node| node.tag_name().name() == "TemplateBody")
        });
        let text = body.and_then(|node| node.text()).expect("it has a template");
        serde_json::from_str(text).expect("it is JSON")
    }

    /// Somebody changes a stack behind the deployer's back.
    pub(crate) fn change(&self, stack: &str, change: impl FnOnce(&mut Value)) {
        let mut template = self.template(stack);
        change(&mut template);
        let client = self.cloud.client("test");
        let path = format!("/{}/changed.json", self.bucket());
        client
            .rest("s3", http::Method::PUT, &path, template.to_string().into())
            .expect("S3 takes it");
        let url = format!("{}{path}", self.cloud.endpoint());
        let parameters = [
            ("StackName", stack),
            ("TemplateURL", url.as_str()),
            ("Capabilities.member.1", "CAPABILITY_NAMED_IAM"),
            ("Parameters.member.1.ParameterKey", "CodeBucket"),
            ("Parameters.member.1.UsePreviousValue", "true"),
            ("Parameters.member.2.ParameterKey", "CodeKey"),
            ("Parameters.member.2.UsePreviousValue", "true"),
        ];
        client
            .query("cloudformation", "UpdateStack", &parameters)
            .expect("it is changed");
        self.settled(stack);
    }

    /// Somebody creates a stack.
    pub(crate) fn create(&self, stack: &str, template: &Value) {
        let client = self.cloud.client("test");
        let parameters = [("StackName", stack), ("TemplateBody", &template.to_string())];
        client
            .query("cloudformation", "CreateStack", &parameters)
            .expect("it is made");
        self.settled(stack);
    }

    /// The physical id of a stack's resource; none if it has none of that logical id.
    pub(crate) fn resource(&self, stack: &str, logical_id: &str) -> Option<String> {
        let client = self.cloud.client("test");
        let parameters = [("StackName", stack), ("LogicalResourceId", logical_id)];
        let text = client
            .query("cloudformation", "DescribeStackResource", &parameters)
            .ok()?;
        between(&text, "<PhysicalResourceId>", "</PhysicalResourceId>")
    }

    /// Somebody deletes a stack.
    pub(crate) fn delete(&self, stack: &str) {
        let id = self.described(stack, "StackId").expect("it is there");
        let client = self.cloud.client("test");
        client
            .query("cloudformation", "DeleteStack", &[("StackName", stack)])
            .expect("it is deleted");
        self.settled(&id);
    }

    /// Somebody deletes the secrets that a deleted stack has left.
    pub(crate) fn delete_kept(&self) {
        let client = self.cloud.client("test");
        for secret in ["webhook-secret", "github-credentials"] {
            let named = serde_json::json!({"SecretId": format!("{}-{secret}", self.project), "ForceDeleteWithoutRecovery": true});
            client
                .json("secretsmanager", "secretsmanager.DeleteSecret", &named)
                .expect("it was kept");
        }
    }

    pub(crate) fn settled(&self, stack: &str) {
        let begun = std::time::Instant::now();
        while self
            .status(stack)
            .is_some_and(|status| status.ends_with("_IN_PROGRESS"))
        {
            assert!(begun.elapsed().as_secs() < 120, "{stack} never comes to rest");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    /// The address that the shared stacks give to GitHub.
    pub(crate) fn webhook_url(&self) -> String {
        let client = self.cloud.client("test");
        let text = client
            .query(
                "cloudformation",
                "DescribeStacks",
                &[("StackName", self.shared()[2].as_str())],
            )
            .expect("the stack is there");
        let at = text
            .find("<OutputKey>WebhookUrl</OutputKey>")
            .expect("it has the output");
        between(&text[at..], "<OutputValue>", "</OutputValue>").expect("it has a value")
    }

    /// Fails unless all is as `up` leaves it: all shared stacks complete, one webhook, at the API, pinged and answered.
    pub(crate) fn assert_complete(&self, how: &str) {
        for stack in self.shared() {
            let status = self.status(&stack).unwrap_or_default();
            assert!(
                ["CREATE_COMPLETE", "UPDATE_COMPLETE"].contains(&status.as_str()),
                "{how}: {stack} is {status:?}"
            );
        }
        let hooks = self.repository().hooks();
        let [hook] = hooks.as_slice() else {
            panic!("{how}: there are {} webhooks: {hooks:?}", hooks.len())
        };
        assert_eq!(hook.url, self.webhook_url(), "{how}");
        assert_eq!(
            (
                hook.active,
                hook.events.as_slice(),
                hook.content_type.as_str(),
                hook.insecure_ssl.as_str()
            ),
            (true, ["pull_request".to_owned()].as_slice(), "json", "0"),
            "{how}"
        );
        assert!(hook.secret.as_ref().is_some_and(|secret| secret.len() >= 32), "{how}");
        let pinged = |delivery: &testing::github::Delivery| delivery.event == "ping" && delivery.status == Some(202);
        assert!(hook.deliveries.iter().any(pinged), "{how}: {:?}", hook.deliveries);
    }

    /// The keys of the artifacts bucket's objects under a prefix.
    pub(crate) fn objects(&self, prefix: &str) -> Vec<String> {
        let client = self.cloud.client("test");
        let path = format!("/{}?list-type=2&prefix={}", self.bucket(), prefix.replace('/', "%2F"));
        let answer = client
            .rest("s3", http::Method::GET, &path, bytes::Bytes::new())
            .expect("the bucket is there");
        let text = String::from_utf8_lossy(answer.body()).into_owned();
        let keys = text.split("<Key>").skip(1);
        keys.filter_map(|key| Some(key.split_once("</Key>")?.0.to_owned()))
            .collect()
    }

    /// How many stacks there are that were not deleted.
    pub(crate) fn stacks(&self) -> usize {
        let client = self.cloud.client("test");
        let text = client
            .query("cloudformation", "DescribeStacks", &[])
            .expect("they are listed");
        text.matches("<StackStatus>").count() - text.matches("<StackStatus>DELETE_COMPLETE").count()
    }

    fn bucket(&self) -> String {
        format!("{}-artifacts-{}-eu-west-1", self.project, self.cloud.account())
    }

    /// The state that the last run has left.
    pub(crate) fn memory(&self) -> Value {
        let bucket = self.bucket();
        let client = self.cloud.client("test");
        let text = client
            .rest(
                "s3",
                http::Method::GET,
                &format!("/{bucket}/deploy/state.json"),
                bytes::Bytes::new(),
            )
            .expect("a run has left it");
        serde_json::from_slice(text.body()).expect("it is JSON")
    }
}

/// Stands among the arguments where no credentials are to be given.
pub(crate) const NO_CREDENTIALS: &str = "no credentials";

impl Outcome {
    pub(crate) fn of(process: Child) -> Self {
        let output = process.wait_with_output().expect("it ends");
        Self {
            status: output.status,
            stdout: String::from_utf8(output.stdout).expect("it writes UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("it writes UTF-8"),
        }
    }

    /// Fails unless the process has done what it was asked.
    pub(crate) fn succeeds(self) -> Self {
        assert!(self.status.success(), "{self}");
        self
    }

    /// Fails unless the process has ended with this code.
    pub(crate) fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.status.code(), Some(code), "{self}");
        self
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}\n{}\n{}", self.status, self.stdout, self.stderr)
    }
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("its name is text")
}

fn between(text: &str, from: &str, to: &str) -> Option<String> {
    let start = text.find(from)? + from.len();
    let end = text[start..].find(to)? + start;
    Some(text[start..end].to_owned())
}
