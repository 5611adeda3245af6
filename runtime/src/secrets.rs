//! Secrets Manager: values that are read when they are needed, kept for a few minutes, and never shown.

use std::fmt;
use std::time::{Duration, Instant};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{DisplayErrorContext, SdkError};
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use aws_types::SdkConfig;
pub use clients::secret::SecretText;
use tokio::sync::Mutex;

/// How long a value is believed. A rotation is noticed after that; the version before it stays valid for longer.
const KEPT: Duration = Duration::from_secs(300);

/// The secret of one ARN.
#[derive(Debug)]
pub struct Secret {
    client: Client,
    arn: String,
    current: Mutex<Option<(Instant, SecretText)>>,
}

/// Why a secret could not be read. Says which, never what.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the secret {arn} could not be read: {reason}")]
pub struct SecretError {
    arn: String,
    reason: String,
}

impl Secret {
    /// The secret of this ARN, which is not read yet.
    pub fn new(aws: &SdkConfig, arn: String) -> Self {
        Self {
            client: Client::new(aws),
            arn,
            current: Mutex::new(None),
        }
    }

    /// The current value, from Secrets Manager or as read in the last five minutes.
    ///
    /// # Errors
    /// Where Secrets Manager did not give it.
    pub async fn current(&self) -> Result<SecretText, SecretError> {
        let mut kept = self.current.lock().await;
        if let Some((read, value)) = kept.as_ref()
            && read.elapsed() < KEPT
        {
            return Ok(value.clone());
        }
        let value = self
            .read("AWSCURRENT")
            .await?
            .ok_or_else(|| self.error("it has no value; enter one"))?;
        *kept = Some((Instant::now(), value.clone()));
        Ok(value)
    }

    /// The value before the last rotation, if there was one. Always asks: it is needed only where the current one does not fit.
    ///
    /// # Errors
    /// Where Secrets Manager did not answer.
    pub async fn previous(&self) -> Result<Option<SecretText>, SecretError> {
        self.read("AWSPREVIOUS").await
    }

    /// Forgets what was read, so that the next [`current`](Self::current) asks again.
    pub async fn forget(&self) {
        *self.current.lock().await = None;
    }

    async fn read(&self, stage: &str) -> Result<Option<SecretText>, SecretError> {
        let answer = self
            .client
            .get_secret_value()
            .secret_id(&self.arn)
            .version_stage(stage)
            .send()
            .await;
        match answer {
            Ok(value) => Ok(value.secret_string.map(SecretText::new)),
            Err(SdkError::ServiceError(error))
                if matches!(error.err(), GetSecretValueError::ResourceNotFoundException(_)) =>
            {
                Ok(None)
            }
            Err(error) => Err(self.error(DisplayErrorContext(&error))),
        }
    }

    fn error(&self, reason: impl fmt::Display) -> SecretError {
        SecretError {
            arn: self.arn.clone(),
            reason: reason.to_string(),
        }
    }
}
