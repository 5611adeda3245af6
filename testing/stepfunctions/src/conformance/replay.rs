//! Executes a case with its recorded tasks as handlers.

use std::cell::RefCell;

use super::{
    Grade,
    case::{Case, RecordedTask},
    compare::{self, ACCOUNT, Masks, cut, without_accounts},
    trace,
};
use crate::{
    Execution, Fault, Handlers, Machine, Outcome, Reply, Resource, RunError, Start, TaskCall, Workflow, driver::Driver,
};

pub(super) fn grade(case: &Case) -> Grade {
    let machine = match Machine::load(&case.definition) {
        Ok(machine) => machine,
        Err(refusals) => return Grade::Refused(refusals.to_string().replace('\n', "; ")),
    };
    let foreign = RefCell::new(None);
    let mut used = vec![false; case.tasks.len()];
    let mut handlers = Handlers::new().otherwise(|call: &TaskCall| {
        let recorded = case
            .tasks
            .iter()
            .zip(&mut used)
            .find(|(task, used)| !**used && is_of(task, call));
        match recorded {
            Some((task, used)) => {
                *used = true;
                answer(task)
            }
            // An activity that nobody has is recorded as no task.
            None if matches!(call.resource, Resource::Activity(_)) => Reply::missing(),
            None => {
                foreign.borrow_mut().get_or_insert_with(|| {
                    format!("state {:?} asks for {}", &*call.state, cut(&call.arguments.to_string()))
                });
                Fault::new("Runner.NotRecorded", "no such task was recorded").into()
            }
        }
    });
    let execution = execute(case, &machine, &mut handlers);
    drop(handlers);
    if let Some(foreign) = foreign.into_inner() {
        return Grade::Wrong(format!("a task that was not recorded: {foreign}"));
    }
    match execution {
        Err(error) => Grade::Wrong(error.to_string()),
        Ok(execution) => judge(case, &execution, &used),
    }
}

fn execute(case: &Case, machine: &Machine, handlers: &mut Handlers<'_>) -> Result<Execution, RunError> {
    if case.expected.status != "ABORTED" {
        return machine.run(start(case), handlers);
    }
    // When it was stopped is not recorded, but it was while it waited for something.
    let mut execution = machine.start(start(case));
    Driver::default().settle(&mut execution, handlers)?;
    let now = execution.now();
    execution.stop(Fault::default(), now);
    Ok(execution)
}

fn start(case: &Case) -> Start {
    let names = &case.execution;
    let start = Start::new(case.input.clone())
        .place("us-east-1", ACCOUNT)
        .machine(&names.state_machine_name)
        .execution(&names.name);
    if names.workflow.as_deref() == Some("EXPRESS") {
        // Recordings of Express executions have another placeholder for the role than the case says.
        let role = names.role_arn.replace("snf_role_arn", "sfn_role_arn");
        return start.role(role).workflow(Workflow::Express);
    }
    let start = start.role(&names.role_arn);
    if case.before_redrive() {
        start.before_redrive()
    } else {
        start
    }
}

fn judge(case: &Case, execution: &Execution, used: &[bool]) -> Grade {
    let Some(outcome) = execution.outcome() else {
        return Grade::Wrong("the execution did not end".to_owned());
    };
    let grade = compare::outcome(case, outcome);
    if matches!(grade, Grade::Wrong(_)) || matches!(outcome, Outcome::Aborted(_)) {
        return grade;
    }
    // Of branches that ran at the same time, one may have asked for more before another failed.
    if let Some(unused) = used.iter().position(|used| !used)
        && case.trace_order_fixed
    {
        return Grade::Wrong(format!("the recorded task {unused} was never asked for"));
    }
    match trace::difference(case, execution) {
        Some(difference) => Grade::Wrong(format!("trace: {difference}")),
        None => grade,
    }
}

fn is_of(task: &RecordedTask, call: &TaskCall) -> bool {
    let seconds = |duration: Option<std::time::Duration>| duration.map(|duration| duration.as_secs());
    let same_state = task.state.as_deref().is_none_or(|state| state == &*call.state);
    let same_input = Masks::new(&task.input_masks)
        .difference(
            &without_accounts(&task.input),
            &without_accounts(&call.arguments),
            "/input",
        )
        .is_none();
    let same_role = task
        .credentials
        .as_ref()
        .is_none_or(|credentials| credentials["roleArn"] == call.credentials["RoleArn"]);
    let timeout = seconds(call.deadline.map(|deadline| deadline.since(call.at)));
    let same_bounds = task.timeout.is_none_or(|seconds| timeout == Some(seconds))
        && task
            .heartbeat
            .is_none_or(|bound| seconds(call.heartbeat) == Some(bound));
    same_state && same_input && same_role && same_bounds
}

fn answer(task: &RecordedTask) -> Reply {
    let result = &task.result;
    let reply = match (&result.output, result.via.as_deref()) {
        (Some(output), _) => Reply::new(Ok(output.clone())),
        (None, None | Some("TaskTimedOut" | "LambdaFunctionTimedOut" | "ActivityTimedOut")) => Reply::never(),
        (None, Some("ActivityScheduleFailed")) => Reply::missing(),
        (None, Some(_)) => Reply::new(Err(Fault {
            error: result.error.clone(),
            cause: result.cause.clone(),
        })),
    };
    match &task.submitted_output {
        None => reply,
        Some(output) => reply.submitted(output.clone()),
    }
}
