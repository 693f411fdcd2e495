//! Headers set, added and removed.

use gateway_core::api::HttpHeaderFilter;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::request;

/// Whether the filter can be carried out: FHM-05, FHM-09, AMB-60.
pub(super) fn is_valid(filter: &HttpHeaderFilter) -> bool {
    let lower = |name: &String| name.to_ascii_lowercase();
    let set: Vec<String> = filter.set.iter().map(|header| lower(&header.name)).collect();
    let add: Vec<String> = filter.add.iter().map(|header| lower(&header.name)).collect();
    let remove: Vec<String> = filter.remove.iter().map(lower).collect();
    let one_action_each = !set.iter().any(|name| add.contains(name) || remove.contains(name))
        && !add.iter().any(|name| remove.contains(name));
    let framing = [
        "content-length",
        "transfer-encoding",
        "connection",
        "upgrade",
        "te",
        "trailer",
        "keep-alive",
        "proxy-connection",
    ];
    let all = || set.iter().chain(&add).chain(&remove);
    let host = "host".to_owned();
    let host_is_host = first_of_each(&filter.set)
        .iter()
        .filter(|(name, _)| *name == host)
        .all(|(_, value)| request::is_authority(value));
    one_action_each
        && all().all(|name| !framing.contains(&name.as_str()))
        && all().all(|name| name.parse::<HeaderName>().is_ok())
        && filter.set.iter().chain(&filter.add).all(|header| header.value.parse::<HeaderValue>().is_ok())
        && !add.contains(&host)
        && !remove.contains(&host)
        && host_is_host
}

/// FHM-05: of equivalent names in one list the first counts.
fn first_of_each(headers: &[gateway_core::api::HttpHeader]) -> Vec<(String, &str)> {
    let mut first: Vec<(String, &str)> = Vec::new();
    for header in headers {
        let name = header.name.to_ascii_lowercase();
        if !first.iter().any(|(other, _)| *other == name) {
            first.push((name, &header.value));
        }
    }
    first
}

/// FHM-01 to FHM-04. `Host` is not among the headers that are changed here.
pub(super) fn apply(filter: &HttpHeaderFilter, headers: &mut HeaderMap) {
    let name = |text: &str| text.parse::<HeaderName>().expect("checked");
    let value = |text: &str| text.parse::<HeaderValue>().expect("checked");
    for (set, new) in first_of_each(&filter.set) {
        if set != "host" {
            headers.remove(name(&set));
            headers.append(name(&set), value(new));
        }
    }
    for (add, new) in first_of_each(&filter.add) {
        headers.append(name(&add), value(new));
    }
    for remove in &filter.remove {
        headers.remove(name(remove));
    }
}

/// FHM-09: what `Host` is set to.
pub(super) fn new_host(filter: &HttpHeaderFilter) -> Option<&str> {
    first_of_each(&filter.set).into_iter().find(|(name, _)| name == "host").map(|(_, value)| value)
}
