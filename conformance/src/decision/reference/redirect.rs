//! The location that a redirect leads to.

use gateway_core::api::{HttpRequestRedirectFilter, HttpRouteMatch, RedirectScheme};
use regex::Captures;

use super::gateway::Frontend;
use super::path_modifier;
use super::request::{self, Seen};
use super::{Pattern, pattern};

/// RFC 3986 section 2: what no URI may hold is percent-encoded.
pub fn reference(text: &str) -> String {
    static REFUSED: Pattern = pattern!(r"[^-A-Za-z0-9._~!$&'()*+,;=:@/?%\[\]]");
    let encoded = REFUSED.replace_all(text, |refused: &Captures<'_>| {
        refused[0].bytes().map(|byte| format!("%{byte:02X}")).collect::<String>()
    });
    encoded.into_owned()
}

/// Whether the redirect can be carried out: FRD-08, FRD-10.
pub(super) fn is_valid(redirect: &HttpRequestRedirectFilter, entries: &[HttpRouteMatch]) -> bool {
    !matches!(redirect.scheme, Some(RedirectScheme::Unknown(_)))
        && [301, 302, 303, 307, 308].contains(&redirect.status_code)
        && redirect.hostname.as_deref().is_none_or(request::is_precise_hostname)
        && redirect.path.as_ref().is_none_or(|path| path_modifier::is_valid(path, entries))
}

/// The `Location`: FRD-02 to FRD-07.
pub(super) fn location(
    redirect: &HttpRequestRedirectFilter,
    frontend: &Frontend<'_>,
    entry: &HttpRouteMatch,
    seen: &Seen,
) -> String {
    let own_scheme = if frontend.https { "https" } else { "http" };
    let scheme = redirect.scheme.as_ref().map_or(own_scheme, RedirectScheme::as_str);
    let host = redirect.hostname.as_deref().unwrap_or(&seen.host);
    let well_known = |scheme: &str| if scheme == "https" { 443 } else { 80 };
    // FRD-04: the port given, or the well-known one of the scheme given, or that of the listener.
    let port = match (redirect.port, &redirect.scheme) {
        (Some(port), _) => port,
        (None, Some(scheme)) => well_known(scheme.as_str()),
        (None, None) => i32::from(frontend.port),
    };
    // FRD-05, AMB-19
    let port = if port == well_known(scheme) { String::new() } else { format!(":{port}") };
    let target = match &redirect.path {
        Some(modifier) => path_modifier::target(modifier, entry, &seen.path, seen.query.as_deref()),
        None => {
            let path = if seen.path.starts_with('/') { seen.path.as_str() } else { "/" };
            match &seen.query {
                // FRD-07
                Some(query) => format!("{path}?{query}"),
                None => path.to_owned(),
            }
        }
    };
    reference(&format!("{scheme}://{host}{port}{target}"))
}
