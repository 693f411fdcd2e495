//! The layer that makes [`Dispatch`].

use tower_layer::Layer;

use super::{Dispatch, Trust};

/// Takes requests from their rules to their backends.
#[derive(Clone, Copy, Debug, Default)]
pub struct DispatchLayer {
    trust: Trust,
}

// === impl DispatchLayer ===

impl DispatchLayer {
    /// The layer for a gateway that stands there: whose word about clients counts.
    pub fn new(trust: Trust) -> Self {
        Self { trust }
    }
}

impl<S> Layer<S> for DispatchLayer {
    type Service = Dispatch<S>;

    fn layer(&self, inner: S) -> Dispatch<S> {
        Dispatch { inner, trust: self.trust }
    }
}
