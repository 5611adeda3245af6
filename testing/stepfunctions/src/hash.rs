//! The hashes that `$hash` and `States.Hash` know.

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

/// The hash of the text's UTF-8 bytes in small hexadecimal digits, `None` for an algorithm that is none of the five.
pub(crate) fn hex(text: &str, algorithm: &str) -> Option<String> {
    let bytes = match algorithm {
        "MD5" => Md5::digest(text).to_vec(),
        "SHA-1" => Sha1::digest(text).to_vec(),
        "SHA-256" => Sha256::digest(text).to_vec(),
        "SHA-384" => Sha384::digest(text).to_vec(),
        "SHA-512" => Sha512::digest(text).to_vec(),
        _ => return None,
    };
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
