//! The layer that makes [`Retry`].

use tower_layer::Layer;

use super::Retry;

/// Tries requests again as their rules say.
#[derive(Clone, Copy, Debug, Default)]
pub struct RetryLayer;

// === impl RetryLayer ===

impl<S> Layer<S> for RetryLayer {
    type Service = Retry<S>;

    fn layer(&self, inner: S) -> Retry<S> {
        Retry { inner }
    }
}
