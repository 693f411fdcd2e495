//! Retries of failed attempts at a backend.

use std::time::Duration;

use http::StatusCode;

/// The retries of a rule.
///
/// # Spec
/// `HTTPRouteRetry`, [RTY-01](crate::spec#RTY-01) to [RTY-12](crate::spec#RTY-12); [AMB-56](crate::choices#AMB-56).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// The answers that count as failed. An attempt of which the backend has processed nothing always does.
    pub codes: Box<[StatusCode]>,
    /// The most retries after the first attempt; a Route cannot ask for more than [`MAX_ATTEMPTS`](Self::MAX_ATTEMPTS).
    pub attempts: u32,
    /// The base of the time between two attempts, which doubles each time.
    pub backoff: Duration,
}

// === impl Retry ===

impl Retry {
    /// The most retries that are made, whatever the rule says: without a bound one request might never end.
    pub const MAX_ATTEMPTS: u32 = 100;

    /// The first delay where the rule does not give one.
    pub const DEFAULT_BACKOFF: Duration = Duration::from_millis(25);

    /// The longest delay between two attempts.
    pub const MAX_BACKOFF: Duration = Duration::from_secs(10);

    /// Whether an answer with this status is tried again.
    pub fn retries(&self, status: StatusCode) -> bool {
        self.codes.contains(&status)
    }

    /// The delay before retry `number`, counted from 1.
    pub fn delay(&self, number: u32) -> Duration {
        let factor = 1u32.checked_shl(number.saturating_sub(1)).unwrap_or(u32::MAX);
        self.backoff.saturating_mul(factor).min(Self::MAX_BACKOFF.max(self.backoff))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // RTY-05
    #[test]
    fn the_delay_doubles_up_to_the_limit_and_is_never_less_than_the_backoff() {
        let retry =
            |millis| Retry { codes: Box::default(), attempts: 9, backoff: Duration::from_millis(millis) };
        assert_eq!([1, 2, 3].map(|n| retry(100).delay(n).as_millis()), [100, 200, 400]);
        assert_eq!(retry(100).delay(40), Retry::MAX_BACKOFF);
        assert_eq!(retry(60_000).delay(1), Duration::from_secs(60));
    }

    // RTY-01, RTY-04
    #[test]
    fn only_listed_codes_are_retried() {
        let retry = Retry { codes: [StatusCode::BAD_GATEWAY].into(), attempts: 1, backoff: Duration::ZERO };
        assert!(retry.retries(StatusCode::BAD_GATEWAY));
        assert!(!retry.retries(StatusCode::SERVICE_UNAVAILABLE));
    }
}
