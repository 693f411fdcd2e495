//! Requests that are taken for others.

use gateway_core::api::{AnyObject, HttpPathMatch, PathMatchType};

use super::{Fault, Mutant};
use crate::case::HttpRequest;

pub(super) const MUTANTS: &[Mutant] = &[
    request("a prefix may end in the middle of a path segment", |objects, request| {
        let (path, query) = split(&request.path);
        let longest = paths(objects)
            .filter(|wanted| wanted.r#type == PathMatchType::PathPrefix)
            .map(|wanted| wanted.value.trim_end_matches('/').to_owned())
            .filter(|prefix| !prefix.is_empty() && path.starts_with(prefix.as_str()))
            .max_by_key(String::len);
        if let Some(prefix) = longest
            && !path[prefix.len()..].is_empty()
            && !path[prefix.len()..].starts_with('/')
        {
            request.path = format!("{prefix}/{}{query}", &path[prefix.len()..]);
        }
    }),
    request("exact paths are compared without regard to case", |objects, request| {
        let (path, query) = split(&request.path);
        let wanted = paths(objects)
            .find(|wanted| wanted.r#type == PathMatchType::Exact && wanted.value.eq_ignore_ascii_case(path));
        if let Some(wanted) = wanted {
            request.path = format!("{}{query}", wanted.value);
        }
    }),
    request("a trailing slash is dropped", |_, request| {
        let (path, query) = split(&request.path);
        if path.len() > 1 && path.ends_with('/') {
            request.path = format!("{}{query}", path.trim_end_matches('/'));
        }
    }),
    request("the query is dropped", |_, request| request.path = split(&request.path).0.to_owned()),
    request("names of query parameters are compared without regard to case", |_, request| {
        let (path, query) = split(&request.path);
        request.path = format!("{path}{}", query.to_ascii_lowercase());
    }),
    request("of repeated query parameters the last one counts", |_, request| {
        let (path, query) = split(&request.path);
        let mut params: Vec<&str> =
            query.trim_start_matches('?').split('&').filter(|it| !it.is_empty()).collect();
        params.reverse();
        if params.len() > 1 {
            request.path = format!("{path}?{}", params.join("&"));
        }
    }),
    request("names of headers are compared with regard to case", |_, request| {
        request.headers.retain(|name, _| !name.starts_with(|first: char| first.is_ascii_uppercase()));
    }),
    request("the port in the Host header is taken for a part of the host", |_, request| {
        if request.host.as_deref().is_some_and(|host| host.contains(':')) {
            request.host = Some("with-a-port.invalid".to_owned());
        }
    }),
    request("a request without a host is for the address of the Gateway", |_, request| {
        request.without_host = false;
    }),
    request("a wildcard matches the bare domain too", |_, request| {
        if let Some(host) = &request.host
            && host.matches('.').count() == 1
        {
            request.host = Some(format!("any.{host}"));
        }
    }),
    request("a wildcard matches one label only", |_, request| {
        if let Some(host) = &request.host
            && host.matches('.').count() >= 3
        {
            request.host = Some("too-many-labels.invalid".to_owned());
        }
    }),
    request("hosts are compared with regard to case", |_, request| {
        if request.host.as_deref().is_some_and(|host| host.contains(|it: char| it.is_ascii_uppercase())) {
            request.host = Some("in-upper-case.invalid".to_owned());
        }
    }),
    request("a HEAD request is taken for a GET request", |_, request| {
        if request.method == "HEAD" {
            request.method = "GET".to_owned();
        }
    }),
    request("the server name of TLS is taken for the host", |_, request| {
        if let Some(tls) = &request.tls {
            request.host = Some(tls.server_name.clone());
        }
    }),
    request("escapes in paths are decoded before anything else", |_, request| {
        request.path = request.path.replace("%2F", "/").replace("%2f", "/");
    }),
];

const fn request(name: &'static str, mistake: fn(&[AnyObject], &mut HttpRequest)) -> Mutant {
    Mutant { name, fault: Fault::Request(mistake) }
}

/// The path, and the query with its question mark.
fn split(path: &str) -> (&str, &str) {
    path.split_at(path.find('?').unwrap_or(path.len()))
}

fn paths(objects: &[AnyObject]) -> impl Iterator<Item = &HttpPathMatch> {
    let routes = objects.iter().filter_map(|object| match object {
        AnyObject::HttpRoute(route) => Some(route),
        _ => None,
    });
    let rules = routes.flat_map(|route| &route.spec.rules);
    rules.flat_map(|rule| &rule.matches).map(|entry| &entry.path)
}
