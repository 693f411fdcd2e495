//! The filters of a listener, which run before a route is looked for.

use gateway_core::api::{ListenerFilter, ListenerFilterType, ListenerFilters};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};

use super::super::{REQUEST_EDIT_GROUP, REQUEST_EDIT_KIND};
use super::request::{Seen, normal_form};

/// What the filters of a listener have made of a request.
pub(super) enum Filtered {
    /// It is looked for a route.
    Continue(Seen),
    /// This is the answer.
    Answer(StatusCode, HeaderMap),
    /// PRF-07: one of them leads nowhere, or cannot be carried out.
    Fail,
}

/// PRF-06: whether a listener with these filters is accepted.
pub(super) fn are_supported(filters: Option<&ListenerFilters>) -> bool {
    let mut filters = filters.into_iter().flat_map(|filters| &filters.requests);
    filters.all(|filter| filter.r#type == ListenerFilterType::ExtensionRef)
}

/// PRF-01, PRF-05: the filters in their order, until one answers.
pub(super) fn run(filters: Option<&ListenerFilters>, target: &Uri, mut seen: Seen) -> Filtered {
    let filters = filters.map_or(&[][..], |filters| &filters.requests);
    let names: Option<Vec<&str>> = filters.iter().map(resolve).collect();
    let Some(names) = names else { return Filtered::Fail };
    let host = seen.headers.get(header::HOST).cloned();
    let has_path = target.path().starts_with('/');
    for name in names {
        match name {
            "path" if has_path => seen.path = normal_form("/%61/c/../b"),
            "query" if has_path => seen.query = Some("p=1".to_owned()),
            "post" if seen.method == Method::GET => seen.method = Method::POST,
            "add" => _ = seen.headers.append("x", HeaderValue::from_static("1")),
            "remove" => _ = seen.headers.remove("x"),
            "tell" => _ = seen.headers.insert("y", host.clone().expect("a request names its host")),
            "deny" if seen.headers.get_all("x").iter().any(|value| value == "1") => {
                let headers = [("x-denied".parse().expect("a name"), HeaderValue::from_static("1"))];
                return Filtered::Answer(StatusCode::FORBIDDEN, HeaderMap::from_iter(headers));
            }
            "fail" if seen.headers.contains_key("version") => return Filtered::Fail,
            // PRF-03: `host` changes what does not change.
            _ => {}
        }
    }
    Filtered::Continue(seen)
}

/// The name of what a filter does, if it does anything.
fn resolve(filter: &ListenerFilter) -> Option<&str> {
    const NAMES: [&str; 9] = ["path", "query", "post", "add", "remove", "host", "tell", "deny", "fail"];
    let reference = filter.extension_ref.as_ref()?;
    let known = reference.group == REQUEST_EDIT_GROUP
        && reference.kind == REQUEST_EDIT_KIND
        && NAMES.contains(&&*reference.name);
    known.then_some(&*reference.name)
}
