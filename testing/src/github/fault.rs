//! Faults that a test asks for: on which requests, in which order, before or after the request was carried out.

use std::collections::VecDeque;
use std::time::Duration;

/// What goes wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub(super) kind: Kind,
    pub(super) carried_out: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    None,
    Answer {
        status: u16,
        message: String,
        headers: Vec<(&'static str, String)>,
    },
    /// Seconds from now.
    PrimaryLimit(u64),
    Hang,
    Cut,
    CutInAnswer,
}

impl Fault {
    /// Nothing goes wrong: a place in a row of faults.
    pub fn none() -> Self {
        Self::of(Kind::None)
    }

    /// An answer with this status, in GitHub's form.
    pub fn status(status: u16) -> Self {
        let message = match status {
            401 => "Bad credentials",
            403 => "Resource not accessible by integration",
            404 => "Not Found",
            422 => "Validation Failed",
            429 => "Too Many Requests",
            502 => "Server Error",
            503 => "Service Unavailable",
            _ => "Internal Server Error",
        };
        Self::of(Kind::Answer {
            status,
            message: message.to_owned(),
            headers: Vec::new(),
        })
    }

    /// 403, since the requests of the hour are used up until so many seconds from now.
    pub fn primary_limit(resets_in: Duration) -> Self {
        Self::of(Kind::PrimaryLimit(resets_in.as_secs()))
    }

    /// 403, since there were too many requests in too short a time; with `retry-after` if it says when to try again.
    pub fn secondary_limit(retry_after: Option<Duration>) -> Self {
        Self::of(Kind::Answer {
            status: 403,
            message: "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
                .to_owned(),
            headers: retry_after
                .map(|wait| ("retry-after", wait.as_secs().to_string()))
                .into_iter()
                .collect(),
        })
    }

    /// 429 with `retry-after`.
    pub fn too_many_requests(retry_after: Duration) -> Self {
        let mut fault = Self::status(429);
        if let Kind::Answer { headers, .. } = &mut fault.kind {
            headers.push(("retry-after", retry_after.as_secs().to_string()));
        }
        fault
    }

    /// A redirect.
    pub fn redirect(status: u16, location: impl Into<String>) -> Self {
        Self::of(Kind::Answer {
            status,
            message: "Moved".to_owned(),
            headers: vec![("location", location.into())],
        })
    }

    /// No answer at all, and the connection stays open.
    pub fn hang() -> Self {
        Self::of(Kind::Hang)
    }

    /// The connection is cut before there is an answer.
    pub fn cut() -> Self {
        Self::of(Kind::Cut)
    }

    /// The connection is cut in the middle of the answer.
    pub fn cut_in_answer() -> Self {
        Self::of(Kind::CutInAnswer)
    }

    /// The same, but GitHub has carried out the request before.
    #[must_use]
    pub fn once_carried_out(mut self) -> Self {
        self.carried_out = true;
        self
    }

    fn of(kind: Kind) -> Self {
        Self {
            kind,
            carried_out: false,
        }
    }
}

/// Which requests go wrong, and how.
#[derive(Debug)]
pub(super) struct Rule {
    method: String,
    path: String,
    faults: VecDeque<Fault>,
    always: Option<Fault>,
}

impl Rule {
    /// `POST /statuses`: the method, or `*`, and a part of the path and query.
    pub(super) fn new(on: &str, faults: impl IntoIterator<Item = Fault>, always: Option<Fault>) -> Self {
        let (method, path) = on.split_once(' ').unwrap_or(("*", on));
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            faults: faults.into_iter().collect(),
            always,
        }
    }

    /// How many of its faults have not come yet.
    pub(super) fn left(&self) -> usize {
        self.faults.len()
    }

    /// The fault of this request, if the rule is about it.
    pub(super) fn next(&mut self, method: &str, path: &str) -> Option<Fault> {
        if !(self.method == "*" || self.method == method) || !path.contains(&self.path) {
            return None;
        }
        self.faults.pop_front().or_else(|| self.always.clone())
    }
}
