//! The signature: HMAC-SHA-256 over the raw body, see
//! <https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries>.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use contract::Delivery;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::PayloadError;

/// The largest body in bytes: what fits, as base64, into the input of an execution.
pub const LARGEST_BODY: usize = 262_144 / 4 * 3;

/// The longest header in bytes; API Gateway takes no more of all of them together.
const LONGEST_HEADER: usize = 10_240;

/// A delivery's parts as GitHub sent them. Nothing of it is verified.
#[derive(Clone, PartialEq, Eq)]
pub struct RawDelivery {
    /// The body.
    pub body: Vec<u8>,
    /// `X-GitHub-Event`.
    pub event: String,
    /// `X-GitHub-Delivery`.
    pub delivery: String,
    /// `X-Hub-Signature-256`.
    pub signature: Vec<u8>,
}

/// Why a signature is refused. Says nothing of what it should have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// It is not of the one form that GitHub sends.
    #[error(
        "the signature is malformed, allowed is `sha256=` with 64 lower-case hexadecimal digits\n  help: give the webhook a secret, so that GitHub sends `X-Hub-Signature-256`"
    )]
    Malformed,
    /// It is not of this body.
    #[error(
        "the signature is not of this body under any current secret\n  help: enter the value of the webhook's secret, as Secrets Manager holds it, on GitHub"
    )]
    Mismatch,
}

/// Decodes the parts of a delivery, each of which API Gateway has passed on as base64.
///
/// # Errors
/// [`PayloadError`] where a part is no base64 or too large, or a header is not UTF-8.
pub fn unpack(delivery: &Delivery) -> Result<RawDelivery, PayloadError> {
    Ok(RawDelivery {
        body: decode("body", &delivery.body, LARGEST_BODY)?,
        event: header("event", &delivery.event)?,
        delivery: header("delivery", &delivery.delivery)?,
        signature: decode("signature", &delivery.signature, LONGEST_HEADER)?,
    })
}

/// Passes if the signature is that of the body under one of the secrets: the current one, or during a rotation the one before.
///
/// The comparison takes the same time wherever the first difference is. An empty secret signs nothing.
///
/// # Errors
/// [`SignatureError`].
pub fn verify<'a>(
    secrets: impl IntoIterator<Item = &'a [u8]>,
    body: &[u8],
    signature: &[u8],
) -> Result<(), SignatureError> {
    let signature = digest(signature).ok_or(SignatureError::Malformed)?;
    let signed = secrets
        .into_iter()
        .filter(|secret| !secret.is_empty())
        .filter_map(|secret| Hmac::<Sha256>::new_from_slice(secret).ok())
        .any(|hmac| hmac.chain_update(body).verify_slice(&signature).is_ok());
    if signed { Ok(()) } else { Err(SignatureError::Mismatch) }
}

/// The 32 bytes of `sha256=…`. Upper-case digits are refused: they are not what was sent.
fn digest(signature: &[u8]) -> Option<[u8; 32]> {
    let digits: &[u8; 64] = signature.strip_prefix(b"sha256=")?.try_into().ok()?;
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

const fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

fn decode(part: &'static str, text: &str, most: usize) -> Result<Vec<u8>, PayloadError> {
    if text.len() > most.div_ceil(3) * 4 {
        return Err(PayloadError::TooLarge {
            part,
            size: text.len() / 4 * 3,
            most,
        });
    }
    BASE64_STANDARD.decode(text).map_err(|_| PayloadError::NoBase64(part))
}

fn header(part: &'static str, text: &str) -> Result<String, PayloadError> {
    String::from_utf8(decode(part, text, LONGEST_HEADER)?).map_err(|_| PayloadError::NoUtf8(part))
}
