//! API Gateway mapping templates, rendered by Apache Velocity 1.7, the engine that API Gateway runs, and by airspeed-ext, a second one
//! that shares no code with it.
//!
//! Around the engine stand `$input`, `$util`, `$context` and `$stageVariables` as the API Gateway guide describes them.
//! `$util.escapeJavaScript` is the commons-lang function, JSONPath is the part that names one place (`$.a['b'][0]`), header names are
//! matched exactly. Never calls an API.

use std::{collections::BTreeMap, process::Command};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    Error, Refusal,
    tools::{self, Packages},
};

/// What API Gateway holds when it renders a request's mapping template.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Request {
    body: String,
    params: Parameters,
    context: Value,
    stage_variables: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
struct Parameters {
    path: BTreeMap<String, String>,
    querystring: BTreeMap<String, String>,
    header: BTreeMap<String, String>,
}

impl Request {
    /// A request with this body, no parameters, a request id and a source address.
    #[must_use]
    pub fn new(body: impl Into<String>) -> Self {
        let context =
            json!({ "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef", "identity": { "sourceIp": "192.0.2.1" } });
        Self {
            body: body.into(),
            context,
            ..Self::default()
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.params.header.insert(name.into(), value.into());
        self
    }

    /// Adds a parameter of the path.
    #[must_use]
    pub fn path_parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.params.path.insert(name.into(), value.into());
        self
    }

    /// Adds a parameter of the query string.
    #[must_use]
    pub fn query_parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.params.querystring.insert(name.into(), value.into());
        self
    }

    /// Adds a stage variable.
    #[must_use]
    pub fn stage_variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.stage_variables.insert(name.into(), value.into());
        self
    }

    /// Replaces what `$context` holds; `requestOverride` and `responseOverride` are always there.
    #[must_use]
    pub fn context(mut self, context: Map<String, Value>) -> Self {
        self.context = Value::Object(context);
        self
    }
}

/// What a template made of a request.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Rendering {
    /// The text.
    pub body: String,
    /// What the template left in `$context.requestOverride`: `header`, `path`, `querystring`.
    pub request_override: Value,
    /// What the template left in `$context.responseOverride`: `header`, and `status` if it set one.
    pub response_override: Value,
    /// The references that nothing answers, such as a misspelt `$context.requestID`. Only [`Engine::Velocity`] reports them; quiet ones
    /// (`$!name`) are not among them.
    pub unresolved: Vec<String>,
}

impl Rendering {
    /// The status that the template set, if it did.
    #[must_use]
    pub fn status(&self) -> Option<u64> {
        self.response_override["status"].as_u64()
    }
}

/// A template engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Apache Velocity 1.7, in a Java process of its own.
    Velocity,
    /// airspeed-ext. More lenient than Velocity: it prints what it cannot parse, and ignores unknown functions.
    Airspeed,
}

impl Engine {
    fn tool(self) -> &'static str {
        match self {
            Self::Velocity => "Apache Velocity",
            Self::Airspeed => "airspeed-ext",
        }
    }

    fn script(self) -> &'static str {
        match self {
            Self::Velocity => "vtl_velocity.py",
            Self::Airspeed => "vtl_airspeed.py",
        }
    }
}

/// Renders one template in Apache Velocity.
///
/// # Errors
/// [`Error::Refused`] when the engine refuses the template; the other errors when the engine cannot be had or run.
pub fn render(template: &str, request: &Request) -> Result<Rendering, Error> {
    Ok(render_all(Engine::Velocity, &[(template, request)])?.remove(0)?)
}

/// Renders one template in airspeed-ext.
///
/// # Errors
/// As [`render`].
pub fn render_airspeed(template: &str, request: &Request) -> Result<Rendering, Error> {
    Ok(render_all(Engine::Airspeed, &[(template, request)])?.remove(0)?)
}

/// Renders each template with its request, in order, in one process of the engine (Java starts once).
///
/// # Errors
/// When the engine cannot be had or run; a refused template is the answer to its job.
pub fn render_all(engine: Engine, jobs: &[(&str, &Request)]) -> Result<Vec<Result<Rendering, Refusal>>, Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Answer {
        Rendered(Rendering),
        Refused { refused: String },
    }

    let jars = if engine == Engine::Velocity {
        tools::velocity_jars()?
    } else {
        Vec::new()
    };
    let mut command = Command::new(tools::python(Packages::Velocity)?);
    command
        .arg("-B")
        .arg(tools::script(engine.script()))
        .args(jars)
        .env_remove("PYTHONPATH");
    let jobs: Vec<Value> = jobs
        .iter()
        .map(|(template, request)| json!({ "template": template, "request": request }))
        .collect();
    let answers: Vec<Answer> = tools::answer(engine.tool(), &mut command, &json!({ "jobs": jobs }).to_string())?;
    let renderings = answers.into_iter().map(|answer| match answer {
        Answer::Rendered(rendering) => Ok(rendering),
        Answer::Refused { refused } => Err(Refusal {
            tool: engine.tool(),
            message: refused,
        }),
    });
    Ok(renderings.collect())
}

#[cfg(test)]
mod tests;
