//! Answers to browsers about other origins.

use gateway_core::api::{HttpCorsFilter, HttpMethodWithWildcard};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};

use super::request::Seen;
use super::{Pattern, pattern};

/// Whether the filter can be carried out: every origin is one, its port a port.
pub(super) fn is_valid(cors: &HttpCorsFilter) -> bool {
    cors.allow_origins == ["*"] || cors.allow_origins.iter().all(|origin| parts(origin).is_some())
}

/// FCO-01, AMB-24.
pub(super) fn is_preflight(seen: &Seen) -> bool {
    seen.method == Method::OPTIONS
        && seen.headers.contains_key(header::ORIGIN)
        && seen.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer to a preflight: FCO-01, FCO-03, FCO-09 to FCO-14; AMB-22.
pub(super) fn answer_preflight(cors: &HttpCorsFilter, seen: &Seen) -> (StatusCode, HeaderMap) {
    let mut headers = HeaderMap::new();
    vary(cors, &mut headers);
    let origin = &seen.headers[header::ORIGIN];
    if is_allowed(cors, origin) {
        share(cors, origin, &mut headers);
        let methods = cors.allow_methods.iter().map(HttpMethodWithWildcard::as_str).collect::<Vec<_>>();
        list(
            &methods,
            cors,
            (header::ACCESS_CONTROL_ALLOW_METHODS, header::ACCESS_CONTROL_REQUEST_METHOD),
            seen,
            &mut headers,
        );
        let names = cors.allow_headers.iter().map(String::as_str).collect::<Vec<_>>();
        list(
            &names,
            cors,
            (header::ACCESS_CONTROL_ALLOW_HEADERS, header::ACCESS_CONTROL_REQUEST_HEADERS),
            seen,
            &mut headers,
        );
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from(cors.max_age));
    }
    (StatusCode::NO_CONTENT, headers)
}

/// FCO-02, FCO-04, FCO-18, FCO-19: the headers of any other answer.
pub(super) fn edit_answer(cors: &HttpCorsFilter, seen: &Seen, headers: &mut HeaderMap) {
    vary(cors, headers);
    let Some(origin) = seen.headers.get(header::ORIGIN) else { return };
    let given: Vec<HeaderName> = headers
        .keys()
        .filter(|name| {
            [
                "access-control-allow-origin",
                "access-control-allow-credentials",
                "access-control-allow-methods",
                "access-control-allow-headers",
                "access-control-expose-headers",
                "access-control-max-age",
            ]
            .contains(&name.as_str())
        })
        .cloned()
        .collect();
    for name in given {
        headers.remove(name);
    }
    if is_allowed(cors, origin) {
        share(cors, origin, headers);
    }
}

/// FCO-07, FCO-08, FCO-13, AMB-26.
fn share(cors: &HttpCorsFilter, origin: &HeaderValue, headers: &mut HeaderMap) {
    let any = cors.allow_origins == ["*"];
    let credentials = cors.allow_credentials == Some(true);
    let allowed = if any && !credentials { HeaderValue::from_static("*") } else { origin.clone() };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    if credentials {
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
    let exposed = &cors.expose_headers;
    let names: Vec<&str> = exposed.iter().map(String::as_str).filter(|name| *name != "*").collect();
    let exposed = match (exposed.iter().any(|name| name == "*"), credentials) {
        (true, false) => "*".to_owned(),
        (true, true) | (false, true | false) => names.join(", "),
    };
    if !exposed.is_empty() {
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed.parse().expect("names, by the schema"));
    }
}

/// FCO-09, FCO-10, FCO-12, FCO-15: what is listed; `*` with credentials is what is asked for.
fn list(
    listed: &[&str],
    cors: &HttpCorsFilter,
    (answer, question): (HeaderName, HeaderName),
    seen: &Seen,
    headers: &mut HeaderMap,
) {
    if listed == ["*"] && cors.allow_credentials == Some(true) {
        for line in seen.headers.get_all(question) {
            headers.append(&answer, line.clone());
        }
    } else if !listed.is_empty() {
        headers.insert(answer, listed.join(", ").parse().expect("names, by the schema"));
    }
}

/// Fetch, "CORS protocol and HTTP caches": an answer that depends on the origin says so, once.
fn vary(cors: &HttpCorsFilter, headers: &mut HeaderMap) {
    let depends = cors.allow_origins != ["*"] || cors.allow_credentials == Some(true);
    let lines = headers.get_all(header::VARY).iter().filter_map(|line| line.to_str().ok());
    let names = lines.flat_map(|line| line.split(',')).map(|name| name.trim().to_ascii_lowercase());
    let known = names.into_iter().any(|name| name == "*" || name == "origin");
    if depends && !known {
        headers.append(header::VARY, HeaderValue::from_static("origin"));
    }
}

/// FCO-05, FCO-06, FCO-15, AMB-25.
fn is_allowed(cors: &HttpCorsFilter, origin: &HeaderValue) -> bool {
    if cors.allow_origins == ["*"] {
        return true;
    }
    let Some((scheme, host, port)) = origin.to_str().ok().and_then(parts) else { return false };
    cors.allow_origins.iter().any(|allowed| {
        let Some((allowed_scheme, allowed_host, allowed_port)) = parts(allowed) else { return false };
        let host_matches = match allowed_host.strip_prefix('*') {
            None => allowed_host == host,
            Some(suffix) => host.ends_with(suffix) && host.len() > suffix.len(),
        };
        scheme == allowed_scheme && port == allowed_port && host_matches
    })
}

/// Scheme, host in lower case, and port of `scheme://host[:port]`.
fn parts(origin: &str) -> Option<(&str, String, u16)> {
    let (scheme, authority) = origin.split_once("://")?;
    let well_known = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return None,
    };
    static AUTHORITY: Pattern =
        pattern!(r"^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9*._~!$&'()+,;=%-]+?)(?::([0-9]{1,5}))?$");
    let found = AUTHORITY.captures(authority)?;
    let port = match found.get(2) {
        None => well_known,
        Some(port) => port.as_str().parse().ok()?,
    };
    let host = found[1].to_ascii_lowercase();
    // A trailing dot makes another origin than the one that is written without.
    (!host.ends_with('.')).then_some((scheme, host, port))
}
