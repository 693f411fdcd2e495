//! The interface that match entries of every kind of Route have in common.

use std::fmt;

use super::request::RequestHead;

/// One entry of a rule's `matches`: whether a request meets it, and how specific it is.
///
/// The specificity is an ordered summary with the criteria of the specification as fields, in its order: of the entries
/// that a request meets, the one with the greatest serves it.
pub trait Match {
    /// How specific an entry of the kind is; greater is more specific.
    type Specificity: Copy + Ord + fmt::Debug;

    /// Whether the request meets every condition of the entry.
    fn matches(&self, request: &RequestHead<'_>) -> bool;

    /// How specific the entry is.
    fn specificity(&self) -> Self::Specificity;
}
