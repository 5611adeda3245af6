//! Who drives the engine, and who may ask it meanwhile.

use std::sync::{Arc, Mutex, OnceLock};

use codepipeline_local::memory::{MemoryObjects, MemoryStacks};
use codepipeline_local::{
    CallError, Engine, Object, Objects, Script, ScriptedBuilder, Settings, Surroundings, SystemClock,
};
use serde_json::json;

use crate::world::{BUCKET, World, pipeline, project, test};

/// S3 behind a server that asks the engine before it answers, as one does that serves both.
#[derive(Default)]
struct Asking {
    objects: MemoryObjects,
    engine: OnceLock<Engine>,
    seen: Mutex<Vec<String>>,
}

impl Asking {
    fn ask(&self) {
        let engine = self.engine.get().unwrap();
        let shown = engine
            .answer("ListPipelineExecutions", &json!({ "pipelineName": "line" }))
            .unwrap();
        let status = &shown["pipelineExecutionSummaries"][0]["status"];
        self.seen.lock().unwrap().push(status.as_str().unwrap().to_owned());
    }
}

impl Objects for Asking {
    fn get(&self, role: &str, bucket: &str, key: &str, version: Option<&str>) -> Result<Object, CallError> {
        self.ask();
        self.objects.get(role, bucket, key, version)
    }

    fn put(&self, role: &str, bucket: &str, key: &str, body: &[u8]) -> Result<Option<String>, CallError> {
        self.ask();
        self.objects.put(role, bucket, key, body)
    }
}

#[test]
fn whoever_is_called_may_ask_the_engine_before_it_answers() {
    let asking = Arc::new(Asking::default());
    let surroundings = Surroundings {
        objects: Arc::<Asking>::clone(&asking),
        stacks: Arc::new(MemoryStacks::default()),
        builder: Arc::new(ScriptedBuilder::new(|_| Script::succeeds())),
        clock: Arc::new(SystemClock),
        listener: Arc::new(|_| {}),
    };
    let settings = Settings {
        start_on_create: false,
        ..Settings::default()
    };
    let engine = Engine::new(settings, surroundings);
    assert!(asking.engine.set(engine.clone()).is_ok());
    asking.objects.write(BUCKET, "source/unset.zip", b"zip");
    engine.put_project(&project("tests")).unwrap();
    let properties = pipeline("PARALLEL", &[("Test", vec![test("UnitTest", json!({}))])]);
    engine.put_pipeline(&properties).unwrap();
    engine
        .answer("StartPipelineExecution", &json!({ "name": "line" }))
        .unwrap();
    engine.run_until_idle();
    assert!(!engine.is_busy());
    // The source is read and stored, and the build reads it again.
    assert_eq!(*asking.seen.lock().unwrap(), ["InProgress"; 3]);
}

#[test]
fn each_call_says_as_which_role_it_is_made() {
    #[derive(Default)]
    struct Noting(MemoryObjects, Mutex<Vec<String>>);
    impl Objects for Noting {
        fn get(&self, role: &str, bucket: &str, key: &str, version: Option<&str>) -> Result<Object, CallError> {
            let folder = key.split('/').next().unwrap();
            self.1.lock().unwrap().push(format!("{role} reads {folder}"));
            self.0.get(role, bucket, key, version)
        }
        fn put(&self, role: &str, _: &str, key: &str, _: &[u8]) -> Result<Option<String>, CallError> {
            let folder = key.split('/').next().unwrap();
            self.1.lock().unwrap().push(format!("{role} writes {folder}"));
            Err(CallError::new("AccessDenied", "Access Denied"))
        }
    }
    let noting = Arc::new(Noting::default());
    noting.0.write(BUCKET, "source/unset.zip", b"zip");
    let surroundings = Surroundings {
        objects: Arc::<Noting>::clone(&noting),
        stacks: Arc::new(MemoryStacks::default()),
        builder: Arc::new(ScriptedBuilder::new(|_| Script::succeeds())),
        clock: Arc::new(SystemClock),
        listener: Arc::new(|_| {}),
    };
    let engine = Engine::new(Settings::default(), surroundings);
    engine.put_project(&project("tests")).unwrap();
    engine
        .put_pipeline(&pipeline("PARALLEL", &[("Test", vec![test("UnitTest", json!({}))])]))
        .unwrap();
    engine.run_until_idle();
    let role = "arn:aws:iam::123456789012:role/pipeline";
    assert_eq!(
        *noting.1.lock().unwrap(),
        [format!("{role} reads source"), format!("{role} writes line")]
    );
    let actions = engine
        .answer("ListActionExecutions", &json!({ "pipelineName": "line" }))
        .unwrap();
    let details = &actions["actionExecutionDetails"][0]["output"]["executionResult"]["errorDetails"];
    assert_eq!(details["code"], "PermissionError");
}

#[test]
fn nothing_is_under_way_after_a_shut_down() {
    let world = World::new(|_| Script::hangs());
    world.put_project("tests");
    world.put_pipeline(&pipeline("QUEUED", &[("Test", vec![test("UnitTest", json!({}))])]));
    world.objects.write(BUCKET, "source/unset.zip", b"zip");
    let (first, second) = (world.start("line", json!({})), world.start("line", json!({})));
    world.engine.run_until_idle();
    world.engine.shut_down();
    assert!(!world.engine.is_busy());
    for id in [first, second] {
        assert_eq!(world.status("line", &id), "Stopped");
    }
}
