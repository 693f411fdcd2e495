//! Cross-origin resource sharing: which other origins' scripts may call, and what they may read.
//!
//! The browser enforces; the gateway only tells it the rules. A preflight is answered here and never reaches a backend,
//! whether its origin is allowed or not. Any other request is forwarded, and the answer gets the headers that let the
//! browser hand it over, or none of them.
//!
//! The surprising case: a preflight is an `OPTIONS` request, so a rule that matches only `method: POST` never sees the
//! preflights of its own requests; match `OPTIONS` too.

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Response, StatusCode, request};

use super::cors_origin::{AllowedOrigins, OriginError};

/// What a CORS filter says, as written.
///
/// The default allows no origin.
///
/// # Spec
/// `HTTPCORSFilter`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CorsPolicy<'a> {
    /// Who may call: `*`, or origins such as `https://example.com:8443` and `https://*.example.com`.
    pub allow_origins: Vec<&'a str>,
    /// The methods that may be used: `*`, or names. Case counts.
    pub allow_methods: Vec<&'a str>,
    /// The request headers that may be sent: `*`, or names.
    pub allow_headers: Vec<&'a str>,
    /// The response headers that may be read: names, `*` for all when there are no credentials.
    pub expose_headers: Vec<&'a str>,
    /// Whether cookies and other credentials may be sent.
    pub allow_credentials: bool,
    /// For how many seconds the answer to a preflight may be kept; 5 where nothing is said.
    pub max_age: Option<i32>,
}

/// A compiled CORS filter: the headers it sends are ready.
///
/// # Spec
/// FCO-01 to FCO-21; the choices are AMB-22 to AMB-26.
#[derive(Clone, Debug, PartialEq)]
pub struct Cors {
    origins: AllowedOrigins,
    methods: Listed,
    headers: Listed,
    expose: Option<HeaderValue>,
    credentials: bool,
    max_age: HeaderValue,
}

/// The value of a header that lists what is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Listed {
    /// Nothing is listed: no header.
    Nothing,
    /// Always this value.
    Always(HeaderValue),
    /// Whatever the request asks for.
    AsRequested,
}

/// A CORS filter that cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CorsError {
    /// An origin.
    #[error("allowOrigins: {0}")]
    Origin(#[from] OriginError),
    /// Not a method.
    #[error("allowMethods: {0:?} is not a method")]
    Method(String),
    /// Not the name of a header.
    #[error("{list}: {name:?} is not a header name")]
    HeaderName {
        /// The list as the API names it.
        list: &'static str,
        /// The name as written.
        name: String,
    },
    /// `*` beside other entries.
    #[error("{list}: * allows all; do not list others beside it")]
    WildcardNotAlone {
        /// The list as the API names it.
        list: &'static str,
    },
    /// Less than a second.
    #[error("maxAge: {0} is not a number of seconds; write 1 or more")]
    MaxAge(i32),
}

const ANY: HeaderValue = HeaderValue::from_static("*");
const TRUE: HeaderValue = HeaderValue::from_static("true");
const ORIGIN: HeaderValue = HeaderValue::from_static("origin");

/// What a browser obeys in an answer; the gateway's word replaces the backend's.
const RESPONSE_HEADERS: [HeaderName; 6] = [
    header::ACCESS_CONTROL_ALLOW_ORIGIN,
    header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
    header::ACCESS_CONTROL_ALLOW_METHODS,
    header::ACCESS_CONTROL_ALLOW_HEADERS,
    header::ACCESS_CONTROL_EXPOSE_HEADERS,
    header::ACCESS_CONTROL_MAX_AGE,
];

/// Whether the request is a CORS preflight; any other `OPTIONS` request is the backend's.
///
/// # Spec
/// FCO-01, AMB-24.
pub(super) fn is_preflight(parts: &request::Parts) -> bool {
    parts.method == Method::OPTIONS
        && parts.headers.contains_key(header::ORIGIN)
        && parts.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

// === impl Cors ===

impl Cors {
    /// Compiles a policy.
    ///
    /// # Errors
    /// When an entry is not what its list is for, `*` is not alone in a list where it must be, or the age is below 1.
    pub fn new(policy: &CorsPolicy<'_>) -> Result<Self, CorsError> {
        let credentials = policy.allow_credentials;
        for method in &policy.allow_methods {
            Method::from_bytes(method.as_bytes()).map_err(|_| CorsError::Method((*method).to_owned()))?;
        }
        check_names("allowHeaders", &policy.allow_headers)?;
        check_names("exposeHeaders", &policy.expose_headers)?;
        let max_age = policy.max_age.unwrap_or(5);
        if max_age < 1 {
            return Err(CorsError::MaxAge(max_age));
        }
        Ok(Self {
            origins: AllowedOrigins::new(policy.allow_origins.iter().copied())?,
            methods: Listed::new("allowMethods", &policy.allow_methods, credentials)?,
            headers: Listed::new("allowHeaders", &policy.allow_headers, credentials)?,
            expose: expose(&policy.expose_headers, credentials),
            credentials,
            max_age: HeaderValue::from(max_age),
        })
    }

    /// The answer to a preflight: 204, with CORS headers when the origin is allowed.
    ///
    /// # Spec
    /// FCO-01, FCO-03, FCO-09 to FCO-14; the choice is AMB-22.
    pub(super) fn answer_preflight(
        &self,
        origin: Option<&HeaderValue>,
        request: &request::Parts,
    ) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        let Some(origin) = origin.filter(|origin| self.origins.allows(origin)) else { return response };
        self.admit(origin, headers);
        let asked = &request.headers;
        self.methods.write(
            headers,
            header::ACCESS_CONTROL_ALLOW_METHODS,
            asked,
            header::ACCESS_CONTROL_REQUEST_METHOD,
        );
        self.headers.write(
            headers,
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            asked,
            header::ACCESS_CONTROL_REQUEST_HEADERS,
        );
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, self.max_age.clone());
        self.vary(headers);
        response
    }

    /// Shares an answer with the scripts of `origin`, if that is allowed.
    ///
    /// # Spec
    /// FCO-02, FCO-04, FCO-19.
    pub(super) fn share_with(&self, origin: &HeaderValue, headers: &mut HeaderMap) {
        for name in &RESPONSE_HEADERS {
            headers.remove(name);
        }
        if self.origins.allows(origin) {
            self.admit(origin, headers);
        }
        self.vary(headers);
    }

    /// The headers that a preflight's answer and every other have alike.
    fn admit(&self, origin: &HeaderValue, headers: &mut HeaderMap) {
        let origin = if self.echoes_origin() { origin.clone() } else { ANY };
        insert(headers, header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if self.credentials {
            insert(headers, header::ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
        }
        if let Some(names) = &self.expose {
            insert(headers, header::ACCESS_CONTROL_EXPOSE_HEADERS, names.clone());
        }
    }

    /// Whether answers name the origin, rather than `*`.
    fn echoes_origin(&self) -> bool {
        self.credentials || !self.origins.is_any()
    }

    /// Tells caches that the answer depends on the origin, unless it does not or they know.
    fn vary(&self, headers: &mut HeaderMap) {
        let known = |line: &HeaderValue| {
            line.as_bytes()
                .split(|b| *b == b',')
                .map(<[u8]>::trim_ascii)
                .any(|name| name == b"*" || name.eq_ignore_ascii_case(b"origin"))
        };
        if self.echoes_origin() && !headers.get_all(header::VARY).iter().any(known) {
            let _full = headers.try_append(header::VARY, ORIGIN);
        }
    }
}

/// A response with so many headers that there is no room for another is not shared; the browser then keeps it back.
fn insert(headers: &mut HeaderMap, name: HeaderName, value: HeaderValue) {
    let _full = headers.try_insert(name, value);
}

fn check_names(list: &'static str, names: &[&str]) -> Result<(), CorsError> {
    match names.iter().find(|name| HeaderName::from_bytes(name.as_bytes()).is_err()) {
        None => Ok(()),
        Some(name) => Err(CorsError::HeaderName { list, name: (*name).to_owned() }),
    }
}

/// The value of the header that exposes `names`. With credentials `*` would mean a header of that name, so it goes.
///
/// # Spec
/// FCO-13, AMB-26.
fn expose(names: &[&str], credentials: bool) -> Option<HeaderValue> {
    if names.contains(&"*") && !credentials {
        return Some(ANY);
    }
    let names: Vec<&str> = names.iter().copied().filter(|name| *name != "*").collect();
    joined(&names)
}

fn joined(names: &[&str]) -> Option<HeaderValue> {
    if names.is_empty() { None } else { HeaderValue::from_str(&names.join(", ")).ok() }
}

// === impl Listed ===

impl Listed {
    fn new(list: &'static str, entries: &[&str], credentials: bool) -> Result<Self, CorsError> {
        if !entries.contains(&"*") {
            return Ok(joined(entries).map_or(Self::Nothing, Self::Always));
        }
        if entries.len() > 1 {
            return Err(CorsError::WildcardNotAlone { list });
        }
        // FCO-10, FCO-12: a browser takes `*` literally when it sends credentials.
        Ok(if credentials { Self::AsRequested } else { Self::Always(ANY) })
    }

    /// Answers what the request `asked` for under the name `question`.
    fn write(&self, headers: &mut HeaderMap, answer: HeaderName, asked: &HeaderMap, question: HeaderName) {
        match self {
            Self::Nothing => {}
            Self::Always(value) => insert(headers, answer, value.clone()),
            Self::AsRequested => {
                for line in asked.get_all(question) {
                    let _full = headers.try_append(&answer, line.clone());
                }
            }
        }
    }
}
