//! Redirects: an answer that sends the client elsewhere, without any backend.

use std::fmt::Write as _;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Response, StatusCode};

use super::http_filter::FilterContext;
use super::path_modifier::PathModifier;
use super::precise_hostname::PreciseHostname;
use super::request_edits::Target;
use super::scheme::Scheme;
use crate::hostname::Host;

/// Where to send the client. What is absent is taken from the request, or from the listener that received it.
///
/// The default redirects to the very same URL.
///
/// # Spec
/// `HTTPRequestRedirectFilter`, FRD-01 to FRD-14; the choices are AMB-18 and AMB-19.
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
                request_host = Host::of_authority(target.host?).ok()?;
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
        HeaderValue::from_maybe_shared(Bytes::from(location)).ok()
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
