//! The path that takes the place of the one that was matched.

use gateway_core::api::{HttpPathModifier, HttpPathModifierType, HttpRouteMatch, PathMatchType};

use super::matching::prefix;

/// Whether the modifier can be carried out for requests that meet one of these entries: FRD-08, FRW-04.
pub(super) fn is_valid(modifier: &HttpPathModifier, entries: &[HttpRouteMatch]) -> bool {
    match modifier.r#type {
        HttpPathModifierType::ReplaceFullPath => true,
        HttpPathModifierType::ReplacePrefixMatch => {
            entries.iter().all(|entry| entry.path.r#type == PathMatchType::PathPrefix)
        }
        HttpPathModifierType::Unknown(_) => false,
    }
}

/// Path and query of the target that takes the place of a path in normal form, which met the entry.
pub fn target(
    modifier: &HttpPathModifier,
    entry: &HttpRouteMatch,
    path: &str,
    query: Option<&str>,
) -> String {
    let with_query = |path: String, query: Option<&str>| match query {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    if let Some(full) = &modifier.replace_full_path {
        // AMB-66: a query in the replacement takes the place of the request's, and an empty one drops it.
        return match full.split_once('?') {
            None => with_query(rooted(encode(full, "/")), query),
            Some((path, "")) => rooted(encode(path, "/")),
            Some((path, query)) => with_query(rooted(encode(path, "/")), Some(&encode(query, "/?"))),
        };
    }
    // The algorithm of section 10.6.
    let replacement = encode(modifier.replace_prefix_match.as_deref().unwrap_or(""), "/");
    let rest = match path.strip_prefix(&prefix(&entry.path.value)) {
        Some(rest) if rest.starts_with('/') => rest,
        // Nothing is left; or the path is `*`, which has no elements.
        Some(_) | None => "",
    };
    let joined = match replacement.strip_suffix('/') {
        Some(shorter) if rest.starts_with('/') => format!("{shorter}{rest}"),
        Some(_) | None => format!("{replacement}{rest}"),
    };
    with_query(rooted(joined), query)
}

/// FPR-03: the result starts with a slash.
fn rooted(path: String) -> String {
    if path.starts_with('/') { path } else { format!("/{path}") }
}

/// Percent-encodes what may not stand in a path, or in a query: all but escapes, the characters of RFC 3986's `pchar`, and
/// `more`.
fn encode(text: &str, more: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = String::new();
    for (i, byte) in bytes.iter().enumerate() {
        let c = char::from(*byte);
        let escape = c == '%'
            && bytes.len() >= i + 3
            && bytes[i + 1].is_ascii_hexdigit()
            && bytes[i + 2].is_ascii_hexdigit();
        if c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@".contains(c) || more.contains(c) || escape {
            out.push(c);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
