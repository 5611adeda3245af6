//! The fields of JSON objects: their types and which there may be.

use serde_json::{Map, Value};

use super::{Loader, under};

impl Loader {
    pub(super) fn object<'v>(&mut self, value: &'v Value, at: &str) -> Option<&'v Map<String, Value>> {
        let object = value.as_object();
        if object.is_none() {
            self.faults.add(at, "an object is due");
        }
        object
    }

    /// Refuses every field that is not `allowed`: what is not known is not executed.
    pub(super) fn only(&mut self, fields: &Map<String, Value>, at: &str, allowed: &[&str]) {
        for name in fields.keys().filter(|name| !allowed.contains(&name.as_str())) {
            self.faults.add(
                under(at, name),
                format!("not supported here; allowed are {}", allowed.join(", ")),
            );
        }
    }

    pub(super) fn text(&mut self, fields: &Map<String, Value>, at: &str, name: &str) -> Option<String> {
        let text = fields.get(name).and_then(Value::as_str);
        if text.is_none() {
            self.faults.add(under(at, name), "a text is due");
        }
        text.map(str::to_owned)
    }

    pub(super) fn whole(&mut self, value: &Value, at: &str, least: u64, most: u64) -> Option<u64> {
        let number = value.as_u64().filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.faults
                .add(at, format!("{value}: a whole number from {least} to {most} is due"));
        }
        number
    }

    pub(super) fn number(&mut self, value: &Value, at: &str, least: f64) -> Option<f64> {
        let number = value.as_f64().filter(|number| *number >= least);
        if number.is_none() {
            self.faults
                .add(at, format!("{value}: a number of at least {least} is due"));
        }
        number
    }

    pub(super) fn list<'v>(&mut self, fields: &'v Map<String, Value>, at: &str, name: &str) -> Option<&'v Vec<Value>> {
        let list = fields
            .get(name)
            .and_then(Value::as_array)
            .filter(|list| !list.is_empty());
        if list.is_none() {
            self.faults
                .add(under(at, name), "a list with at least one element is due");
        }
        list
    }
}
