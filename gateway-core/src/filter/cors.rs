//! Cross-origin resource sharing: which other origins' scripts may call, and what they may read.

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
/// The browser enforces; the gateway only tells it the rules. A preflight is answered here and never reaches a backend,
/// whether its origin is allowed or not. Any other request is forwarded, and the answer gets the headers that let the
/// browser hand it over, or none of them.
///
/// The surprising case: a preflight is an `OPTIONS` request, so a rule that matches only `method: POST` never sees the
/// preflights of its own requests; match `OPTIONS` too.
///
/// # Spec
/// [FCO-01](crate::spec#FCO-01) to [FCO-21](crate::spec#FCO-21); the choices are [AMB-22](crate::choices#AMB-22) to
/// [AMB-26](crate::choices#AMB-26).
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
        self.vary(headers);
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

    /// Tells caches that the answer depends on the origin, unless it does not or they know. Every answer says so, also that to
    /// a request without one: a cache would otherwise give it to scripts that may read more.
    ///
    /// # Spec
    /// FCO-02; Fetch, "CORS protocol and HTTP caches".
    pub(super) fn vary(&self, headers: &mut HeaderMap) {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn preflight(cors: &Cors, origin: &str, lines: &[(&str, &str)]) -> Response<Bytes> {
        let mut request = http::Request::options("/").header("origin", origin);
        for (name, value) in lines {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        cors.answer_preflight(parts.headers.get("origin"), &parts)
    }

    /// Headers of an answer to a request from `origin` when the backend sent `lines`.
    fn answer(cors: &Cors, origin: &str, lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers: HeaderMap = lines
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        cors.share_with(&HeaderValue::from_str(origin).unwrap(), &mut headers);
        headers
    }

    fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
        let mut lines = headers.get_all(name).iter();
        let line = lines.next()?;
        assert_eq!(lines.next(), None, "{name} is there once");
        line.to_str().ok()
    }

    const ALLOW_ORIGIN: &str = "access-control-allow-origin";
    const ALLOW_CREDENTIALS: &str = "access-control-allow-credentials";
    const ALLOW_METHODS: &str = "access-control-allow-methods";
    const ALLOW_HEADERS: &str = "access-control-allow-headers";
    const EXPOSE_HEADERS: &str = "access-control-expose-headers";
    const MAX_AGE: &str = "access-control-max-age";

    /// Origins, methods, headers and credentials of `/cors-1` in the conformance suite.
    fn first() -> CorsPolicy<'static> {
        CorsPolicy {
            allow_origins: vec!["https://www.foo.com", "https://*.bar.com"],
            allow_methods: vec!["GET", "OPTIONS"],
            allow_headers: vec!["x-header-1", "x-header-2"],
            expose_headers: vec!["x-header-3", "x-header-4"],
            allow_credentials: true,
            max_age: Some(3600),
        }
    }

    const ASKED: [(&str, &str); 2] = [
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "x-header-1, x-header-2"),
    ];

    // FCO-01, FCO-02, FCO-08, FCO-09, FCO-12, FCO-13, FCO-14
    #[test]
    fn an_allowed_preflight_is_answered_with_all_that_is_configured() {
        let cors = Cors::new(&first()).unwrap();
        for origin in ["https://www.foo.com", "https://www.bar.com", "https://xpto.www.bar.com"] {
            let response = preflight(&cors, origin, &ASKED);
            assert_eq!(response.status(), 204);
            assert!(response.body().is_empty());
            let headers = response.headers();
            assert_eq!(text(headers, ALLOW_ORIGIN), Some(origin));
            assert_eq!(text(headers, ALLOW_CREDENTIALS), Some("true"));
            assert_eq!(text(headers, ALLOW_METHODS), Some("GET, OPTIONS"));
            assert_eq!(text(headers, ALLOW_HEADERS), Some("x-header-1, x-header-2"));
            assert_eq!(text(headers, EXPOSE_HEADERS), Some("x-header-3, x-header-4"));
            assert_eq!(text(headers, MAX_AGE), Some("3600"));
            assert_eq!(text(headers, "vary"), Some("origin"));
        }
    }

    // FCO-03, AMB-22
    #[test]
    fn a_preflight_of_another_origin_is_answered_without_headers() {
        let response = preflight(&Cors::new(&first()).unwrap(), "https://foobar.com", &ASKED);
        assert_eq!(response.status(), 204);
        assert_eq!((text(response.headers(), "vary"), response.headers().len()), (Some("origin"), 1));
    }

    // FCO-02, FCO-04, FCO-08
    #[test]
    fn an_answer_is_shared_with_allowed_origins_only() {
        let cors = Cors::new(&first()).unwrap();
        let headers = answer(&cors, "https://www.bar.com", &[("x-header-3", "v")]);
        assert_eq!(text(&headers, ALLOW_ORIGIN), Some("https://www.bar.com"));
        assert_eq!(text(&headers, ALLOW_CREDENTIALS), Some("true"));
        assert_eq!(text(&headers, EXPOSE_HEADERS), Some("x-header-3, x-header-4"));
        assert_eq!(text(&headers, "x-header-3"), Some("v"));
        for only_in_preflights in [ALLOW_METHODS, ALLOW_HEADERS, MAX_AGE] {
            assert_eq!(text(&headers, only_in_preflights), None);
        }
        let headers = answer(&cors, "https://foobar.com", &[("x-header-3", "v")]);
        assert_eq!(text(&headers, "x-header-3"), Some("v"));
        assert_eq!(text(&headers, "vary"), Some("origin"), "a cache must not give it to an allowed origin");
        assert_eq!(headers.len(), 2);
    }

    // FCO-19
    #[test]
    fn the_gateways_word_replaces_the_backends() {
        let cors = Cors::new(&CorsPolicy { allow_credentials: false, ..first() }).unwrap();
        let backend = [
            (ALLOW_ORIGIN, "*"),
            (ALLOW_CREDENTIALS, "true"),
            (ALLOW_METHODS, "DELETE"),
            (ALLOW_HEADERS, "x-any"),
            (EXPOSE_HEADERS, "x-any"),
            (MAX_AGE, "1"),
        ];
        let headers = answer(&cors, "https://www.foo.com", &backend);
        assert_eq!(text(&headers, ALLOW_ORIGIN), Some("https://www.foo.com"));
        assert_eq!(text(&headers, EXPOSE_HEADERS), Some("x-header-3, x-header-4"));
        assert_eq!(headers.len(), 3, "and vary: {headers:?}");
        assert_eq!(answer(&cors, "https://evil.example", &backend).len(), 1);
    }

    #[test]
    fn vary_is_extended_once_and_only_where_answers_differ() {
        let cors = Cors::new(&first()).unwrap();
        let vary = |cors: &Cors, line: &'static str| {
            let headers = answer(cors, "https://www.foo.com", &[("vary", line)]);
            headers.get_all("vary").iter().map(|v| v.to_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(vary(&cors, "accept-encoding"), ["accept-encoding", "origin"]);
        assert_eq!(vary(&cors, "accept, Origin"), ["accept, Origin"]);
        assert_eq!(vary(&cors, "x-origin"), ["x-origin", "origin"]);
        assert_eq!(vary(&cors, "*"), ["*"]);
        let any = Cors::new(&CorsPolicy { allow_origins: vec!["*"], ..Default::default() }).unwrap();
        assert_eq!(vary(&any, "accept"), ["accept"]);
    }

    // FCO-09, FCO-10, FCO-11
    #[test]
    fn any_method_without_credentials_is_a_star() {
        let cors = Cors::new(&CorsPolicy {
            allow_origins: vec!["https://www.foo.com"],
            allow_methods: vec!["*"],
            ..Default::default()
        })
        .unwrap();
        let response = preflight(&cors, "https://www.foo.com", &[("access-control-request-method", "POST")]);
        assert_eq!(text(response.headers(), ALLOW_METHODS), Some("*"));
        assert_eq!(text(response.headers(), ALLOW_CREDENTIALS), None);
        assert_eq!(text(response.headers(), MAX_AGE), Some("5"));
    }

    // FCO-07
    #[test]
    fn any_origin_without_credentials_is_a_star() {
        let cors = Cors::new(&CorsPolicy {
            allow_origins: vec!["*"],
            allow_methods: vec!["PUT"],
            ..Default::default()
        })
        .unwrap();
        for origin in ["https://foobar.com", "https://foobar.com:12345"] {
            let response = preflight(&cors, origin, &[("access-control-request-method", "PUT")]);
            let headers = response.headers();
            assert_eq!(text(headers, ALLOW_ORIGIN), Some("*"));
            assert_eq!(text(headers, ALLOW_METHODS), Some("PUT"));
            assert_eq!(text(headers, ALLOW_CREDENTIALS), None);
            let headers = answer(&cors, origin, &[]);
            assert_eq!(text(&headers, ALLOW_ORIGIN), Some("*"));
            assert_eq!(headers.len(), 1);
        }
    }

    // FCO-07, FCO-10, FCO-12, FCO-21
    #[test]
    fn stars_are_spelled_out_when_there_are_credentials() {
        let mut policy = CorsPolicy {
            allow_origins: vec!["*"],
            allow_methods: vec!["*"],
            allow_headers: vec!["*"],
            allow_credentials: true,
            ..Default::default()
        };
        let asked = [
            ("access-control-request-method", "PUT"),
            ("access-control-request-headers", "x-header-1, x-header-2"),
        ];
        let origin = "https://other.foo.com";
        let cors = Cors::new(&policy).unwrap();
        let response = preflight(&cors, origin, &asked);
        let headers = response.headers();
        assert_eq!(text(headers, ALLOW_ORIGIN), Some(origin));
        assert_eq!(text(headers, ALLOW_METHODS), Some("PUT"));
        assert_eq!(text(headers, ALLOW_HEADERS), Some("x-header-1, x-header-2"));
        assert_eq!(text(headers, ALLOW_CREDENTIALS), Some("true"));
        let response = preflight(&cors, origin, &asked[..1]);
        assert_eq!(text(response.headers(), ALLOW_HEADERS), None, "nothing asked, nothing answered");
        let headers = answer(&cors, origin, &[]);
        assert_eq!(text(&headers, ALLOW_ORIGIN), Some(origin));
        assert_eq!(text(&headers, ALLOW_CREDENTIALS), Some("true"));
        assert_eq!(text(&headers, "vary"), Some("origin"));

        policy.allow_credentials = false;
        let response = preflight(&Cors::new(&policy).unwrap(), origin, &asked);
        for name in [ALLOW_ORIGIN, ALLOW_METHODS, ALLOW_HEADERS] {
            assert_eq!(text(response.headers(), name), Some("*"));
        }
        assert_eq!(text(response.headers(), ALLOW_CREDENTIALS), None);
    }

    // FCO-13, AMB-26
    #[test]
    fn a_star_exposes_all_headers_but_not_with_credentials() {
        let exposed = |names: &[&'static str], allow_credentials| {
            let policy = CorsPolicy { expose_headers: names.to_vec(), allow_credentials, ..first() };
            let headers = answer(&Cors::new(&policy).unwrap(), "https://www.foo.com", &[]);
            text(&headers, EXPOSE_HEADERS).map(str::to_owned)
        };
        assert_eq!(exposed(&["*"], false).as_deref(), Some("*"));
        assert_eq!(exposed(&["x-a", "*"], false).as_deref(), Some("*"));
        assert_eq!(exposed(&["*"], true), None);
        assert_eq!(exposed(&["x-a", "*", "x-b"], true).as_deref(), Some("x-a, x-b"));
        assert_eq!(exposed(&[], false), None);
    }

    // FCO-15
    #[test]
    fn an_empty_list_sends_no_header() {
        let cors = Cors::new(&CorsPolicy { allow_origins: vec!["*"], ..Default::default() }).unwrap();
        let response = preflight(&cors, "https://a.example", &ASKED);
        for name in [ALLOW_METHODS, ALLOW_HEADERS, EXPOSE_HEADERS] {
            assert_eq!(text(response.headers(), name), None);
        }
    }

    // FCO-01, AMB-24
    #[test]
    fn a_preflight_has_all_three_marks() {
        let is = |method: Method, names: &[&str]| {
            let mut request = http::Request::builder().method(method);
            for name in names {
                request = request.header(*name, "x");
            }
            is_preflight(&request.body(()).unwrap().into_parts().0)
        };
        let both = ["origin", "access-control-request-method"];
        assert!(is(Method::OPTIONS, &both));
        assert!(!is(Method::POST, &both));
        assert!(!is(Method::OPTIONS, &both[..1]));
        assert!(!is(Method::OPTIONS, &both[1..]));
    }

    // FCO-14, FCO-16, FCO-17
    #[test]
    fn policies_that_cannot_be_carried_out_are_refused() {
        let refused = |policy| Cors::new(&policy).unwrap_err();
        let list = "allowMethods";
        assert_eq!(
            refused(CorsPolicy { allow_methods: vec!["*", "GET"], ..first() }),
            CorsError::WildcardNotAlone { list }
        );
        let list = "allowHeaders";
        assert_eq!(
            refused(CorsPolicy { allow_headers: vec!["x", "*"], ..first() }),
            CorsError::WildcardNotAlone { list }
        );
        assert_eq!(
            refused(CorsPolicy { allow_headers: vec!["a b"], ..first() }),
            CorsError::HeaderName { list, name: "a b".to_owned() }
        );
        assert_eq!(
            refused(CorsPolicy { allow_methods: vec!["a b"], ..first() }),
            CorsError::Method("a b".to_owned())
        );
        assert_eq!(refused(CorsPolicy { max_age: Some(0), ..first() }), CorsError::MaxAge(0));
        assert_eq!(
            refused(CorsPolicy { allow_origins: vec!["*", "*"], ..first() }),
            CorsError::Origin(OriginError::WildcardNotAlone)
        );
    }

    // FCO-17
    #[test]
    fn names_keep_the_case_they_were_written_in() {
        let policy = CorsPolicy { allow_methods: vec!["get", "GET"], allow_headers: vec!["X-A"], ..first() };
        let response = preflight(&Cors::new(&policy).unwrap(), "https://www.foo.com", &ASKED);
        assert_eq!(text(response.headers(), ALLOW_METHODS), Some("get, GET"));
        assert_eq!(text(response.headers(), ALLOW_HEADERS), Some("X-A"));
    }
}
