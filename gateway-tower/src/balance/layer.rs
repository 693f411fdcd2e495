//! The layer that makes [`Balance`].

use std::sync::Arc;

use tower_layer::Layer;

use super::{Balance, Pick, Random};

/// Chooses an endpoint of the chosen backend.
#[derive(Clone, Debug)]
pub struct BalanceLayer {
    picker: Arc<dyn Pick>,
}

// === impl BalanceLayer ===

impl BalanceLayer {
    /// Lets `picker` choose. Layers that are to know of each other's requests share one.
    pub fn new(picker: Arc<dyn Pick>) -> Self {
        Self { picker }
    }

    /// What chooses.
    pub(crate) fn picker(&self) -> Arc<dyn Pick> {
        Arc::clone(&self.picker)
    }
}

impl Default for BalanceLayer {
    /// Chooses at random.
    fn default() -> Self {
        Self::new(Arc::new(Random))
    }
}

impl<S> Layer<S> for BalanceLayer {
    type Service = Balance<S>;

    fn layer(&self, inner: S) -> Balance<S> {
        Balance { inner, picker: Arc::clone(&self.picker) }
    }
}
