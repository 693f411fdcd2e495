//! The header modifier, of HTTPRoute and GRPCRoute.

use super::pattern;
use super::problem::Problems;
use crate::api::{HttpHeader, HttpHeaderFilter};

/// # Spec
/// LIM-15, LIM-16, VAL-ST-01, VAL-ST-02. Nothing is asked of the names in `remove` but that they differ.
pub(super) fn header_modifier(modifier: &HttpHeaderFilter, at: &mut Problems) {
    let HttpHeaderFilter { set, add, remove } = modifier;
    for (name, headers) in [("set", set), ("add", add)] {
        let headers = at.list(name, headers, 0..=16, "LIM-15", header);
        at.unique(name, headers, Some("name"), "VAL-ST-01", |header| header.name.as_str());
    }
    let remove = at.list("remove", remove, 0..=16, "LIM-15", |_, _| {});
    at.unique("remove", remove, None, "VAL-ST-02", |name| name.as_str());
}

pub(super) fn header(header: &HttpHeader, at: &mut Problems) {
    at.text("name", &header.name, &pattern::HEADER_NAME);
    at.header_value(&header.value);
}
