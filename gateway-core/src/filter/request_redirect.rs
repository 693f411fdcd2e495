//! Redirects: an answer that sends the client elsewhere, without any backend.

use std::fmt::Write as _;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Response, StatusCode};

use super::filter_context::FilterContext;
use super::path_modifier::{PathModifier, encode_reference};
use super::precise_hostname::PreciseHostname;
use super::request_edits::Target;
use super::scheme::Scheme;
use crate::hostname::Host;

/// Where to send the client. What is absent is taken from the request, or from the listener that received it.
///
/// The default redirects to the very same URL.
///
/// # Spec
/// `HTTPRequestRedirectFilter`, [FRD-01](crate::spec#FRD-01) to [FRD-14](crate::spec#FRD-14); the choices are
/// [AMB-18](crate::choices#AMB-18) and [AMB-19](crate::choices#AMB-19).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct RequestRedirect {
    /// The new scheme, or that of the listener.
    pub scheme: Option<Scheme>,
    /// The new host, or the request's.
    pub hostname: Option<PreciseHostname>,
    /// The new port, or else that of the new scheme, or else that of the listener.
    pub port: Option<u16>,
    /// The new path, or the request's.
    pub path: Option<PathModifier>,
    /// The status of the answer.
    pub status: RedirectStatus,
}

/// The status codes that a redirect may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum RedirectStatus {
    /// 301
    MovedPermanently,
    /// 302
    #[default]
    Found,
    /// 303
    SeeOther,
    /// 307
    TemporaryRedirect,
    /// 308
    PermanentRedirect,
}

/// A status code that no redirect has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a redirect cannot have status {0}; write 301, 302, 303, 307 or 308")]
pub struct RedirectStatusError(pub i64);

// === impl RequestRedirect ===

impl RequestRedirect {
    /// The answer to a request for `target`; nothing when no location can be made.
    pub(super) fn answer(&self, context: &FilterContext, target: &Target<'_>) -> Option<Response<Bytes>> {
        let location = self.location(context, target)?;
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = self.status.code();
        response.headers_mut().insert(header::LOCATION, location);
        Some(response)
    }

    fn location(&self, context: &FilterContext, target: &Target<'_>) -> Option<HeaderValue> {
        let scheme = self.scheme.unwrap_or(context.scheme);
        // FRD-04: the port of the listener, not of the request's Host, which may have passed a port mapping.
        let port = self.port.or_else(|| self.scheme.map(Scheme::default_port)).unwrap_or(context.port);
        let request_host;
        let host = match &self.hostname {
            Some(hostname) => hostname.as_str(),
            None => {
                request_host = Host::from_authority(target.host?).ok()?;
                request_host.as_str()
            }
        };
        let (path, query) = (target.path(), target.query());
        let mut location = String::with_capacity(
            "https://:65535/?".len() + host.len() + path.len() + query.map_or(0, str::len),
        );
        location.push_str(scheme.as_str());
        location.push_str("://");
        location.push_str(host);
        if port != scheme.default_port() {
            write!(location, ":{port}").ok()?;
        }
        match &self.path {
            Some(modifier) => modifier.write(&mut location, path, context.path, query).ok()?,
            None => {
                // `*` is not a path: a server-wide OPTIONS is about the root.
                location.push_str(if path.starts_with('/') { path } else { "/" });
                if let Some(query) = query {
                    location.push('?');
                    location.push_str(query);
                }
            }
        }
        HeaderValue::from_maybe_shared(Bytes::from(encode_reference(location))).ok()
    }
}

// === impl RedirectStatus ===

impl RedirectStatus {
    /// The status code.
    pub const fn code(self) -> StatusCode {
        match self {
            Self::MovedPermanently => StatusCode::MOVED_PERMANENTLY,
            Self::Found => StatusCode::FOUND,
            Self::SeeOther => StatusCode::SEE_OTHER,
            Self::TemporaryRedirect => StatusCode::TEMPORARY_REDIRECT,
            Self::PermanentRedirect => StatusCode::PERMANENT_REDIRECT,
        }
    }
}

impl TryFrom<i64> for RedirectStatus {
    type Error = RedirectStatusError;

    fn try_from(code: i64) -> Result<Self, RedirectStatusError> {
        [
            Self::MovedPermanently,
            Self::Found,
            Self::SeeOther,
            Self::TemporaryRedirect,
            Self::PermanentRedirect,
        ]
        .into_iter()
        .find(|status| i64::from(status.code().as_u16()) == code)
        .ok_or(RedirectStatusError(code))
    }
}

#[cfg(test)]
mod tests {
    use http::Uri;

    use super::*;
    use crate::matching::MatchedPath;

    fn context(scheme: Scheme, port: u16) -> FilterContext {
        FilterContext { scheme, port, path: MatchedPath::Prefix(0) }
    }

    /// The location for a request with this target and Host header.
    fn location(
        redirect: &RequestRedirect,
        context: &FilterContext,
        uri: &str,
        host: &str,
    ) -> Option<String> {
        let uri: Uri = uri.parse().unwrap();
        let host = HeaderValue::from_str(host).unwrap();
        let response = redirect.answer(context, &Target::new(&uri, Some(&host)))?;
        assert_eq!(response.status(), redirect.status.code());
        assert_eq!(response.headers().len(), 1);
        assert!(response.body().is_empty());
        Some(response.headers()[header::LOCATION].to_str().unwrap().to_owned())
    }

    // FRD-02, FRD-03, FRD-04, FRD-05, FRD-13, FRD-14, AMB-18, AMB-19
    #[test]
    fn scheme_and_port_come_from_the_redirect_or_else_from_the_listener() {
        use Scheme::{Http, Https};
        for (listener, port, new_scheme, new_port, expected) in [
            (Http, 80, None, None, "http://example.org/"),
            (Http, 80, None, Some(80), "http://example.org/"),
            (Http, 80, None, Some(8080), "http://example.org:8080/"),
            (Http, 80, Some(Https), None, "https://example.org/"),
            (Http, 80, Some(Https), Some(443), "https://example.org/"),
            (Http, 80, Some(Https), Some(8443), "https://example.org:8443/"),
            (Http, 8080, None, None, "http://example.org:8080/"),
            (Http, 8080, None, Some(80), "http://example.org/"),
            (Http, 8080, Some(Https), None, "https://example.org/"),
            (Https, 443, None, None, "https://example.org/"),
            (Https, 443, None, Some(443), "https://example.org/"),
            (Https, 443, None, Some(8443), "https://example.org:8443/"),
            (Https, 443, Some(Http), None, "http://example.org/"),
            (Https, 443, Some(Http), Some(80), "http://example.org/"),
            (Https, 443, Some(Http), Some(8080), "http://example.org:8080/"),
            // Not among the vectors of the conformance suite.
            (Http, 80, Some(Https), Some(80), "https://example.org:80/"),
            (Https, 443, Some(Http), Some(443), "http://example.org:443/"),
            (Https, 80, None, None, "https://example.org:80/"),
            (Http, 8080, Some(Http), None, "http://example.org/"),
        ] {
            let redirect = RequestRedirect { scheme: new_scheme, port: new_port, ..Default::default() };
            // The port of the Host header is that of a port mapping before the gateway, and never counts.
            for host in ["example.org", "example.org:9999"] {
                assert_eq!(
                    location(&redirect, &context(listener, port), "/", host).as_deref(),
                    Some(expected),
                    "{listener} {port} {new_scheme:?} {new_port:?}"
                );
            }
        }
    }

    // FRD-03
    #[test]
    fn the_host_is_the_redirects_or_the_requests() {
        let http = context(Scheme::Http, 80);
        let same = RequestRedirect::default();
        for (uri, host, expected) in [
            ("/a", "Example.org:8080", "http://example.org/a"),
            ("/a", "[::1]:8080", "http://[::1]/a"),
            ("http://b.example:1/a", "c.example", "http://b.example/a"),
        ] {
            assert_eq!(location(&same, &http, uri, host).as_deref(), Some(expected));
        }
        let named = RequestRedirect { hostname: Some("example.com".parse().unwrap()), ..Default::default() };
        assert_eq!(location(&named, &http, "/a", "b.example:8080").as_deref(), Some("http://example.com/a"));
        assert_eq!(location(&same, &http, "/a", "evil.example/x?"), None, "not a host");
    }

    // FRD-06, FRD-07, FPR-01, AMB-66, MSG-05
    #[test]
    fn path_and_query() {
        let prefix = |text| Some(PathModifier::replace_prefix_match(text).unwrap());
        let full = |text| Some(PathModifier::replace_full_path(text).unwrap());
        for (path, matched, uri, expected) in [
            (None, 0, "/a/b?c=d", "/a/b?c=d"),
            (None, 0, "*", "/"),
            (prefix("/replacement-prefix"), 16, "/original-prefix/lemon", "/replacement-prefix/lemon"),
            (prefix("/"), 4, "/foo?x", "/?x"),
            (full("/full-path-replacement"), 5, "/full/path/original", "/full-path-replacement"),
            (full("/full"), 5, "/full/path?x=1", "/full?x=1"),
            (full("/full?y=2"), 5, "/full/path?x=1", "/full?y=2"),
            // MSG-05: what a target was let through with is no reference.
            (None, 0, "/a?q=\u{fc}|%7c%", "/a?q=%C3%BC%7C%7c%"),
            (full("/full"), 5, "/full/path?q=\u{fc}", "/full?q=%C3%BC"),
        ] {
            let redirect = RequestRedirect { path, ..Default::default() };
            let context = FilterContext { path: MatchedPath::Prefix(matched), ..context(Scheme::Http, 80) };
            assert_eq!(
                location(&redirect, &context, uri, "a.example"),
                Some(format!("http://a.example{expected}")),
                "{redirect:?}"
            );
        }
    }

    // FRD-08
    #[test]
    fn a_prefix_cannot_be_replaced_when_none_matched() {
        let redirect = RequestRedirect {
            path: Some(PathModifier::replace_prefix_match("/x").unwrap()),
            ..Default::default()
        };
        let context = FilterContext { path: MatchedPath::Exact, ..context(Scheme::Http, 80) };
        assert_eq!(location(&redirect, &context, "/a", "a.example"), None);
    }

    // FRD-12
    #[test]
    fn an_empty_redirect_goes_to_the_same_url_with_302() {
        let redirect = RequestRedirect::default();
        assert_eq!(redirect.status.code(), StatusCode::FOUND);
        assert_eq!(
            location(&redirect, &context(Scheme::Https, 8443), "/a?b", "a.example").as_deref(),
            Some("https://a.example:8443/a?b")
        );
    }

    // FRD-01, FRD-10
    #[test]
    fn five_status_codes_redirect() {
        for code in [301, 302, 303, 307, 308] {
            assert_eq!(i64::from(RedirectStatus::try_from(code).unwrap().code().as_u16()), code);
        }
        for code in [200, 300, 304, 305, 306, 309, -1] {
            assert_eq!(RedirectStatus::try_from(code), Err(RedirectStatusError(code)));
        }
    }

    // AMB-05, AMB-17
    #[test]
    fn a_target_without_path_has_the_root() {
        let path = Some(PathModifier::replace_prefix_match("/new").unwrap());
        let redirect = RequestRedirect { path, ..RequestRedirect::default() };
        let context = context(Scheme::Http, 80);
        for target in ["a.example:443", "http://a.example", "/"] {
            let location = location(&redirect, &context, target, "a.example");
            assert_eq!(location.as_deref(), Some("http://a.example/new/"), "{target}");
        }
    }

    // FRD-06
    #[test]
    fn an_unusual_path_stays_as_it_is_but_for_what_no_uri_may_hold() {
        let redirect = RequestRedirect::default();
        for (path, expected) in [
            ("/\"{}", "/%22%7B%7D"),
            ("//evil.example/", "//evil.example/"),
            ("/a;b=c", "/a;b=c"),
            ("/%0d%0aset-cookie:x", "/%0d%0aset-cookie:x"),
        ] {
            assert_eq!(
                location(&redirect, &context(Scheme::Http, 80), path, "a.example"),
                Some(format!("http://a.example{expected}"))
            );
        }
    }
}
