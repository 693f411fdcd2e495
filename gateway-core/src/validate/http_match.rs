//! The conditions of HTTPRoute on a request.

use super::pattern;
use super::problem::{Problems, clipped};
use crate::api::{HttpPathMatch, HttpRouteMatch, PathMatchType};

/// One match. Methods and types of matches that are not known pass: they have a condition of their own (RTE-30), and so
/// have regular expressions that do not compile (VAL-ST-07).
///
/// # Spec
/// LIM-13, LIM-16, VAL-ST-01.
pub(super) fn http_match(entry: &HttpRouteMatch, at: &mut Problems) {
    path(&entry.path, at);
    if !entry.headers.is_empty() {
        let headers = at.list("headers", &entry.headers, 0..=16, "LIM-13", |header, at| {
            at.text("name", &header.name, &pattern::HEADER_NAME);
            at.header_value(&header.value);
        });
        at.unique("headers", headers, Some("name"), "VAL-ST-01", |header| header.name.as_str());
    }
    if !entry.query_params.is_empty() {
        let query_params =
            at.list("queryParams", &entry.query_params, 0..=16, "LIM-13", |query_param, at| {
                at.text("name", &query_param.name, &pattern::HEADER_NAME);
                at.length("value", &query_param.value, 1..=1024, "LIM-16");
            });
        at.unique("queryParams", query_params, Some("name"), "VAL-ST-01", |query_param| {
            query_param.name.as_str()
        });
    }
}

fn path(path: &HttpPathMatch, at: &mut Problems) {
    let value = &*path.value;
    match &path.r#type {
        PathMatchType::Exact | PathMatchType::PathPrefix => {
            if !is_plain(value) {
                let mut path = at.field("path");
                broken_rules(value, &mut path.field("value"));
            }
        }
        // Only the length counts, in characters.
        PathMatchType::RegularExpression | PathMatchType::Unknown(_) => {
            at.field("path").length("value", value, 0..=1024, "LIM-16");
        }
    }
}

/// Whether a path breaks no rule, told in one pass; anything unusual is left to [`broken_rules`].
fn is_plain(value: &str) -> bool {
    let bytes = value.as_bytes();
    let mut after_slash = false;
    bytes.first() == Some(&b'/')
        && bytes.len() <= pattern::PATH.max_length
        && bytes.iter().all(|&b| {
            // `.` behind `/` is where dot segments start, and `%` may hide a slash: rare enough to be looked at closely.
            let plain = pattern::is_plain_in_path(b) && !(after_slash && matches!(b, b'/' | b'.'));
            after_slash = b == b'/';
            plain
        })
}

/// # Spec
/// HRM-07: VAL-HR-44 to VAL-HR-52, VAL-HR-54; LIM-16.
fn broken_rules(value: &str, at: &mut Problems) {
    if !value.starts_with('/') {
        at.report("VAL-HR-44", "does not start with /; write the path from the root");
    }
    for (rule, text) in [
        ("VAL-HR-45", "//"),
        ("VAL-HR-46", "/./"),
        ("VAL-HR-47", "/../"),
        ("VAL-HR-48", "%2f"),
        ("VAL-HR-49", "%2F"),
        ("VAL-HR-50", "#"),
    ] {
        if value.contains(text) {
            at.report(rule, format!("contains {text}, which no path to be matched may; leave it out"));
        }
    }
    for (rule, text) in [("VAL-HR-51", "/.."), ("VAL-HR-52", "/.")] {
        if value.ends_with(text) {
            at.report(rule, format!("ends with {text}, which no path to be matched may; leave it out"));
        }
    }
    if !(pattern::PATH.matches)(value) {
        at.report("VAL-HR-54", format!("{:?} is not {}", clipped(value), pattern::PATH.wanted));
    }
    if value.chars().count() > pattern::PATH.max_length {
        at.report("LIM-16", format!("is longer than {} characters", pattern::PATH.max_length));
    }
}
