//! The layer that makes [`Timeouts`].

use tower_layer::Layer;

use super::{Limit, Timeouts};

/// Keeps to one of the timeouts of the rule.
///
/// The page of [`timeouts`](crate::timeouts) has an example.
#[derive(Clone, Copy, Debug)]
pub struct TimeoutsLayer {
    limit: Limit,
}

// === impl TimeoutsLayer ===

impl TimeoutsLayer {
    /// Keeps to the rule's timeout of this name.
    pub fn new(limit: Limit) -> Self {
        Self { limit }
    }
}

impl<S> Layer<S> for TimeoutsLayer {
    type Service = Timeouts<S>;

    fn layer(&self, inner: S) -> Timeouts<S> {
        Timeouts { inner, limit: self.limit }
    }
}
