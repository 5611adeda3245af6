//! A typed DSL for CloudFormation applications: stacks, grants, state machines, buildspecs, pipelines, mapping templates.
//!
//! A whole program: a stack with a bucket, a function whose handler's types are known, and a state machine of one task.
//!
//! ```
//! use synth::prelude::*;
//! use synth::stepfunctions::{StateMachine, definition, task};
//! use synth::{App, EnvironmentVariable, Handler, HandlerError, Shape, lambda, mebibytes, minutes, s3};
//!
//! // What the handler takes, returns, fails with and reads. The function that implements it need not be linked.
//! #[derive(serde::Serialize, schemars::JsonSchema, Shape)]
//! struct Commit { repository: String, sha: String }
//!
//! #[derive(serde::Serialize, schemars::JsonSchema, Shape)]
//! struct Source { key: String }
//!
//! #[derive(Clone, Copy, HandlerError)]
//! enum FetchError { SourceRejected }
//!
//! struct FetchSource;
//!
//! impl FetchSource {
//!     const BUCKET: EnvironmentVariable = EnvironmentVariable::named("BUCKET");
//! }
//!
//! impl Handler for FetchSource {
//!     type Input = Commit;
//!     type Output = Source;
//!     type Error = FetchError;
//!     const NAME: &'static str = "fetch_source";
//!     const ENVIRONMENT: &'static [EnvironmentVariable] = &[Self::BUCKET];
//! }
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let mut app = App::new();
//!     app.stack("pipeline", "Fetches the source of a commit.", |stack| {
//!         let code = lambda::Artifacts::from_asset(stack, "bootstrap", lambda::function::Architecture::Arm64);
//!         let sources = stack.add("Sources", s3::private_bucket("pipeline-sources"));
//!         let fetch = stack.add(
//!             "FetchSource",
//!             lambda::handling::<FetchSource>(&code, "fetch-source")
//!                 .memory_size(mebibytes(512))
//!                 .timeout(minutes(5))
//!                 .environment(FetchSource::BUCKET, sources.name())
//!                 .allow(sources.put_objects("source/*")),
//!         );
//!         stack.add("Pipeline", StateMachine::standard("pipeline", definition(task(fetch))));
//!     });
//!     let assembly = app.synthesize()?;
//!     let yaml = assembly.stacks[0].template.to_yaml()?;
//!     print!("{yaml}");
//!     # let line = |text: &str| assert!(yaml.contains(text), "{text} is not in\n{yaml}");
//!     # line("  FetchSource:\n    Type: AWS::Lambda::Function\n    Properties:\n");
//!     # line("      Timeout: 300\n");
//!     # line("          BUCKET: !Ref Sources\n");
//!     # line("            - s3:PutObject\n            Resource: !Sub ${Sources.Arn}/source/*\n");
//!     # line("FunctionName: !GetAtt FetchSource.Arn\n");
//!     Ok(())
//! }
//! ```
//!
//! The template has the bucket, the function with its role and log, and the state machine with its own, which may invoke that one
//! function:
//!
//! ```yaml
//!   FetchSourceRole:
//!     Type: AWS::IAM::Role
//!     Properties:
//!       …
//!           - Effect: Allow
//!             Action:
//!             - s3:AbortMultipartUpload
//!             - s3:PutObject
//!             Resource: !Sub ${Sources.Arn}/source/*
//!   FetchSource:
//!     Type: AWS::Lambda::Function
//!     Properties:
//!       …
//!       Environment:
//!         Variables:
//!           BUCKET: !Ref Sources
//! ```
//!
//! # Resources
//!
//! Every resource type of CloudFormation is a type here, from the crate `synth_aws`: `AWS::S3::Bucket` is [`s3::Bucket`], its nested
//! types are in [`s3::bucket`]. Required properties are arguments of `new`, optional ones are setters in snake case, enums are enums and
//! quantities have units ([`minutes`], [`mebibytes`]). [`Stack::add`] takes a logical id and gives back a [`Handle`], which is `Copy`.
//!
//! ```
//! use synth::App;
//! use synth::dynamodb::{Table, table};
//!
//! let mut app = App::new();
//! app.stack("store", "Keeps the record of each pull request.", |stack| {
//!     let key = table::KeySchemaProperties::new("repository", table::KeyType::Hash);
//!     let table = Table::new([key])
//!         .attribute_definitions([table::AttributeDefinition::new("repository", table::AttributeDefinitionAttributeType::S)])
//!         .billing_mode(table::BillingMode::PayPerRequest);
//!     stack.add("Records", table);
//! });
//! # app.synthesize()?;
//! # Ok::<(), synth::Faults>(())
//! ```
//!
//! On top of them stand constructs that add several resources or check more: [`lambda::handling`], [`iam::Role`],
//! [`stepfunctions::StateMachine`], [`codepipeline::PipelineDeclaration`], [`Api`]. Where a construct has the name of a generated type,
//! the generated one is there as `…Resource`: [`iam::RoleResource`].
//!
//! # Typed references
//!
//! A property takes a [`Value`] of what it asks for: a literal, or what a handle refers to. `Ref` is named after what it returns
//! (`bucket.name()`), attributes are methods (`bucket.arn()`). A reference is typed by what it names, so the ARN of a bucket is no ARN
//! of a role; a typed reference may stand wherever no more than text is asked for, text for a reference only after
//! [`trusted`](Value::trusted).
//!
//! ```
//! use synth::{AnyArn, Stack, iam, s3, sqs, sub};
//!
//! fn build(stack: &mut Stack) {
//!     let sources = stack.add("Sources", s3::Bucket::new());
//!     // `Fn::Sub` of text and values; `${…}` in the text is escaped.
//!     let name = sub!["events-of-", sources.name()];
//!     stack.add("Events", sqs::Queue::new().queue_name(name));
//!     stack.permissions_boundary(synth::Value::from("arn:aws:iam::123456789012:policy/bound").trusted::<AnyArn>());
//! }
//! # let mut app = synth::App::new();
//! # app.stack("app", "", build);
//! # assert!(app.synthesize()?.stacks[0].template.to_yaml().is_ok_and(|yaml| yaml.contains("!Sub events-of-${Sources}\n")));
//! # Ok::<(), synth::Faults>(())
//! ```
//!
//! ```compile_fail,E0277
//! # use synth::{Handle, lambda, s3};
//! fn assume(sources: Handle<s3::Bucket>) -> lambda::Function {
//!     lambda::Function::new(lambda::function::Code::new(), sources.name()) // a bucket's name where a role's ARN is due
//! }
//! ```
//!
//! # Grants
//!
//! A [`Grant`](iam::Grant) is a value: actions, which are variants of enums, on resources. What a role may do is the union of its grants,
//! written as its one inline policy. A resource that is a pattern needs a reason, which the assembly lists.
//!
//! ```
//! use synth::actions::Sqs;
//! use synth::iam::{Grant, Role};
//! use synth::prelude::*;
//! use synth::{App, s3, sqs, sub};
//!
//! let mut app = App::new();
//! app.stack("worker", "", |stack| {
//!     let events = stack.add("Events", sqs::Queue::new());
//!     let sources = stack.add("Sources", s3::Bucket::new());
//!     let role = Role::assumed_by("lambda.amazonaws.com")
//!         .allow(sources.get_objects("source/*"))
//!         .allow(Grant::on([Sqs::ReceiveMessage, Sqs::DeleteMessage], events.arn()))
//!         .allow(Grant::on_matching(
//!             [Sqs::SendMessage],
//!             sub![events.arn(), "-*"],
//!             "one queue a pull request, made while it is open",
//!         ));
//!     stack.add("Worker", role);
//! });
//! let assembly = app.synthesize()?;
//! assert_eq!(assembly.stacks[0].wildcards[1].reason, "one queue a pull request, made while it is open");
//! # Ok::<(), synth::Faults>(())
//! ```
//!
//! # Values between stacks
//!
//! What other stacks may use is what a stack returns: usually a struct of exported values, which keep their types. Using one makes the
//! stack depend on the other; [`Assembly::stacks`] is in an order in which they can be deployed.
//!
//! ```
//! use synth::{App, Arn, Stack, Value, iam, s3};
//!
//! struct Exports { sources: Value<Arn<s3::Bucket>> }
//!
//! fn artifacts(stack: &mut Stack) -> Exports {
//!     let sources = stack.add("Sources", s3::Bucket::new());
//!     Exports { sources: stack.export("SourcesArn", sources.arn()) }
//! }
//!
//! fn pipeline(stack: &mut Stack, artifacts: &Exports) {
//!     use synth::prelude::*;
//!     stack.add("Builder", iam::Role::assumed_by("codebuild.amazonaws.com").allow(artifacts.sources.get_objects("a.zip")));
//! }
//!
//! let mut app = App::new();
//! let exports = app.stack("artifacts", "", artifacts);
//! app.stack("pipeline", "", |stack| pipeline(stack, &exports));
//! let assembly = app.synthesize()?;
//! assert_eq!(assembly.stacks[1].depends_on, ["artifacts"]);
//! # Ok::<(), synth::Faults>(())
//! ```
//!
//! A stack that is deployed already, by whomever, lends its exports with [`App::existing_stack`]. What only the deployment knows is a
//! [`Parameter`].
//!
//! # State machines
//!
//! A task is named by a function whose handler is known; states compose only where types meet. The machine's role may invoke exactly the
//! functions that its tasks name. See [`stepfunctions`].
//!
//! ```
//! use synth::stepfunctions::{Caught, Invocable, definition, task};
//! use synth::{Arn, EnvironmentVariable, Handler, HandlerError, Value, lambda};
//! # macro_rules! handler { ($marker:ident, $name:literal, $in:ty => $out:ty, $error:ty) => {
//! #     struct $marker;
//! #     impl Handler for $marker {
//! #         type Input = $in; type Output = $out; type Error = $error;
//! #         const NAME: &'static str = $name;
//! #         const ENVIRONMENT: &'static [EnvironmentVariable] = &[];
//! #     }
//! #     impl Invocable for $marker {
//! #         type Handler = Self;
//! #         fn arn(&self) -> Value<Arn<lambda::Function>> { lambda::arn_of($name) }
//! #     }
//! # } }
//! #[derive(Clone, Copy, HandlerError)]
//! enum FetchError { SourceRejected }
//! # handler!(Fetch, "fetch_source", String => String, FetchError);
//! # handler!(Check, "check_source", String => bool, std::convert::Infallible);
//! # handler!(Report, "report", Caught => (), std::convert::Infallible);
//!
//! // `Fetch` takes and returns text, so does `Check`; `Report` takes what was caught.
//! let flow = task(Fetch)
//!     .catch(FetchError::SourceRejected, task(Report).end())
//!     .then(task(Check));
//! let machine = definition(flow);
//! assert_eq!(machine.check(), []);
//! ```
//!
//! # Buildspecs and pipelines
//!
//! A buildspec is phases in order; a variable that a command reads must be one that somebody provides. A pipeline's artifact is a value
//! that only its producer has. See [`codebuild`] and [`codepipeline`].
//!
//! ```
//! use synth::codebuild::{Artifacts, Buildspec, Phase, Variable};
//! use synth::codepipeline::{CodeBuild, ExecutionMode, PipelineDeclaration, S3Source, Stage};
//! use synth::Value;
//!
//! const VERSION: Variable = Variable::new("VERSION");
//!
//! let mut fetch = S3Source::new("Fetch", "sources", "source.zip", "Source");
//! let source = fetch.artifact();
//! let fetched = fetch.namespace("Fetched");
//! let spec = Buildspec::new().build(Phase::new([format!("make test VERSION={VERSION}")])).artifacts(Artifacts::new(["**/*"]));
//! let test = |variable| {
//!     let test = CodeBuild::test("UnitTest", "unit-tests", &source).buildspec(&spec, &[]);
//!     let role = Value::from("arn:aws:iam::123456789012:role/pipeline").trusted();
//!     PipelineDeclaration::new(ExecutionMode::Queued, role, "artifacts")
//!         .stage(Stage::new("Source").action(fetch.clone()))
//!         .stage(Stage::new("Test").action(test.environment(variable, fetched.version_id())))
//! };
//! assert_eq!(test(VERSION).check(), []);
//! assert_eq!(
//!     test(Variable::new("VERSON")).check()[0].message,
//!     "`make test VERSION=${VERSION}` reads VERSION, which nothing provides; provided are: VERSON"
//! );
//! ```
//!
//! # Mapping templates
//!
//! What a caller sent cannot stand in a document before it is encoded, so nothing of it can leave its place. See
//! [`apigateway::mapping`].
//!
//! ```
//! use synth::apigateway::mapping::{Header, Object, RequestTemplate, input};
//! use synth::stepfunctions::arn_of;
//!
//! const SIGNATURE: Header = Header::new("X-Hub-Signature-256");
//!
//! let request = RequestTemplate::always(Object::new().with("stateMachineArn", arn_of("pipeline")).with(
//!     "input",
//!     Object::new()
//!         .with("body", input::body().base64())
//!         .with("signature", input::header(SIGNATURE).base64())
//!         .stringified(),
//! ));
//! assert_eq!(request.check(), []);
//! ```
//!
//! # All faults at once
//!
//! Building never fails. [`App::synthesize`] returns *all* [`Faults`] of all stacks, in their order, each with its stack, logical id,
//! property, value, what is allowed, and the source line that set it:
//!
//! ```
//! use synth::{App, days, logs, s3};
//!
//! let mut app = App::new();
//! app.stack("logs", "", |stack| {
//!     stack.add("Archive", s3::Bucket::new().bucket_name("Archive"));
//!     stack.add("Archive", logs::LogGroup::new());
//! });
//! let faults = app.synthesize().unwrap_err();
//! assert_eq!(faults.0.len(), 2);
//! # let text = faults.to_string();
//! # assert!(text.contains("logs: Archive: the logical id is taken, first at "), "{text}");
//! # assert!(text.contains("logs: Archive: BucketName: \"Archive\" does not match the allowed pattern ^("), "{text}");
//! # assert!(text.contains("  help: give one of the two another logical id"), "{text}");
//! ```
//!
//! ```text
//! logs: Archive: the logical id is taken, first at src/logs.rs:5
//!   --> src/logs.rs:6:11
//!   help: give one of the two another logical id
//! logs: Archive: BucketName: "Archive" does not match the allowed pattern ^([a-z0-9][a-z0-9.-]*[a-z0-9])?$
//!   --> src/logs.rs:5:47
//! ```
//!
//! # The escape hatch
//!
//! A property that AWS added after the facts were taken, or a value that they wrongly refuse, is set raw, with a reason; the assembly
//! lists every use:
//!
//! ```
//! use synth::{App, s3};
//!
//! let mut app = App::new();
//! app.stack("sources", "", |stack| {
//!     let sources = stack.add("Sources", s3::Bucket::new());
//!     stack.escape_hatch(sources, "NewFeature.Enabled", true.into(), "the facts are older than the property");
//! });
//! let assembly = app.synthesize()?;
//! assert_eq!(assembly.stacks[0].escapes[0].path, "NewFeature.Enabled");
//! # Ok::<(), synth::Faults>(())
//! ```
//!
//! # Invariants
//!
//! - Pure: no input or output, clock, randomness or environment, here and in `synth_aws`; a test reads the sources for them.
//! - Deterministic: logical ids are the given strings, everything keeps its order of insertion, and one program gives the same bytes
//!   on every machine.
//! - No wildcard action can be expressed: an action is a variant of an enum. A wildcard in a resource needs a reason and is listed.
//! - No secret can be expressed as a parameter: there is no `NoEcho`. A stack knows a secret's ARN and nothing else of it.
//! - All faults at once, each blaming a line of whoever wrote the stack.
//! - Nothing here knows of any application, and nothing here calls AWS.

// The derive macros write `::synth::…`, in this crate's own types too.
extern crate self as synth;

pub mod apigateway;
mod app;
mod assembly;
pub mod cloudformation;
pub mod codebuild;
pub mod codepipeline;
pub mod diff;
mod fault;
mod handler;
pub mod iam;
pub mod lambda;
mod parameter;
mod render;
mod rest_api;
pub mod s3;
mod stack;
pub mod stepfunctions;
mod synthesis;

pub use app::App;
pub use assembly::{Assembly, Asset, Content, Document, DocumentKind, Escape, SynthesizedStack, Template, Wildcard};
pub use fault::{Fault, Faults};
pub use handler::{EnvironmentVariable, ErrorName, Handler, HandlerError};
pub use parameter::{Parameter, ParameterHandle, ParameterType};
pub use render::RenderError;
pub use rest_api::{Api, HttpMethod};
pub use stack::{Condition, Construct, DeletionPolicy, ResourceOptions, Stack};
pub use stepfunctions::Shape;
pub use synth_aws::*;

/// What most stacks need in scope: the traits whose methods handles and resources have.
pub mod prelude {
    pub use crate::Construct;
    pub use crate::s3::ObjectGrants;
}
