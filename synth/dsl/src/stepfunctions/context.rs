//! The context object: what Step Functions knows of the execution, see
//! <https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html>.

use super::expr::Expr;
use super::expr::ast::Root;

/// The execution's ARN.
pub fn execution_id() -> Expr<String> {
    Expr::root(Root::Context("Execution.Id"))
}

/// The execution's name.
pub fn execution_name() -> Expr<String> {
    Expr::root(Root::Context("Execution.Name"))
}

/// When the execution started, as an ISO 8601 timestamp.
pub fn execution_start_time() -> Expr<String> {
    Expr::root(Root::Context("Execution.StartTime"))
}

/// The name of the state that evaluates the expression.
pub fn state_name() -> Expr<String> {
    Expr::root(Root::Context("State.Name"))
}

/// When that state was entered, as an ISO 8601 timestamp.
pub fn state_entered_time() -> Expr<String> {
    Expr::root(Root::Context("State.EnteredTime"))
}

/// How many times that state was retried; 0 in the first attempt.
pub fn retry_count() -> Expr<u64> {
    Expr::root(Root::Context("State.RetryCount"))
}

/// The state machine's ARN.
pub fn state_machine_id() -> Expr<String> {
    Expr::root(Root::Context("StateMachine.Id"))
}

/// The state machine's name.
pub fn state_machine_name() -> Expr<String> {
    Expr::root(Root::Context("StateMachine.Name"))
}

/// The index of the item that a Map state's iteration works on, counted from 0. Only within a Map state.
pub fn map_item_index() -> Expr<u64> {
    Expr::root(Root::Context("Map.Item.Index"))
}
