//! The filters of single backends of a rule.

use crate::filter::HttpFilter;

/// The filters of the backends of a rule, by their positions among its [`Backends`](super::Backends).
///
/// Takes one word where no backend has filters of its own, which is the common case.
///
/// ```
/// use gateway_core::filter::HttpFilter;
/// use gateway_core::rule::BackendFilters;
///
/// let filters = BackendFilters::from_iter([[].into(), [HttpFilter::Unresolved].into()]);
/// assert_eq!((filters.of(0).len(), filters.of(1).len(), filters.of(2).len()), (0, 1, 0));
/// assert!(BackendFilters::from_iter([[].into()]).is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BackendFilters(Option<Box<Lists>>);

/// One list for each backend.
#[derive(Clone, Debug, PartialEq)]
struct Lists(Box<[Box<[HttpFilter]>]>);

// === impl BackendFilters ===

impl BackendFilters {
    /// The filters of the backend at this position.
    pub fn of(&self, position: usize) -> &[HttpFilter] {
        self.lists().get(position).map_or(&[], |filters| filters)
    }

    /// The filters of each backend; none at all where none of them has any.
    pub fn lists(&self) -> &[Box<[HttpFilter]>] {
        self.0.as_ref().map_or(&[], |lists| &lists.0)
    }

    /// Whether no backend has filters of its own.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

impl FromIterator<Box<[HttpFilter]>> for BackendFilters {
    /// The filters of each backend, in the order in which the backends are listed.
    fn from_iter<I: IntoIterator<Item = Box<[HttpFilter]>>>(lists: I) -> Self {
        let lists: Box<[_]> = lists.into_iter().collect();
        let any = lists.iter().any(|filters| !filters.is_empty());
        Self(any.then(|| Box::new(Lists(lists))))
    }
}
