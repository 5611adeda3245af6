//! When a request is sent again, as GitHub asks for it:
//! <https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#handle-rate-limit-errors-appropriately>.
//!
//! Only decides. It sends nothing, sleeps nowhere and knows no clock.

use std::time::Duration;

use http::{HeaderMap, StatusCode};

/// How often a request is sent at most.
pub(super) const ATTEMPTS: u32 = 4;

/// The wait after the first fault that may pass at once; each further one takes twice as long.
const FIRST: Duration = Duration::from_millis(500);

/// The wait for a secondary rate limit whose answer names none: "at least one minute", and longer each time.
const SECONDARY: Duration = Duration::from_secs(60);

/// What to do after a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    /// Send it again after this time.
    Again(Duration),
    /// It will be no better next time.
    Stop,
    /// Nobody knows whether it was carried out.
    Unknown,
}

/// Whether a request may be sent again although it may have been carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// It changes nothing, or the same thing to the same end.
    Harmless,
    /// It would make a second one.
    Doubles,
}

/// What to do after an answer that is neither a success nor a redirect. `sent` counts this request too; `now` is in seconds of
/// the Unix epoch, as `x-ratelimit-reset` is.
pub(super) fn after_answer(
    status: StatusCode,
    headers: &HeaderMap,
    message: &str,
    repeat: Repeat,
    sent: u32,
    now: u64,
) -> Next {
    if let Some(wait) = rate_limit(status, headers, message, sent, now) {
        return Next::Again(wait);
    }
    if status.is_server_error() {
        return match repeat {
            // A server that failed may have done it before.
            Repeat::Doubles => Next::Unknown,
            Repeat::Harmless => Next::Again(number(headers, "retry-after").map_or(back_off(sent), Duration::from_secs)),
        };
    }
    Next::Stop
}

/// What to do after a request that no answer came to. `left` says whether it was sent.
pub(super) fn after_silence(left: bool, repeat: Repeat, sent: u32) -> Next {
    match repeat {
        Repeat::Doubles if left => Next::Unknown,
        _ => Next::Again(back_off(sent)),
    }
}

/// The wait before the next request after so many.
pub(super) fn back_off(sent: u32) -> Duration {
    FIRST * 2_u32.saturating_pow(sent.saturating_sub(1).min(6))
}

/// How long a rate limit asks to wait, if the answer is one: what is limited was not carried out.
fn rate_limit(status: StatusCode, headers: &HeaderMap, message: &str, sent: u32, now: u64) -> Option<Duration> {
    if !matches!(status, StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS) {
        return None;
    }
    if let Some(seconds) = number(headers, "retry-after") {
        return Some(Duration::from_secs(seconds));
    }
    if number(headers, "x-ratelimit-remaining") == Some(0)
        && let Some(reset) = number(headers, "x-ratelimit-reset")
    {
        // A second more: the two clocks are not the same.
        return Some(Duration::from_secs(reset.saturating_sub(now) + 1));
    }
    let message = message.to_ascii_lowercase();
    let secondary = ["rate limit", "abuse detection"]
        .iter()
        .any(|words| message.contains(words));
    (secondary || status == StatusCode::TOO_MANY_REQUESTS)
        .then(|| SECONDARY * 2_u32.saturating_pow(sent.saturating_sub(1).min(6)))
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn headers(pairs: &[(&'static str, String)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    fn next(status: u16, pairs: &[(&'static str, String)], message: &str, sent: u32) -> Next {
        let status = StatusCode::from_u16(status).unwrap();
        after_answer(status, &headers(pairs), message, Repeat::Harmless, sent, NOW)
    }

    fn seconds(seconds: u64) -> Next {
        Next::Again(Duration::from_secs(seconds))
    }

    #[test]
    fn the_primary_limit_is_waited_for_until_it_resets() {
        let headers = [
            ("x-ratelimit-remaining", "0".to_owned()),
            ("x-ratelimit-reset", (NOW + 90).to_string()),
        ];
        assert_eq!(next(403, &headers, "API rate limit exceeded", 1), seconds(91));
        assert_eq!(next(429, &headers, "API rate limit exceeded", 1), seconds(91));
        let past = [
            ("x-ratelimit-remaining", "0".to_owned()),
            ("x-ratelimit-reset", (NOW - 5).to_string()),
        ];
        assert_eq!(next(403, &past, "", 1), seconds(1));
    }

    #[test]
    fn the_secondary_limit_is_waited_for_as_long_as_it_says() {
        let headers = [("retry-after", "17".to_owned())];
        assert_eq!(next(403, &headers, "", 1), seconds(17));
        assert_eq!(next(429, &headers, "", 3), seconds(17));
    }

    #[test]
    fn retry_after_goes_before_the_reset_of_the_primary_limit() {
        let headers = [
            ("retry-after", "3".to_owned()),
            ("x-ratelimit-remaining", "0".to_owned()),
            ("x-ratelimit-reset", (NOW + 900).to_string()),
        ];
        assert_eq!(next(403, &headers, "", 1), seconds(3));
    }

    #[test]
    fn a_secondary_limit_without_a_time_waits_a_minute_and_then_longer() {
        let words = "You have exceeded a secondary rate limit.";
        assert_eq!(next(403, &[], words, 1), seconds(60));
        assert_eq!(next(403, &[], words, 2), seconds(120));
        assert_eq!(
            next(403, &[], "You have triggered an abuse detection mechanism.", 1),
            seconds(60)
        );
        assert_eq!(next(429, &[], "", 3), seconds(240));
    }

    #[test]
    fn a_right_that_is_missing_is_not_asked_for_again() {
        let left = [
            ("x-ratelimit-remaining", "4999".to_owned()),
            ("x-ratelimit-reset", (NOW + 90).to_string()),
        ];
        assert_eq!(
            next(403, &left, "Resource not accessible by integration", 1),
            Next::Stop
        );
        for status in [400, 401, 404, 409, 410, 422, 451] {
            assert_eq!(next(status, &[], "", 1), Next::Stop, "{status}");
        }
        // The last request of an hour may fail for another reason.
        let none_left = [
            ("x-ratelimit-remaining", "0".to_owned()),
            ("x-ratelimit-reset", (NOW + 90).to_string()),
        ];
        assert_eq!(next(404, &none_left, "", 1), Next::Stop);
    }

    #[test]
    fn a_server_fault_is_tried_again_after_longer_and_longer_waits() {
        for status in [500, 502, 503, 504] {
            let waits: Vec<_> = (1..4).map(|sent| next(status, &[], "", sent)).collect();
            let expected = [500, 1_000, 2_000].map(|millis| Next::Again(Duration::from_millis(millis)));
            assert_eq!(waits, expected, "{status}");
        }
        assert_eq!(next(503, &[("retry-after", "5".to_owned())], "", 1), seconds(5));
    }

    #[test]
    fn what_may_have_been_done_is_not_done_twice() {
        let fault = |status| after_answer(status, &HeaderMap::new(), "", Repeat::Doubles, 1, NOW);
        assert_eq!(fault(StatusCode::BAD_GATEWAY), Next::Unknown);
        assert_eq!(after_silence(true, Repeat::Doubles, 1), Next::Unknown);
        // What was limited, or never left, was not done.
        assert_eq!(fault(StatusCode::TOO_MANY_REQUESTS), seconds(60));
        assert_eq!(after_silence(false, Repeat::Doubles, 1), Next::Again(FIRST));
        assert_eq!(after_silence(true, Repeat::Harmless, 2), Next::Again(FIRST * 2));
    }
}
