//! Timeouts and retries of a request.

use std::time::Duration;

use gateway_core::api::HttpRouteRule;
use http::HeaderMap;

use super::super::{Retry, Timeouts};
use super::{Pattern, pattern};

/// TMO-01 to TMO-03: `0s` is no limit.
pub(super) fn timeouts(rule: &HttpRouteRule) -> Timeouts {
    let Some(written) = &rule.timeouts else { return Timeouts::default() };
    let limit = |text: &Option<String>| text.as_deref().map(duration).filter(|limit| !limit.is_zero());
    Timeouts { request: limit(&written.request), backend_request: limit(&written.backend_request) }
}

/// GRP-14: the time that a call has by itself, where no rule can give it one. It is kept in whole milliseconds, at least one.
pub(super) fn of_call(headers: &HeaderMap) -> Timeouts {
    static TIME: Pattern = pattern!("^([0-9]{1,8})([HMSmun])$");
    let written = headers.get("grpc-timeout").and_then(|value| value.to_str().ok());
    let request = written.and_then(|written| TIME.captures(written)).map(|time| {
        let number: u64 = time[1].parse().expect("eight digits at most");
        let (milliseconds, parts) = match &time[2] {
            "H" => (3_600_000, 1),
            "M" => (60_000, 1),
            "S" => (1_000, 1),
            "m" => (1, 1),
            "u" => (1, 1_000),
            _ => (1, 1_000_000),
        };
        // The longest is seven weeks.
        let kept = (number * milliseconds).div_ceil(parts).clamp(1, u32::MAX.into());
        Duration::from_millis(kept)
    });
    Timeouts { request, backend_request: None }
}

/// RTY-01, RTY-02, RTY-05; AMB-56: 25 milliseconds where nothing is said, never more than 100 retries, and 0 is none.
pub(super) fn retry(rule: &HttpRouteRule) -> Option<Retry> {
    let written = rule.retry.as_ref().filter(|written| written.attempts > 0)?;
    Some(Retry {
        codes: written.codes.clone(),
        attempts: written.attempts.min(100) as u32,
        backoff: written.backoff.as_deref().map_or(Duration::from_millis(25), duration),
    })
}

/// TMO-07: the sum of the parts. The schema has let nothing else through.
pub(super) fn duration(text: &str) -> Duration {
    static PART: Pattern = pattern!("([0-9]+)(h|ms|m|s)");
    let milliseconds = PART.captures_iter(text).map(|part| {
        let number: u64 = part[1].parse().expect("five digits at most");
        number
            * match &part[2] {
                "h" => 3_600_000,
                "m" => 60_000,
                "s" => 1_000,
                _ => 1,
            }
    });
    Duration::from_millis(milliseconds.sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    // TMO-07
    #[test]
    fn a_duration_is_the_sum_of_its_parts() {
        let read = ["500ms", "1m30s", "1h1ms", "0s"].map(|text| duration(text).as_millis());
        assert_eq!(read, [500, 90_000, 3_600_001, 0]);
    }
}
