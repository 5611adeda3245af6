//! Environment variables: their handles, and where a buildspec may take them from.

use std::fmt;

use synth_aws::Value;
use synth_aws::codebuild::project::{EnvironmentVariable, EnvironmentVariableType};

/// An environment variable of a build, named once for those who provide it and those who read it.
///
/// It displays as the shell reads it, `${NAME}`, so that commands are written with [`format!`]:
///
/// ```
/// use synth::codebuild::Variable;
///
/// const TABLE: Variable = Variable::new("TABLE_NAME");
/// assert_eq!(format!("load-data --table {TABLE}"), "load-data --table ${TABLE_NAME}");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Variable(&'static str);

impl Variable {
    /// A variable of that name: letters, digits and `_`, no digit first, and no `CODEBUILD_` in front, which CodeBuild
    /// keeps for itself. A name that breaks the rule is a fault of whatever provides it.
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// The name alone.
    pub const fn name(self) -> &'static str {
        self.0
    }

    /// The variable as one of a project, with a value that anyone who may see the project may read.
    pub fn plaintext(self, value: impl Into<Value<String>>) -> EnvironmentVariable {
        EnvironmentVariable::new(self.0, value).r#type(EnvironmentVariableType::Plaintext)
    }

    /// The variable as one of a project, with a value that CodeBuild fetches from Secrets Manager when the build starts.
    pub fn secret(self, reference: SecretReference) -> EnvironmentVariable {
        EnvironmentVariable::new(self.0, reference.to_string()).r#type(EnvironmentVariableType::SecretsManager)
    }

    /// The variable as one of a project, with a value that CodeBuild fetches from that parameter when the build starts.
    pub fn parameter(self, name: impl Into<Value<String>>) -> EnvironmentVariable {
        EnvironmentVariable::new(self.0, name).r#type(EnvironmentVariableType::ParameterStore)
    }
}

impl fmt::Display for Variable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "${{{}}}", self.0)
    }
}

/// A value in Secrets Manager, as a buildspec refers to it: `secret-id:json-key:version-stage:version-id`.
///
/// <https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec.env.secrets-manager>
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct SecretReference {
    secret: String,
    json_key: String,
    version_stage: String,
}

impl SecretReference {
    /// The whole of a secret, in its current version. `secret` is its name or ARN.
    pub fn new(secret: impl Into<String>) -> Self {
        Self {
            secret: secret.into(),
            json_key: String::new(),
            version_stage: String::new(),
        }
    }

    /// One key of a secret that is a JSON object.
    pub fn json_key(mut self, key: impl Into<String>) -> Self {
        self.json_key = key.into();
        self
    }

    /// Another version than `AWSCURRENT`, by its staging label.
    pub fn version_stage(mut self, stage: impl Into<String>) -> Self {
        self.version_stage = stage.into();
        self
    }
}

impl fmt::Display for SecretReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reference = format!("{}:{}:{}", self.secret, self.json_key, self.version_stage);
        formatter.write_str(reference.trim_end_matches(':'))
    }
}

/// Which program runs the commands; leaving it out runs `sh` on Linux.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shell {
    /// GNU Bash.
    Bash,
    /// The system's `sh`.
    Sh,
}

impl Shell {
    pub(super) const fn tag(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Sh => "/bin/sh",
        }
    }
}

/// What is wrong with the name of a variable that a buildspec, a project or an action provides.
pub(crate) fn fault_of_name(name: &str) -> Option<String> {
    let letters = |character: char| character.is_ascii_alphanumeric() || character == '_';
    if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) || !name.chars().all(letters) {
        return Some(format!(
            "{name:?} is no name of an environment variable, allowed are letters, digits and `_`, no digit first"
        ));
    }
    if name.starts_with("CODEBUILD_") {
        return Some(format!(
            "{name} begins with CODEBUILD_, which CodeBuild keeps for itself"
        ));
    }
    None
}
