//! The layer that makes [`Dispatch`].

use tower_layer::Layer;

use super::Dispatch;

/// Chooses the backend by weight.
#[derive(Clone, Copy, Debug, Default)]
pub struct DispatchLayer;

// === impl DispatchLayer ===

impl<S> Layer<S> for DispatchLayer {
    type Service = Dispatch<S>;

    fn layer(&self, inner: S) -> Dispatch<S> {
        Dispatch { inner }
    }
}
