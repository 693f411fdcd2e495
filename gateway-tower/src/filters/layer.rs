//! The layer that makes [`Filters`].

use tower_layer::Layer;

use super::Filters;

/// Runs the filters of the rule.
#[derive(Clone, Copy, Debug, Default)]
pub struct FiltersLayer;

// === impl FiltersLayer ===

impl<S> Layer<S> for FiltersLayer {
    type Service = Filters<S>;

    fn layer(&self, inner: S) -> Filters<S> {
        Filters { inner }
    }
}
