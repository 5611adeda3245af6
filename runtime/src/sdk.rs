//! What the SDK's errors say, in one line for people; and the region that the functions run in.

pub use clients::words::{code, hexadecimal, message, shortened, words};

use crate::aws::SdkConfig;
use crate::functions::StartError;

/// The region that the functions run in, which Lambda tells every function.
///
/// # Errors
/// Where it is not set.
pub fn region(aws: &SdkConfig) -> Result<String, StartError> {
    aws.region()
        .map(ToString::to_string)
        .ok_or(StartError::Missing("AWS_REGION"))
}
