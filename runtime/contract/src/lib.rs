//! What each handler takes, returns, fails with and reads from its environment.
//!
//! A handler is a marker type that implements [`Handler`](synth::Handler). The stacks name functions and tasks by it, so that
//! the state machine's data flow is checked by the compiler; the runtime implements it. Neither can drift from the other.
//!
//! - Every handler that changes something outside of the system takes a [`Target`], whose generation tells whether the execution
//!   is still the current one of its pull request. One that is not fails with `Superseded` and changes nothing.
//! - `Unavailable` means that GitHub or AWS did not answer within the function's time: trying again later may help.
//! - No type here holds a secret: nothing that a state machine passes on does.
//!
//! This crate does no input or output and knows no SDK.

mod app;
mod claim;
mod data;
mod fetch_source;
pub mod metric;
mod pipeline;
mod reconcile;
mod report;
mod stack;
mod stage_deployer;
mod teardown;
mod verify_webhook;

pub use app::{
    AppError, DeleteItem, GetItem, Item, ItemPage, ListItems, NewItem, ProxyRequest, ProxyResponse, PutItem,
};
pub use claim::{Claim, ClaimError, ClaimRequest, ClaimRequestExpr, Claimed, ClaimedExpr};
pub use data::{Change, ChangeExpr, Decision, Run, RunExpr, Source, SourceExpr, Target, TargetExpr};
pub use fetch_source::{FetchRequest, FetchRequestExpr, FetchSource, FetchSourceError};
pub use pipeline::{
    CheckPipeline, CheckPipelineError, PipelineKind, Progress, ProgressExpr, RunQuery, RunQueryExpr, RunState,
    StartPipeline, StartPipelineError, StartRequest, StartRequestExpr, StopPipeline, StopPipelineError, StopRequest,
    StopRequestExpr, Stopped, StoppedExpr,
};
pub use reconcile::{Reconcile, ReconcileError, ReconcileRequest, Reconciled, ReconciledExpr};
pub use report::{Outcome, Report, ReportError, ReportRequest, ReportRequestExpr, Reported, ReportedExpr, Step};
pub use stack::{
    ApplyRequest, ApplyRequestExpr, ApplyStack, ApplyStackError, CheckStack, CheckStackError, StackChange,
    StackChangeExpr, StackProgress, StackProgressExpr, StackQuery, StackQueryExpr, StackState,
};
pub use stage_deployer::{
    CustomResourceRequest, CustomResourceRequestType, StageDeployer, StageDeployerError, StageDeployment,
};
pub use teardown::{
    Teardown, TeardownError, TeardownProgress, TeardownProgressExpr, TeardownRequest, TeardownRequestExpr,
};
pub use verify_webhook::{
    Delivery, DeliveryExpr, Repair, RepairExpr, Trigger, TriggerExpr, Verified, VerifiedExpr, VerifyWebhook,
    VerifyWebhookError,
};
