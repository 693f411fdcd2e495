//! Spans of time as options give them: any that there are, from none to more than the clock can add.

use std::time::Duration;

use tokio::time::Instant;

/// The longest that anything is waited for: what is longer is never.
pub(crate) const FOREVER: Duration = Duration::from_secs(30 * 365 * 86_400);

/// The shortest time from one look at something to the next: with less, looking would be all that is done.
#[cfg_attr(not(any(feature = "client", feature = "server")), allow(dead_code, reason = "they look"))]
pub(crate) const MOMENT: Duration = Duration::from_millis(10);

/// When so much time will have passed.
pub(crate) fn from_now(span: Duration) -> Instant {
    Instant::now() + span.min(FOREVER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_span_can_be_waited_for() {
        let longest = from_now(Duration::MAX);
        assert!(longest >= Instant::now() + FOREVER / 2);
        assert!(from_now(Duration::ZERO) <= Instant::now());
    }
}
