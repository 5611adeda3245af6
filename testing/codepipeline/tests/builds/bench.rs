//! Starts one build and waits for its end.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, SystemTime},
};

use codepipeline_local::{
    BuildInput, BuildRequest, BuildResult, Builder, Phase, Project, RunningBuild, ShellBuilder, archive,
};
use serde_json::json;
use tempfile::TempDir;

/// A builder in a folder of its own, and a request that tests change.
pub(crate) struct Bench {
    pub(crate) root: TempDir,
    pub(crate) request: BuildRequest,
    pub(crate) lines: Arc<Mutex<Vec<String>>>,
}

/// A build that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) phases: Vec<Phase>,
    pub(crate) result: BuildResult,
    /// What commands have written, without CodeBuild's own lines.
    pub(crate) output: Vec<String>,
}

impl Bench {
    /// A build of this buildspec, whose source has a file `data` and an executable `tool`.
    pub(crate) fn new(buildspec: &str) -> Self {
        let properties = json!({
            "Name": "tests",
            "ServiceRole": "arn:aws:iam::123456789012:role/build",
            "Artifacts": { "Type": "CODEPIPELINE" },
            "Environment": {
                "ComputeType": "BUILD_GENERAL1_SMALL", "Image": "aws/codebuild/standard:7.0", "Type": "LINUX_CONTAINER",
                "EnvironmentVariables": [{ "Name": "OF_PROJECT", "Value": "project" }, { "Name": "OF_BOTH", "Value": "project" }],
            },
            "Source": { "Type": "CODEPIPELINE", "BuildSpec": buildspec },
        });
        let project = Project::from_resource(&properties).unwrap_or_else(|faults| panic!("{faults}"));
        let packed = |path: &str, mode: u32, content: &str| archive::Packed {
            path: path.to_owned(),
            mode,
            content: content.as_bytes().to_vec(),
            link: false,
        };
        let source = archive::pack(vec![
            packed("data", 0o644, "hello\n"),
            packed("tool", 0o755, "#!/bin/sh\necho tool runs\n"),
        ]);
        let lines: Arc<Mutex<Vec<String>>> = Arc::default();
        let heard = Arc::clone(&lines);
        let id = "tests:11111111-1111-4111-8111-111111111111";
        Self {
            root: tempfile::tempdir().unwrap(),
            lines,
            request: BuildRequest {
                id: id.to_owned(),
                arn: format!("arn:aws:codebuild:eu-west-1:123456789012:build/{id}"),
                number: 7,
                project: Arc::new(project),
                initiator: "codepipeline/line".to_owned(),
                region: "eu-west-1".to_owned(),
                execution: "execution".to_owned(),
                action: "Test".to_owned(),
                variables: Vec::new(),
                inputs: vec![BuildInput {
                    name: "Source".to_owned(),
                    archive: Arc::new(source.unwrap()),
                    location: "artifacts/line/Source/abcdefg.zip".to_owned(),
                    revision: Some("v3".to_owned()),
                }],
                outputs: Vec::new(),
                timeout: Duration::from_secs(120),
                log: Arc::new(move |line| heard.lock().unwrap().push(line.to_owned())),
            },
        }
    }

    pub(crate) fn start(&self, builder: &ShellBuilder) -> Box<dyn RunningBuild> {
        builder.start(self.request.clone())
    }

    pub(crate) fn run(&self) -> Ended {
        self.run_with(&ShellBuilder::new(self.root.path()))
    }

    pub(crate) fn run_with(&self, builder: &ShellBuilder) -> Ended {
        self.wait(&mut *self.start(builder))
    }

    pub(crate) fn wait(&self, running: &mut dyn RunningBuild) -> Ended {
        loop {
            let progress = running.poll(SystemTime::now());
            if let Some(result) = progress.result {
                return Ended {
                    phases: progress.phases,
                    result,
                    output: self.output(),
                };
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// What commands have written so far.
    pub(crate) fn output(&self) -> Vec<String> {
        let lines = self.lines.lock().unwrap();
        let own = lines.iter().filter(|line| !line.starts_with("[Container]"));
        own.cloned().collect()
    }

    /// Waits for a line of a command.
    pub(crate) fn line_with(&self, start: &str) -> String {
        loop {
            let found = self.output().into_iter().find(|line| line.starts_with(start));
            if let Some(line) = found {
                return line[start.len()..].to_owned();
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Ended {
    /// Phases with their statuses, in words.
    pub(crate) fn story(&self) -> Vec<String> {
        let phases = self.phases.iter();
        phases
            .map(|phase| format!("{} {}", phase.kind.word(), phase.status.word()))
            .collect()
    }

    pub(crate) fn status(&self) -> &'static str {
        self.result.status.word()
    }

    /// What is said of the first phase that failed.
    pub(crate) fn context(&self) -> String {
        let contexts = self.phases.iter().flat_map(|phase| &phase.contexts);
        contexts
            .map(|(code, message)| format!("{code}: {message}"))
            .next()
            .unwrap_or_default()
    }
}

/// Whether a process runs. One that has ended and was not waited for does not.
pub(crate) fn runs(process: &str) -> bool {
    let status = fs::read_to_string(Path::new("/proc").join(process.trim()).join("stat"));
    status.is_ok_and(|stat| {
        stat.rsplit(')')
            .next()
            .is_some_and(|rest| !rest.trim_start().starts_with(['Z', 'X']))
    })
}
