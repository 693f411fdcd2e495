//! Conditions on the value of a header or a query parameter.

use super::pattern::Pattern;

/// The condition on a value: the same for headers and query parameters.
///
/// # Spec
/// `HeaderMatchType`, `QueryParamMatchType`
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueMatch {
    /// Byte by byte.
    Exact(Box<[u8]>),
    /// The whole value, by a regular expression.
    Regex(Pattern),
}

// === impl ValueMatch ===

impl ValueMatch {
    /// Matches `value` only.
    pub fn exact(value: &str) -> Self {
        Self::Exact(value.as_bytes().into())
    }

    /// What is written.
    pub(crate) fn to_text(&self) -> String {
        match self {
            Self::Exact(exact) => String::from_utf8_lossy(exact).into_owned(),
            Self::Regex(pattern) => pattern.as_str().to_owned(),
        }
    }

    /// How many characters are written.
    pub fn length(&self) -> usize {
        match self {
            Self::Exact(exact) => String::from_utf8_lossy(exact).chars().count(),
            Self::Regex(pattern) => pattern.as_str().chars().count(),
        }
    }
}
