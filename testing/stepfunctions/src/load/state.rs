//! The types of states and their own fields.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Language, Loader, Outer, fields::own_fields, under};
use crate::{
    definition::{
        Choice, Condition, Data, Fail, Kind, MapState, Parallel, Resource, Rule, State, States, Task, Template, Wait,
    },
    jsonata::Place,
};

const COMMON: [&str; 3] = ["Type", "Comment", "QueryLanguage"];

impl Loader {
    pub(super) fn state(&mut self, name: &str, value: &Value, outer: &Outer, inner: &Outer) -> Option<State> {
        let fields = self.object(value, "")?;
        let kind_name = self.text(fields, "", "Type")?;
        let language = self.language(fields, self.machine_language);
        if self.machine_language == Language::Jsonata && language == Language::JsonPath {
            self.faults.add(
                "QueryLanguage",
                "a machine whose language is JSONata has no JSONPath states",
            );
            return None;
        }
        let Some(own) = own_fields(&kind_name, language) else {
            self.faults.add("Type", format!("{kind_name:?} is no type of states"));
            return None;
        };
        let allowed: Vec<&str> = COMMON.iter().chain(&own).copied().collect();
        self.only(fields, "", &allowed);
        let next = self.transition(fields, &kind_name);
        let assign = self.assign(fields, "", language, Place::Elsewhere, outer);
        let data = match language {
            Language::Jsonata => Data::Jsonata {
                output: self.optional(fields, "Output", language),
            },
            Language::JsonPath => Data::JsonPath(Box::new(self.paths(fields, &kind_name))),
        };
        let kind = self.kind(&kind_name, fields, language, outer, inner)?;
        Some(State {
            name: name.to_owned(),
            data,
            assign,
            kind,
            next,
        })
    }

    /// `Next` or `End`, of which those types of states that go on have exactly one.
    fn transition(&mut self, fields: &Map<String, Value>, kind: &str) -> Option<String> {
        if matches!(kind, "Choice" | "Succeed" | "Fail") {
            return None;
        }
        match (fields.get("Next"), fields.get("End")) {
            (Some(Value::String(next)), None) => Some(next.clone()),
            (None, Some(Value::Bool(true))) => None,
            _ => {
                self.faults
                    .add("Next", "either Next with a state's name or End with true is due");
                None
            }
        }
    }

    fn optional(&mut self, fields: &Map<String, Value>, name: &str, language: Language) -> Option<Template> {
        let value = fields.get(name)?;
        self.template(value, name, language, Place::Elsewhere)
    }

    fn kind(
        &mut self,
        kind: &str,
        fields: &Map<String, Value>,
        language: Language,
        outer: &Outer,
        inner: &Outer,
    ) -> Option<Kind> {
        match kind {
            "Task" => self
                .task(fields, language, outer)
                .map(|task| Kind::Task(Box::new(task))),
            "Pass" => Some(Kind::Pass),
            "Choice" => self.choice(fields, language, outer).map(Kind::Choice),
            "Wait" => self.wait(fields, language).map(Kind::Wait),
            "Succeed" => Some(Kind::Succeed),
            "Fail" => Some(Kind::Fail(self.fail(fields, language))),
            "Parallel" => self
                .parallel(fields, language, outer, inner)
                .map(|parallel| Kind::Parallel(Box::new(parallel))),
            "Map" => self
                .map(fields, language, outer, inner)
                .map(|map| Kind::Map(Box::new(map))),
            _ => None,
        }
    }

    fn fail(&mut self, fields: &Map<String, Value>, language: Language) -> Fail {
        let mut text = |name: &str| {
            let template = self.or_path(fields, name, language, true)?;
            if let Template::Value(value) = &template
                && !value.is_string()
            {
                self.faults.add(name, format!("{value}: a text is due"));
            }
            Some(template)
        };
        Fail {
            error: text("Error"),
            cause: text("Cause"),
        }
    }

    fn task(&mut self, fields: &Map<String, Value>, language: Language, outer: &Outer) -> Option<Task> {
        let arn = self.text(fields, "", "Resource");
        let resource = arn.as_deref().and_then(Resource::parse);
        if let (Some(arn), None) = (&arn, &resource) {
            self.faults.add(
                "Resource",
                format!("{arn:?} is neither a Lambda function's ARN nor an activity's nor a service integration's"),
            );
        }
        let timeout = self.seconds(fields, "TimeoutSeconds", 1, language);
        let heartbeat = self.seconds(fields, "HeartbeatSeconds", 1, language);
        if let (Some(Template::Value(timeout)), Some(Template::Value(heartbeat))) = (&timeout, &heartbeat)
            && heartbeat.as_u64() >= timeout.as_u64()
        {
            self.faults
                .add("HeartbeatSeconds", "it must be less than TimeoutSeconds");
        }
        Some(Task {
            arguments: self.optional(fields, "Arguments", language),
            credentials: self.optional(fields, "Credentials", language),
            timeout,
            heartbeat,
            handling: self.handling(fields, language, outer),
            resource: resource?,
        })
    }

    /// A whole number, or an expression for one.
    fn seconds(&mut self, fields: &Map<String, Value>, name: &str, least: u64, language: Language) -> Option<Template> {
        let template = self.or_path(fields, name, language, false)?;
        if let Template::Value(value) = &template {
            self.whole(value, name, least, 99_999_999)?;
        }
        Some(template)
    }

    fn choice(&mut self, fields: &Map<String, Value>, language: Language, outer: &Outer) -> Option<Choice> {
        let rules = self.list(fields, "", "Choices")?;
        let mut read = Vec::new();
        for (index, value) in rules.iter().enumerate() {
            let at = format!("Choices[{index}]");
            if let Some(fields) = self.object(value, &at) {
                read.extend(self.rule(fields, &at, language, outer));
            }
        }
        let default = match fields.get("Default") {
            None => None,
            Some(_) => self.text(fields, "", "Default"),
        };
        Some(Choice { rules: read, default })
    }

    fn rule(&mut self, fields: &Map<String, Value>, at: &str, language: Language, outer: &Outer) -> Option<Rule> {
        let condition = match language {
            Language::Jsonata => self.condition(fields, at),
            Language::JsonPath => self.test(fields, at, true).map(Condition::JsonPath),
        };
        let output = match (language, fields.get("Output")) {
            (Language::Jsonata, Some(value)) => self.template(value, &under(at, "Output"), language, Place::Elsewhere),
            _ => None,
        };
        let assign = self.assign(fields, at, language, Place::Elsewhere, outer);
        Some(Rule {
            next: self.text(fields, at, "Next")?,
            condition: condition?,
            assign,
            output,
        })
    }

    fn condition(&mut self, fields: &Map<String, Value>, at: &str) -> Option<Condition> {
        self.only(fields, at, &["Comment", "Condition", "Next", "Assign", "Output"]);
        let place = under(at, "Condition");
        let Some(value) = fields.get("Condition") else {
            self.faults.add(place, "a condition is due");
            return None;
        };
        let template = self.template(value, &place, Language::Jsonata, Place::Elsewhere)?;
        if let Template::Value(value) = &template
            && !value.is_boolean()
        {
            self.faults
                .add(place, format!("{value}: an expression or a boolean is due"));
        }
        Some(Condition::Jsonata(template))
    }

    fn wait(&mut self, fields: &Map<String, Value>, language: Language) -> Option<Wait> {
        let has = |name: &str| fields.contains_key(name) || fields.contains_key(&format!("{name}Path"));
        match (has("Seconds"), has("Timestamp")) {
            (true, false) => self.seconds(fields, "Seconds", 0, language).map(Wait::Seconds),
            (false, true) => {
                let template = self.or_path(fields, "Timestamp", language, false)?;
                if let Template::Value(value) = &template
                    && value.as_str().is_none_or(|text| text.parse::<crate::Time>().is_err())
                {
                    self.faults.add("Timestamp", format!("{value}: a timestamp is due"));
                }
                Some(Wait::Timestamp(template))
            }
            _ => {
                self.faults.add("Seconds", "either seconds or a timestamp is due");
                None
            }
        }
    }

    fn parallel(
        &mut self,
        fields: &Map<String, Value>,
        language: Language,
        outer: &Outer,
        inner: &Outer,
    ) -> Option<Parallel> {
        let list = self.list(fields, "", "Branches")?;
        let mut branches = Vec::new();
        for (index, value) in list.iter().enumerate() {
            let at = format!("Branches[{index}]");
            if let Some(fields) = self.object(value, &at) {
                self.only(fields, &at, &["Comment", "StartAt", "States"]);
                branches.extend(self.states(fields, &at, inner).map(Arc::new));
            }
        }
        Some(Parallel {
            branches,
            arguments: self.optional(fields, "Arguments", language),
            handling: self.handling(fields, language, outer),
        })
    }

    fn map(
        &mut self,
        fields: &Map<String, Value>,
        language: Language,
        outer: &Outer,
        inner: &Outer,
    ) -> Option<MapState> {
        let items = match (language, fields.get("ItemsPath")) {
            (Language::JsonPath, Some(value)) => self.query(value, "ItemsPath", None).map(Template::Query),
            _ => self.optional(fields, "Items", language),
        };
        if let Some(Template::Value(value)) = &items
            && !value.is_array()
        {
            self.faults.add("Items", "a list or an expression is due");
        }
        let processor = self.processor(fields, inner);
        let selector = match (language, fields.contains_key("ItemSelector")) {
            (Language::JsonPath, false) => self.optional(fields, "Parameters", language),
            _ => self.optional(fields, "ItemSelector", language),
        };
        Some(MapState {
            items,
            selector,
            max_concurrency: self.seconds(fields, "MaxConcurrency", 0, language),
            tolerated_count: self.seconds(fields, "ToleratedFailureCount", 0, language),
            tolerated_percentage: self.percentage(fields, language),
            handling: self.handling(fields, language, outer),
            processor: processor?,
        })
    }

    fn percentage(&mut self, fields: &Map<String, Value>, language: Language) -> Option<Template> {
        let name = "ToleratedFailurePercentage";
        let template = self.or_path(fields, name, language, false)?;
        if let Template::Value(value) = &template
            && !value.as_f64().is_some_and(|number| (0.0..=100.0).contains(&number))
        {
            self.faults.add(name, format!("{value}: a number from 0 to 100 is due"));
        }
        Some(template)
    }

    fn processor(&mut self, fields: &Map<String, Value>, inner: &Outer) -> Option<Arc<States>> {
        let (at, value) = match (fields.get("ItemProcessor"), fields.get("Iterator")) {
            (Some(value), None) => ("ItemProcessor", value),
            (None, Some(value)) => ("Iterator", value),
            _ => {
                self.faults.add("ItemProcessor", "an ItemProcessor is due");
                return None;
            }
        };
        let processor = self.object(value, at)?;
        self.only(processor, at, &["Comment", "ProcessorConfig", "StartAt", "States"]);
        if let Some(config) = processor.get("ProcessorConfig") {
            let place = under(at, "ProcessorConfig");
            let config = self.object(config, &place)?;
            self.only(config, &place, &["Mode"]);
            if config.get("Mode").is_some_and(|mode| mode != "INLINE") {
                self.faults.add(
                    under(&place, "Mode"),
                    "only \"INLINE\" is supported, no distributed Map",
                );
            }
        }
        self.states(processor, at, inner).map(Arc::new)
    }
}

impl State {
    /// The names of the states it may go on to, each with the field that names it.
    pub(crate) fn targets(&self) -> Vec<(String, &str)> {
        let mut targets: Vec<(String, &str)> = Vec::new();
        targets.extend(self.next.as_deref().map(|next| ("Next".to_owned(), next)));
        if let Kind::Choice(choice) = &self.kind {
            targets.extend(choice.default.as_deref().map(|next| ("Default".to_owned(), next)));
            for (index, rule) in choice.rules.iter().enumerate() {
                targets.push((format!("Choices[{index}]/Next"), &rule.next));
            }
        }
        for (index, catcher) in self
            .kind
            .handling()
            .iter()
            .flat_map(|handling| &handling.catch)
            .enumerate()
        {
            targets.push((format!("Catch[{index}]/Next"), &catcher.next));
        }
        targets
    }
}
