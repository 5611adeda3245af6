//! Pipelines: what they render to, and the faults between stages that are found before CodePipeline sees them.

mod checks;
mod template;

use synth::Resource;
use synth::codebuild::Variable;
use synth::codepipeline::{ExecutionMode, Pipeline, PipelineDeclaration, S3Source};
use synth::{Arn, Node, Value, iam};

const OBJECT_VERSION: Variable = Variable::new("OBJECT_VERSION");
const TABLE: Variable = Variable::new("TABLE_NAME");
const DIGEST: Variable = Variable::new("DIGEST");

fn role() -> Value<Arn<iam::RoleResource>> {
    Value::from("arn:aws:iam::123456789012:role/pipeline").trusted()
}

fn declaration() -> PipelineDeclaration {
    PipelineDeclaration::new(ExecutionMode::Parallel, role(), "artifacts")
}

fn fetch() -> S3Source {
    S3Source::new("Fetch", "sources", "source/unset.zip", "Source")
}

fn messages(pipeline: &PipelineDeclaration) -> Vec<String> {
    pipeline.check().into_iter().map(|fault| fault.message).collect()
}

/// The tree as JSON, with intrinsics as text that shows what they are.
fn json(node: &Node) -> serde_json::Value {
    match node {
        Node::Bool(value) => (*value).into(),
        Node::Integer(value) => (*value).into(),
        Node::Text(text) => text.as_ref().into(),
        Node::List(items) => items.iter().map(json).collect(),
        Node::Object(object) => object
            .entries()
            .iter()
            .map(|entry| (entry.key.to_string(), json(&entry.value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => format!("{other:?}").into(),
    }
}

fn resource(pipeline: PipelineDeclaration) -> serde_json::Value {
    let pipeline: Pipeline = pipeline.into_resource();
    let properties = pipeline.into_properties();
    assert_eq!(synth::check(Pipeline::FACTS.properties, &properties), []);
    json(&Node::Object(properties))
}
