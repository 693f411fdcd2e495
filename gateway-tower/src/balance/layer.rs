//! The layer that makes [`Balance`].

use tower_layer::Layer;

use super::Balance;

/// Chooses an endpoint of the chosen backend.
#[derive(Clone, Copy, Debug, Default)]
pub struct BalanceLayer;

// === impl BalanceLayer ===

impl<S> Layer<S> for BalanceLayer {
    type Service = Balance<S>;

    fn layer(&self, inner: S) -> Balance<S> {
        Balance::new(inner)
    }
}
