//! How the input and the output of a state are shaped, in either query language.

use serde_json::{Map, Value, json};

use super::{Execution, flow::FlowId, scope::Got};
use crate::{
    definition::{Data, Placed, Selected, State, Template},
    failure::{Failure, Origin, RESULT_PATH_MATCH_FAILURE},
    path::Step,
};

/// What makes a state's output of its result.
#[derive(Clone, Copy)]
pub(super) enum Shape<'a> {
    /// `Output`.
    Jsonata(Option<&'a Template>),
    /// `ResultSelector`, `ResultPath` and `OutputPath`.
    JsonPath {
        selector: Option<&'a Template>,
        placed: &'a Placed,
        output: &'a Selected,
    },
}

impl Shape<'_> {
    /// The shape of a state's own fields.
    pub(super) fn of(state: &State) -> Shape<'_> {
        match &state.data {
            Data::Jsonata { output } => Shape::Jsonata(output.as_ref()),
            Data::JsonPath(paths) => Shape::JsonPath {
                selector: paths.selector.as_ref(),
                placed: &paths.placed,
                output: &paths.output,
            },
        }
    }
}

impl Execution {
    /// The input of the flow's state after `InputPath`.
    pub(super) fn effective_input(&mut self, flow: FlowId, state: &State, input: Value) -> Result<Value, Failure> {
        match &state.data {
            Data::Jsonata { .. } => Ok(input),
            Data::JsonPath(paths) => self.selected(flow, &paths.input, input),
        }
    }

    fn selected(&mut self, flow: FlowId, selected: &Selected, value: Value) -> Result<Value, Failure> {
        match selected {
            Selected::All => Ok(value),
            Selected::Nothing => Ok(json!({})),
            Selected::Path(path) => self.scoped(flow, &Got::at(value), |scope| scope.path(path)),
        }
    }

    /// What the state works on: its `Arguments` or `Parameters`, else its input.
    pub(super) fn arguments(
        &mut self,
        flow: FlowId,
        state: &State,
        arguments: Option<&Template>,
        input: Value,
    ) -> Result<Value, Failure> {
        let (template, field) = match &state.data {
            Data::Jsonata { .. } => (arguments, "Arguments"),
            Data::JsonPath(paths) => (paths.parameters.as_ref(), "Parameters"),
        };
        match template {
            None => Ok(input),
            Some(template) => self.scoped(flow, &Got::at(input), |scope| scope.value(template, field)),
        }
    }

    /// The state's output. `field` names the JSONata field.
    pub(super) fn shaped(
        &mut self,
        flow: FlowId,
        shape: Shape<'_>,
        result: Value,
        got: &Got,
        field: &str,
    ) -> Result<Value, Failure> {
        match shape {
            Shape::Jsonata(None) => Ok(result),
            Shape::Jsonata(Some(template)) => self.scoped(flow, got, |scope| scope.value(template, field)),
            Shape::JsonPath {
                selector,
                placed,
                output,
            } => {
                let result = match selector {
                    None => result,
                    Some(template) => {
                        self.scoped(flow, &Got::at(result), |scope| scope.value(template, "ResultSelector"))?
                    }
                };
                let input = self.visit(flow).map(|visit| visit.input.clone()).unwrap_or_default();
                let combined = match placed {
                    Placed::Whole => result,
                    Placed::Dropped => input,
                    Placed::At(steps) => place(input, steps, result)?,
                };
                self.selected(flow, output, combined)
            }
        }
    }
}

/// The input with the result at the place that the steps lead to, made where it is missing.
fn place(mut input: Value, steps: &[Step], result: Value) -> Result<Value, Failure> {
    let mut slot = &mut input;
    for step in steps {
        slot = match (step, slot) {
            (Step::Name(name), Value::Object(fields)) => {
                fields.entry(name.clone()).or_insert_with(|| Value::Object(Map::new()))
            }
            (Step::Index(index), Value::Array(items)) => {
                let item = usize::try_from(*index).ok().and_then(|index| items.get_mut(index));
                item.ok_or_else(mismatch)?
            }
            _ => return Err(mismatch()),
        };
    }
    *slot = result;
    Ok(input)
}

fn mismatch() -> Failure {
    Failure::named(
        RESULT_PATH_MATCH_FAILURE,
        "The ResultPath cannot be applied to the input of the state.",
        Origin::Interpreter,
    )
}
