//! The context of filters: what they must know besides the request.

use super::scheme::Scheme;
use crate::matching::MatchedPath;

/// What filters must know besides the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilterContext {
    /// The scheme of the listener that received the request.
    pub scheme: Scheme,
    /// The port of that listener, as the Gateway names it.
    pub port: u16,
    /// How the path of the request was matched.
    pub path: MatchedPath,
}
