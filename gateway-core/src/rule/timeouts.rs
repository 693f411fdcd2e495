//! Timeouts of a request and of one attempt at a backend.

use std::num::NonZeroU32;
use std::time::Duration;

/// The timeouts of a rule. `None` is no limit: the field is absent, or `0s`.
///
/// Kept in whole milliseconds, the unit of the API, rounded up; the longest is seven weeks. There is one for each rule of a
/// table, most of which have none, so they take few bytes.
///
/// ```
/// use std::time::Duration;
///
/// use gateway_core::rule::Timeouts;
///
/// let timeouts = Timeouts::new(Some(Duration::from_secs(5)), Some(Duration::ZERO));
/// assert_eq!(timeouts.request(), Some(Duration::from_secs(5)));
/// assert_eq!(timeouts.backend_request(), None);
/// ```
///
/// # Spec
/// `HTTPRouteTimeouts`, [TMO-01](crate::spec#TMO-01) to [TMO-06](crate::spec#TMO-06), [CON-10](crate::choices#CON-10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Timeouts {
    request: Option<Milliseconds>,
    backend_request: Option<Milliseconds>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Milliseconds(NonZeroU32);

// === impl Timeouts ===

impl Timeouts {
    /// These timeouts.
    pub fn new(request: Option<Duration>, backend_request: Option<Duration>) -> Self {
        Self {
            request: request.and_then(Milliseconds::new),
            backend_request: backend_request.and_then(Milliseconds::new),
        }
    }

    /// The same, with no more than `limit` for the request. Who has no time at all gets a millisecond: 0 would be no limit.
    pub fn with_request_within(self, limit: Duration) -> Self {
        let limit = limit.max(Duration::from_millis(1));
        let request = self.request().map_or(limit, |request| request.min(limit));
        Self::new(Some(request), self.backend_request())
    }

    /// From the request's arrival to the end of the response.
    pub fn request(self) -> Option<Duration> {
        self.request.map(Milliseconds::duration)
    }

    /// One attempt: from the first byte sent to the backend to the end of its response.
    pub fn backend_request(self) -> Option<Duration> {
        self.backend_request.map(Milliseconds::duration)
    }
}

// === impl Milliseconds ===

impl Milliseconds {
    fn new(duration: Duration) -> Option<Self> {
        let up = duration.as_nanos().div_ceil(1_000_000);
        NonZeroU32::new(u32::try_from(up).unwrap_or(u32::MAX)).map(Self)
    }

    fn duration(self) -> Duration {
        Duration::from_millis(self.0.get().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // TMO-01, CON-10
    #[test]
    fn a_limit_is_never_shortened_unless_it_is_weeks_and_zero_is_none() {
        for (written, kept) in [
            (Duration::ZERO, None),
            (Duration::from_nanos(1), Some(Duration::from_millis(1))),
            (Duration::from_millis(1), Some(Duration::from_millis(1))),
            (Duration::from_micros(1_500), Some(Duration::from_millis(2))),
            (Duration::from_secs(3_600 * 24 * 49), Some(Duration::from_secs(3_600 * 24 * 49))),
            (Duration::from_secs(3_600 * 99_999), Some(Duration::from_millis(u32::MAX.into()))),
        ] {
            assert_eq!(Timeouts::new(Some(written), None).request(), kept, "{written:?}");
            assert_eq!(Timeouts::new(None, Some(written)).backend_request(), kept, "{written:?}");
        }
    }
    #[test]
    fn the_shorter_limit_counts() {
        let millis = |millis| Some(Duration::from_millis(millis));
        for (rule, limit, expected) in [(0, 5, 5), (3, 5, 3), (9, 5, 5), (9, 0, 1)] {
            let timeouts = Timeouts::new(millis(rule), millis(7));
            let limited = timeouts.with_request_within(Duration::from_millis(limit));
            assert_eq!((limited.request(), limited.backend_request()), (millis(expected), millis(7)));
        }
    }
}
