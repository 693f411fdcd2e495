//! The layer that makes [`Filters`].

use tower_layer::Layer;

use super::{Filters, List};

/// Runs the filters of one list.
#[derive(Clone, Copy, Debug)]
pub struct FiltersLayer {
    list: List,
}

// === impl FiltersLayer ===

impl FiltersLayer {
    /// Runs the filters of this list.
    pub fn new(list: List) -> Self {
        Self { list }
    }
}

impl<S> Layer<S> for FiltersLayer {
    type Service = Filters<S>;

    fn layer(&self, inner: S) -> Filters<S> {
        Filters { inner, list: self.list }
    }
}
