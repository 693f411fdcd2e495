//! The layer that makes [`Filters`], and which filters it is for.

use gateway_core::filter::HttpFilter;
use tower_layer::Layer;

use super::Filters;
use crate::routed::Routed;

/// Runs the filters of one list.
#[derive(Clone, Copy, Debug)]
pub struct FiltersLayer {
    list: List,
}

/// Which filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// Those of the rule: for all of its requests.
    Rule,
    /// Those of the reference to the backend that was chosen: for the requests that it gets.
    Backend,
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

// === impl List ===

impl List {
    /// The filters of a request.
    pub(super) fn filters(self, routed: &Routed) -> &[HttpFilter] {
        match self {
            Self::Rule => &routed.rule().filters,
            Self::Backend => routed.backend_filters(),
        }
    }
}
