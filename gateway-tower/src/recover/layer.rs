//! The layer that makes [`Recover`].

use tower_layer::Layer;

use super::Recover;

/// Refuses requests that the client fails.
#[derive(Clone, Copy, Debug, Default)]
pub struct RecoverLayer;

// === impl RecoverLayer ===

impl<C> Layer<C> for RecoverLayer {
    type Service = Recover<C>;

    fn layer(&self, client: C) -> Recover<C> {
        Recover::new(client)
    }
}
