//! Addresses: the API's own, and where a redirect leads.

use http::header::LOCATION;

use super::message::Answer;
use super::transport::Transport;

impl Transport {
    /// Where an answer redirects to, if that is the same API: only there the credential may go.
    pub(super) fn within(&self, answer: &Answer) -> Option<String> {
        let location = location(answer)?;
        let location = match location.strip_prefix('/') {
            // A path alone is of the same host, which on an Enterprise Server has more than the API.
            Some(_) => format!("{}{location}", origin(&self.base)),
            None => location,
        };
        let path = location.strip_prefix(&self.base)?;
        (path.starts_with("/repos/") || path.starts_with("/repositories/")).then_some(location)
    }
}

/// Makes sure that an address can be a base address. Returns it without the slash that people leave at its end.
pub(super) fn base(address: &str) -> Option<String> {
    let base = address.trim_end_matches('/');
    let uri: http::Uri = base.parse().ok()?;
    let scheme = uri.scheme_str()?;
    (matches!(scheme, "http" | "https") && uri.host().is_some() && uri.query().is_none()).then(|| base.to_owned())
}

fn origin(base: &str) -> &str {
    let after_scheme = base.find("://").map_or(0, |at| at + 3);
    base[after_scheme..]
        .find('/')
        .map_or(base, |at| &base[..after_scheme + at])
}

pub(super) fn location(answer: &Answer) -> Option<String> {
    Some(answer.headers.get(LOCATION)?.to_str().ok()?.to_owned())
}
