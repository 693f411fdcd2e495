//! The less busy of two endpoints.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Attempt, EndpointKey, Pick, Picked, States};
use crate::body::guard::{Guard, Release};

/// Of two random endpoints the one with fewer requests under way, by this gateway and for whatever backend.
///
/// Two rather than all: a gateway knows its own requests only, and if every gateway sent all of them to the one endpoint
/// that it takes for idle, that one would not be for long. A retry chooses among endpoints that were not tried, as long as
/// there are any.
#[derive(Debug, Default)]
pub struct LeastRequests {
    endpoints: States<EndpointKey, UnderWay>,
}

/// The requests under way at one endpoint.
#[derive(Debug, Default)]
struct UnderWay(AtomicU32);

// === impl LeastRequests ===

impl LeastRequests {
    /// A picker that knows of no requests yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts the attempt at the endpoint at this position for as long as it lasts.
    fn count(&self, attempt: &Attempt<'_>, position: usize) -> Picked {
        let requests = self.endpoints.get(&EndpointKey::from(&attempt.endpoints()[position]));
        requests.0.fetch_add(1, Ordering::Relaxed);
        Picked::new(position).held(Guard::new(Arc::clone(&requests)))
    }

    fn under_way(&self, attempt: &Attempt<'_>, position: usize) -> u32 {
        let endpoint = EndpointKey::from(&attempt.endpoints()[position]);
        self.endpoints.peek(&endpoint, |requests| requests.0.load(Ordering::Relaxed)).unwrap_or(0)
    }
}

impl Pick for LeastRequests {
    fn pick(&self, attempt: &Attempt<'_>) -> Option<Picked> {
        let count = attempt.endpoints().len();
        let position = match count {
            0 => return None,
            1 => 0,
            count => {
                let one = fastrand::usize(..count);
                // Any but the first.
                let other = (one + 1 + fastrand::usize(..count - 1)) % count;
                let (one, other) = (attempt.first_untried(one), attempt.first_untried(other));
                if self.under_way(attempt, other) < self.under_way(attempt, one) { other } else { one }
            }
        };
        Some(self.count(attempt, position))
    }

    fn keep(&self, attempt: &Attempt<'_>, position: usize) -> Picked {
        self.count(attempt, position)
    }
}

// === impl UnderWay ===

impl Release for UnderWay {
    fn release(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
