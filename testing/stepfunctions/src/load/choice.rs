//! The rules of a Choice whose query language is JSONPath.

use serde_json::{Map, Value};

use super::{Loader, under};
use crate::{
    condition::{Comparison, Of, Order, Pattern, Test, What, With},
    path::Path,
};

/// The fields that a rule has beside its test.
const BESIDE: [&str; 3] = ["Comment", "Next", "Assign"];

impl Loader {
    pub(super) fn test(&mut self, fields: &Map<String, Value>, at: &str, top: bool) -> Option<Test> {
        let beside = |name: &&String| name.as_str() == "Comment" || (top && BESIDE.contains(&name.as_str()));
        let operators: Vec<&String> = fields
            .keys()
            .filter(|name| *name != "Variable")
            .filter(|name| !beside(name))
            .collect();
        let [operator] = operators.as_slice() else {
            self.faults
                .add(at, format!("exactly one operator is due, not {operators:?}"));
            return None;
        };
        let operand = &fields[operator.as_str()];
        let place = under(at, operator);
        match operator.as_str() {
            "And" => self.tests(operand, &place).map(Test::And),
            "Or" => self.tests(operand, &place).map(Test::Or),
            "Not" => {
                let fields = self.object(operand, &place)?;
                Some(Test::Not(Box::new(self.test(fields, &place, false)?)))
            }
            operator => {
                let variable = self.text(fields, at, "Variable");
                let variable = variable.and_then(|text| self.path(&text, &under(at, "Variable")));
                let comparison = self.comparison(operator, operand, &place);
                Some(Test::Compare {
                    variable: variable?,
                    comparison: comparison?,
                })
            }
        }
    }

    fn tests(&mut self, value: &Value, at: &str) -> Option<Vec<Test>> {
        let Some(list) = value.as_array().filter(|list| !list.is_empty()) else {
            self.faults.add(at, "a list with at least one test is due");
            return None;
        };
        let tests: Vec<Option<Test>> = list
            .iter()
            .enumerate()
            .map(|(index, value)| {
                let at = format!("{at}[{index}]");
                let fields = self.object(value, &at)?;
                self.test(fields, &at, false)
            })
            .collect();
        tests.into_iter().collect()
    }

    fn comparison(&mut self, operator: &str, operand: &Value, at: &str) -> Option<Comparison> {
        if let Some(what) = what(operator) {
            let Some(wanted) = operand.as_bool() else {
                self.faults.add(at, "true or false is due");
                return None;
            };
            return Some(Comparison::Is { what, wanted });
        }
        if operator == "StringMatches" {
            let pattern = operand.as_str().ok_or_else(|| "a text is due".to_owned());
            return match pattern.and_then(Pattern::parse) {
                Ok(pattern) => Some(Comparison::Matches(pattern)),
                Err(fault) => {
                    self.faults.add(at, fault);
                    None
                }
            };
        }
        let (name, is_path) = match operator.strip_suffix("Path") {
            Some(name) => (name, true),
            None => (operator, false),
        };
        let Some((of, order)) = ordering(name) else {
            self.faults.add(at, "there is no such operator");
            return None;
        };
        let with = if is_path {
            let path = operand.as_str().unwrap_or_default();
            With::Path(self.path(path, at)?)
        } else {
            if !of.admits(operand) {
                self.faults
                    .add(at, format!("{operand} is not of the type that is compared"));
            }
            With::Value(operand.clone())
        };
        Some(Comparison::Order { of, order, with })
    }

    pub(super) fn path(&mut self, text: &str, at: &str) -> Option<Path> {
        match Path::parse(text) {
            Ok(path) => Some(path),
            Err(fault) => {
                self.faults.add(at, fault);
                None
            }
        }
    }
}

fn what(operator: &str) -> Option<What> {
    Some(match operator {
        "IsPresent" => What::Present,
        "IsNull" => What::Null,
        "IsString" => What::String,
        "IsNumeric" => What::Numeric,
        "IsBoolean" => What::Boolean,
        "IsTimestamp" => What::Timestamp,
        _ => return None,
    })
}

fn ordering(name: &str) -> Option<(Of, Order)> {
    let (of, order) = [
        ("String", Of::String),
        ("Numeric", Of::Numeric),
        ("Boolean", Of::Boolean),
        ("Timestamp", Of::Timestamp),
    ]
    .into_iter()
    .find_map(|(prefix, of)| Some((of, name.strip_prefix(prefix)?)))?;
    let order = match order {
        "Equals" => Order::Equals,
        "LessThan" => Order::LessThan,
        "GreaterThan" => Order::GreaterThan,
        "LessThanEquals" => Order::LessThanEquals,
        "GreaterThanEquals" => Order::GreaterThanEquals,
        _ => return None,
    };
    // Booleans are only equal or not.
    (of != Of::Boolean || order == Order::Equals).then_some((of, order))
}
