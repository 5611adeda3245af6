//! Handlers and functions that the tests put into state machines, and a definition's JSON.

use std::convert::Infallible;

use serde::Serialize;
use serde_json::{Value as Json, json};
use synth::stepfunctions::{Definition, IntoFlow, Invocable, definition};
use synth::{
    Arn, EnvironmentVariable, Fault, Handler, HandlerError, Intrinsic, Node, Part, Shape, Target, Value, lambda,
};

#[derive(Debug, Clone, Serialize, schemars::JsonSchema, Shape)]
pub(crate) struct Commit {
    pub(crate) repository: String,
    pub(crate) sha: String,
    pub(crate) number: u64,
    pub(crate) fork: Option<String>,
}

#[derive(Debug, Clone, Serialize, schemars::JsonSchema, Shape)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Source {
    pub(crate) object_key: String,
    #[serde(rename = "version-id")]
    pub(crate) version: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema, Shape)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    Running,
    Passed,
    Failed,
}

#[derive(Debug, Clone, Serialize, schemars::JsonSchema, Shape)]
pub(crate) struct Build {
    pub(crate) id: String,
    pub(crate) verdict: Verdict,
    pub(crate) logs: Vec<String>,
}

#[derive(Debug, Clone, Copy, HandlerError)]
pub(crate) enum FetchError {
    SourceRejected,
    SourceMissing,
}

macro_rules! handler {
    ($marker:ident, $name:literal, $input:ty => $output:ty, $error:ty) => {
        pub(crate) struct $marker;

        impl Handler for $marker {
            type Input = $input;
            type Output = $output;
            type Error = $error;
            const NAME: &'static str = $name;
            const ENVIRONMENT: &'static [EnvironmentVariable] = &[];
        }

        impl Invocable for $marker {
            type Handler = Self;

            fn arn(&self) -> Value<Arn<lambda::Function>> {
                Value::from_node(Intrinsic::GetAtt(Target::Named(stringify!($marker).into()), "Arn".into()).into())
            }
        }
    };
}

handler!(FetchSource, "fetch_source", Commit => Source, FetchError);
handler!(StartBuild, "start_build", Source => Build, Infallible);
handler!(CheckBuild, "check_build", Build => Build, Infallible);
handler!(Report, "report", Build => (), Infallible);

pub(crate) fn emitted<F: IntoFlow>(flow: F) -> Json {
    clean(&definition(flow))
}

/// The JSON of a definition that has no faults.
pub(crate) fn clean(definition: &Definition) -> Json {
    let faults: Vec<_> = definition.check().iter().map(ToString::to_string).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    to_json(&definition.to_node())
}

#[track_caller]
pub(crate) fn only_fault<F: IntoFlow>(flow: F) -> Fault {
    let mut faults = definition(flow).check();
    assert_eq!(
        faults.len(),
        1,
        "{}",
        faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    );
    faults.remove(0)
}

/// The source line of `file` that a fault blames; empty if it blames none.
pub(crate) fn blamed_line<'a>(fault: &Fault, file: &'a str) -> &'a str {
    let line = fault.at.map_or(0, |at| at.line() as usize);
    file.lines().nth(line.wrapping_sub(1)).unwrap_or_default()
}

pub(crate) fn to_json(node: &Node) -> Json {
    match node {
        Node::Null => Json::Null,
        Node::Bool(value) => json!(value),
        Node::Integer(value) => json!(value),
        Node::Unsigned(value) => json!(value),
        Node::Number(value) => json!(value),
        Node::Text(value) => json!(value),
        Node::List(items) => items.iter().map(to_json).collect(),
        Node::Object(object) => object
            .entries()
            .iter()
            .map(|entry| (entry.key.to_string(), to_json(&entry.value)))
            .collect(),
        Node::Intrinsic(intrinsic) => match &**intrinsic {
            Intrinsic::GetAtt(Target::Named(name), attribute) => json!({"Fn::GetAtt": [name, attribute]}),
            Intrinsic::Ref(Target::Named(name)) => json!({"Ref": name}),
            Intrinsic::Sub(parts) => {
                let text: String = parts
                    .iter()
                    .map(|part| match part {
                        Part::Literal(text) => text.to_string(),
                        Part::Value(value) => format!("${{{}}}", to_json(value)["Ref"].as_str().unwrap_or_default()),
                    })
                    .collect();
                json!({"Fn::Sub": text})
            }
            other => panic!("no test emits {other:?}"),
        },
        Node::Invalid(fault) => panic!("{fault}"),
    }
}
