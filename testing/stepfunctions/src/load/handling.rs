//! `Retry` and `Catch`.

use serde_json::{Map, Value};

use super::{Language, Loader, Outer, under};
use crate::{
    definition::{Catcher, Handling, Retrier},
    jsonata::Place,
};

const MOST_ATTEMPTS: u64 = 99_999_999;
const MOST_SECONDS: u64 = 99_999_999;
/// `MaxDelaySeconds` is less than a leap year, see <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html>.
const MOST_DELAY: u64 = 31_622_399;

impl Loader {
    pub(super) fn handling(&mut self, fields: &Map<String, Value>, language: Language, outer: &Outer) -> Handling {
        Handling {
            retry: self.each(fields, "Retry", |loader, fields, at, last| {
                loader.retrier(fields, at, last)
            }),
            catch: self.each(fields, "Catch", |loader, fields, at, last| {
                loader.catcher(fields, at, last, language, outer)
            }),
        }
    }

    fn each<T>(
        &mut self,
        fields: &Map<String, Value>,
        name: &str,
        mut read: impl FnMut(&mut Self, &Map<String, Value>, &str, bool) -> Option<T>,
    ) -> Vec<T> {
        let Some(value) = fields.get(name) else {
            return Vec::new();
        };
        let Some(list) = value.as_array() else {
            self.faults.add(name, "a list is due");
            return Vec::new();
        };
        let mut read_ones = Vec::new();
        for (index, value) in list.iter().enumerate() {
            let at = format!("{name}[{index}]");
            if let Some(fields) = self.object(value, &at)
                && let Some(one) = read(self, fields, &at, index + 1 == list.len())
            {
                read_ones.push(one);
            }
        }
        read_ones
    }

    fn errors(&mut self, fields: &Map<String, Value>, at: &str, last: bool) -> Option<Vec<String>> {
        let list = self.list(fields, at, "ErrorEquals")?;
        let names: Option<Vec<String>> = list.iter().map(|name| name.as_str().map(str::to_owned)).collect();
        let at = under(at, "ErrorEquals");
        let Some(names) = names else {
            self.faults.add(at, "a list of names is due");
            return None;
        };
        if names.iter().any(|name| name == "States.ALL") && (names.len() > 1 || !last) {
            self.faults.add(at, "States.ALL must stand alone and be the last");
        }
        Some(names)
    }

    fn retrier(&mut self, fields: &Map<String, Value>, at: &str, last: bool) -> Option<Retrier> {
        self.only(
            fields,
            at,
            &[
                "Comment",
                "ErrorEquals",
                "IntervalSeconds",
                "MaxAttempts",
                "BackoffRate",
                "MaxDelaySeconds",
                "JitterStrategy",
            ],
        );
        let errors = self.errors(fields, at, last);
        let interval_seconds = match fields.get("IntervalSeconds") {
            None => Some(1),
            Some(value) => self.whole(value, &under(at, "IntervalSeconds"), 1, MOST_SECONDS),
        };
        let backoff_rate = match fields.get("BackoffRate") {
            None => Some(2.0),
            Some(value) => self.number(value, &under(at, "BackoffRate"), 1.0),
        };
        let max_delay_seconds = match fields.get("MaxDelaySeconds") {
            None => Some(None),
            Some(value) => self
                .whole(value, &under(at, "MaxDelaySeconds"), 1, MOST_DELAY)
                .map(Some),
        };
        let max_attempts = match fields.get("MaxAttempts") {
            None => Some(3),
            Some(value) => self.whole(value, &under(at, "MaxAttempts"), 0, MOST_ATTEMPTS),
        };
        let full_jitter = match fields.get("JitterStrategy").map(Value::as_str) {
            None | Some(Some("NONE")) => false,
            Some(Some("FULL")) => true,
            Some(_) => {
                self.faults
                    .add(under(at, "JitterStrategy"), "allowed are \"FULL\" and \"NONE\"");
                false
            }
        };
        Some(Retrier {
            errors: errors?,
            interval_seconds: interval_seconds?,
            max_attempts: max_attempts?,
            backoff_rate: backoff_rate?,
            max_delay_seconds: max_delay_seconds?,
            full_jitter,
        })
    }

    fn catcher(
        &mut self,
        fields: &Map<String, Value>,
        at: &str,
        last: bool,
        language: Language,
        outer: &Outer,
    ) -> Option<Catcher> {
        self.only(
            fields,
            at,
            match language {
                Language::Jsonata => &["Comment", "ErrorEquals", "Next", "Assign", "Output"],
                Language::JsonPath => &["Comment", "ErrorEquals", "Next", "Assign", "ResultPath"],
            },
        );
        let errors = self.errors(fields, at, last);
        let next = self.text(fields, at, "Next");
        let assign = self.assign(fields, at, language, Place::Catcher, outer);
        let output = match (language, fields.get("Output")) {
            (Language::Jsonata, Some(value)) => self.template(value, &under(at, "Output"), language, Place::Catcher),
            _ => None,
        };
        Some(Catcher {
            errors: errors?,
            next: next?,
            assign,
            output,
            placed: self.placed(fields, at),
        })
    }
}
