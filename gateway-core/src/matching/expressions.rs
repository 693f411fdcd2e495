//! The regular expressions of one Route, by the text of requests that they look at.

use std::collections::HashMap;

use http::HeaderName;

use super::pattern::Pattern;

/// A text of requests that expressions look at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Text {
    Path,
    Service,
    Method,
    Header(HeaderName),
    QueryParam(Box<str>),
}

/// The expressions of a Route, collected to look at a text together. Another Route's must not be among them: it is compiled
/// for itself.
#[derive(Debug, Default)]
pub(crate) struct Expressions<'m>(HashMap<Text, Vec<&'m mut Pattern>>);

// === impl Expressions ===

impl<'m> Expressions<'m> {
    pub(super) fn add(&mut self, text: Text, pattern: &'m mut Pattern) {
        self.0.entry(text).or_default().push(pattern);
    }

    /// Lets those that look at the same text look together.
    pub(crate) fn join(self) {
        self.0.into_values().for_each(Pattern::join);
    }
}
