//! Questions to authorization services, and what their answers do to a request.

use std::collections::HashMap;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue, MaxSizeReached};
use http::uri::PathAndQuery;
use http::{Method, Request, Response, StatusCode, Uri, request};

use super::form::Form;
use super::grpc_code::GrpcCode;
use crate::filter::{GrpcAuth, HeaderEdits, HttpAuth, Put};
use crate::matching::normalize_path;

/// What came of asking an authorization service.
///
/// The service gets as much of the request as the [filter](crate::filter::ExternalAuth) says, and no header beyond. What it
/// answers is an [`AuthAnswer`]: the request passes, with headers as the service wants them; or the client gets the service's
/// answer; or there is none, and then the request does not pass either.
///
/// Whatever a service says, it says nothing of where a request goes and where it ends: `Host`, `Content-Length` and what is for
/// one hop only stay as they are.
///
/// The surprising case: a header that the service is [allowed](crate::filter::HttpAuth::allowed_response_headers) to set by name
/// is taken out of the request where the service does not set it. A client could otherwise say by itself who it is.
///
/// ```
/// use bytes::Bytes;
/// use gateway_core::exchange::{AuthAnswer, Form};
/// use gateway_core::filter::HttpAuth;
/// use http::{HeaderName, Request, Response};
///
/// let user = HeaderName::from_static("x-user");
/// let auth = HttpAuth {
///     prefix: "/check".into(),
///     allowed_headers: [].into(),
///     allowed_response_headers: [user].into(),
/// };
/// let request = Request::get("/cart?item=1").header("host", "shop.example").header("cookie", "a=b").header("x-user", "root");
/// let (mut parts, ()) = request.body(())?.into_parts();
/// let question = auth.question(&parts, 0)?;
/// assert_eq!(question.uri, "/check/cart?item=1");
/// assert_eq!(question.headers["host"], "shop.example");
/// assert!(!question.headers.contains_key("cookie"));
///
/// let AuthAnswer::Permit(permit) = auth.answer(Response::new(Bytes::new())) else { panic!("200 lets it pass") };
/// permit.apply(&mut parts.headers)?;
/// assert!(!parts.headers.contains_key("x-user"));
///
/// let answer = Response::builder().status(401).header("www-authenticate", "Basic").body(Bytes::from("who?"))?;
/// let AuthAnswer::Deny(denial) = auth.answer(answer) else { panic!("401 does not") };
/// assert_eq!(denial.into_response(Form::Http).headers()["www-authenticate"], "Basic");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Spec
/// [FEA-01](crate::spec#FEA-01) to [FEA-08](crate::spec#FEA-08); GEP-1494.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthAnswer {
    /// The request passes.
    Permit(Permit),
    /// It does not.
    Deny(Denial),
    /// It does not: there is no answer, or none that is understood.
    Failed,
    /// It does not: its body is longer than what may be sent along.
    BodyTooLong,
}

/// What an authorization service makes of the headers of a request that passes, and of those of the answer to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permit {
    request: HeaderEdits,
    answer: HeaderEdits,
}

/// The answer to a request that an authorization service does not let pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// A request that no service can be asked about over HTTP: it has no path, or one that is too long behind the prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a request with this target cannot be asked about over HTTP")]
pub struct NoQuestion;

// === impl HttpAuth ===

impl HttpAuth {
    /// The head of the request by which the service is asked about the request with this head, with a body of `length` bytes.
    ///
    /// Its target is in origin form, and its Host header has the host of the request.
    ///
    /// # Errors
    /// When the request cannot be asked about. Then it must not pass.
    ///
    /// # Spec
    /// [FEA-04](crate::spec#FEA-04), [FEA-05](crate::spec#FEA-05).
    pub fn question(&self, request: &request::Parts, length: u64) -> Result<request::Parts, NoQuestion> {
        let (mut question, ()) = Request::new(()).into_parts();
        question.method = request.method.clone();
        question.uri = self.target(request)?;
        let always = [header::HOST, header::AUTHORIZATION];
        copy(&always, &request.headers, &mut question.headers);
        let allowed = self.allowed_headers.iter().filter(|name| !always.contains(name));
        copy(allowed, &request.headers, &mut question.headers);
        question.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        Ok(question)
    }

    /// The target of a request behind the prefix.
    fn target(&self, request: &request::Parts) -> Result<Uri, NoQuestion> {
        // CONNECT would be a tunnel to the service, and `*` is behind no prefix.
        if request.method == Method::CONNECT || request.uri.path() == "*" {
            return Err(NoQuestion);
        }
        let target = PathAndQuery::try_from(format!("{}{}", self.prefix, matched_target(request)));
        target.map(Uri::from).map_err(|_| NoQuestion)
    }

    /// What the answer of the service means.
    ///
    /// # Spec
    /// [FEA-02](crate::spec#FEA-02), [FEA-06](crate::spec#FEA-06).
    pub fn answer(&self, response: Response<Bytes>) -> AuthAnswer {
        let (parts, body) = response.into_parts();
        if parts.status.is_success() && parts.status != StatusCode::OK {
            // To the client it would say that all is well.
            return AuthAnswer::Deny(Denial::new(StatusCode::FORBIDDEN, HeaderMap::new(), Bytes::new()));
        }
        if parts.status != StatusCode::OK {
            return AuthAnswer::Deny(Denial::new(parts.status, parts.headers, body));
        }
        let mut permit = Permit::default();
        let listed = &self.allowed_response_headers;
        listed.iter().for_each(|name| permit.remove(name.clone()));
        for name in parts.headers.keys() {
            let is_copied = match listed.is_empty() {
                true => !Self::is_about_the_answer(name),
                false => listed.contains(name),
            };
            if is_copied {
                permit.remove(name.clone());
                parts.headers.get_all(name).iter().for_each(|value| {
                    permit.put(Put::Append, name.clone(), value.clone());
                });
            }
        }
        AuthAnswer::Permit(permit)
    }
}

/// The path and the query of a request in the form that is matched, which a filter before may not have left.
fn matched_target(request: &request::Parts) -> String {
    let Some(written) = request.uri.path_and_query() else { return String::new() };
    let path = match written.path() {
        path if path.starts_with('/') => normalize_path(path),
        other => other.into(),
    };
    match written.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.into_owned(),
    }
}

fn copy<'n>(names: impl IntoIterator<Item = &'n HeaderName>, from: &HeaderMap, to: &mut HeaderMap) {
    for name in names.into_iter().filter(|name| *name == header::HOST || !is_of_the_gateway(name)) {
        for value in from.get_all(name) {
            // The request it is from has as many.
            let _full = to.try_append(name, value.clone());
        }
    }
}

/// Whether a header says where a message goes or ends, or is for one hop only.
fn is_of_the_gateway(name: &HeaderName) -> bool {
    [
        header::HOST,
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
        header::CONNECTION,
        header::UPGRADE,
        header::TE,
        header::TRAILER,
        header::EXPECT,
    ]
    .contains(name)
        || ["keep-alive", "proxy-connection", "http2-settings", "authority"].contains(&name.as_str())
}

// === impl GrpcAuth ===

impl GrpcAuth {
    /// The path and the query that the service is told: in the form that is matched.
    pub fn target(&self, request: &request::Parts) -> String {
        matched_target(request)
    }

    /// The headers that the service is told, in the order of their names; the lines of one name are one, as HTTP joins them.
    ///
    /// # Spec
    /// [FEA-07](crate::spec#FEA-07); the choice is [CON-14](crate::choices#CON-14).
    pub fn headers<'h>(&self, headers: &'h HeaderMap) -> impl Iterator<Item = (&'h str, String)> + use<'h> {
        let is_told =
            |name: &&HeaderName| self.allowed_headers.is_empty() || self.allowed_headers.contains(name);
        let mut names: Vec<_> = headers.keys().filter(is_told).collect();
        names.sort_unstable_by_key(|name| name.as_str());
        names.into_iter().map(|name| {
            let separator = if name == header::COOKIE { "; " } else { "," };
            let lines: Vec<_> =
                headers.get_all(name).iter().map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
            (name.as_str(), lines.join(separator))
        })
    }
}

// === impl Permit ===

impl Permit {
    /// Takes the headers of this name out of the request, unless it is one of those that stay.
    pub fn remove(&mut self, name: HeaderName) {
        if !is_of_the_gateway(&name) {
            self.request.remove(name);
        }
    }

    /// Puts a header into the request, unless it is one of those that stay.
    pub fn put(&mut self, how: Put, name: HeaderName, value: HeaderValue) {
        if !is_of_the_gateway(&name) {
            self.request.put(how, name, value);
        }
    }

    /// Puts a header into the answer to the request, beside those that the backend sets, or in their place.
    pub fn put_into_answer(&mut self, how: Put, name: HeaderName, value: HeaderValue) {
        if !is_of_the_gateway(&name) {
            self.answer.put(how, name, value);
        }
    }

    /// Changes the headers of the request.
    ///
    /// # Errors
    /// When there is no room for so many. Then the request must not pass.
    pub fn apply(&self, headers: &mut HeaderMap) -> Result<(), MaxSizeReached> {
        self.remove_look_alikes(headers);
        self.request.apply(headers)
    }

    /// Takes out what the client may have sent in the place of what the service says.
    fn remove_look_alikes(&self, headers: &mut HeaderMap) {
        if self.request.is_empty() {
            return;
        }
        let folded = |name: &HeaderName| name.as_str().replace('_', "-");
        let said: HashMap<_, _> = self.request.names().map(|name| (folded(name), name)).collect();
        let looks_alike = |name: &HeaderName| match said.get(&folded(name)) {
            Some(said) => *said != name,
            None => false,
        };
        let gone: Vec<_> = headers.keys().filter(|name| looks_alike(name)).cloned().collect();
        for name in gone {
            headers.remove(name);
        }
    }

    /// What is to be done to the headers of the answer.
    pub(super) fn of_answer(&self) -> &HeaderEdits {
        &self.answer
    }
}

// === impl Denial ===

impl Denial {
    /// An answer with this status, these headers and this body, without what is for one hop only. A status that does not end
    /// an exchange becomes 403.
    pub fn new(status: StatusCode, mut headers: HeaderMap, body: Bytes) -> Self {
        let status = if status.is_informational() { StatusCode::FORBIDDEN } else { status };
        let names: Vec<HeaderName> = headers.keys().filter(|name| is_of_the_gateway(name)).cloned().collect();
        names.into_iter().for_each(|name| _ = headers.remove(name));
        Self { status, headers, body }
    }

    /// The answer in the form that the client understands.
    pub fn into_response(self, form: Form) -> Response<Bytes> {
        let Self { status, headers, body } = self;
        match form {
            Form::Grpc(_) => {
                let text = format!("{}: the request is not authorized", status.as_u16());
                form.answer(status, GrpcCode::from_http_status(status), &text, headers)
            }
            Form::Http | Form::Head => {
                let mut response = Response::new(if form == Form::Head { Bytes::new() } else { body });
                // RFC 9110 section 6.4.1, 15.3.6.
                let no_content =
                    [StatusCode::NO_CONTENT, StatusCode::RESET_CONTENT, StatusCode::NOT_MODIFIED];
                if no_content.contains(&status) {
                    response.body_mut().clear();
                }
                *response.status_mut() = status;
                *response.headers_mut() = headers;
                response
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(target: &str, lines: &[(&str, &str)]) -> request::Parts {
        let mut request = Request::post(target);
        for (name, value) in lines {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn names(names: &[&str]) -> Box<[HeaderName]> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    fn http(prefix: &str, allowed: &[&str], of_answer: &[&str]) -> HttpAuth {
        HttpAuth {
            prefix: prefix.into(),
            allowed_headers: names(allowed),
            allowed_response_headers: names(of_answer),
        }
    }

    fn answer(status: u16, lines: &[(&str, &str)]) -> Response<Bytes> {
        let mut response = Response::builder().status(status);
        for (name, value) in lines {
            response = response.header(*name, *value);
        }
        response.body(Bytes::from_static(b"body")).unwrap()
    }

    fn listed(headers: &HeaderMap) -> Vec<String> {
        let mut lines: Vec<_> =
            headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        lines.sort();
        lines
    }

    // FEA-04
    #[test]
    fn a_question_has_what_is_always_sent_and_what_is_allowed_and_no_more() {
        let lines = [
            ("host", "shop.example"),
            ("authorization", "Bearer a"),
            ("content-length", "7"),
            ("cookie", "session=1"),
            ("x-tenant", "red"),
            ("x-tenant", "blue"),
            ("transfer-encoding", "chunked"),
            ("te", "trailers"),
        ];
        let parts = request("/cart", &lines);
        let plain = http("", &[], &[]).question(&parts, 0).unwrap();
        assert_eq!((plain.method.as_str(), plain.uri.path()), ("POST", "/cart"));
        let always = ["authorization: Bearer a", "content-length: 0", "host: shop.example"];
        assert_eq!(listed(&plain.headers), always);

        let allowed = ["x-tenant", "authorization", "transfer-encoding", "te", "content-length", "host"];
        let question = http("", &allowed, &[]).question(&parts, 3).unwrap();
        let tenants = ["x-tenant: blue", "x-tenant: red"];
        let told = ["authorization: Bearer a", "content-length: 3", "host: shop.example"];
        assert_eq!(listed(&question.headers), [&told[..], &tenants[..]].concat());
    }

    // FEA-05
    #[test]
    fn a_prefix_stands_before_the_path_and_no_request_gets_out_of_it() {
        for (prefix, target, expected) in [
            ("", "/cart?item=1", "/cart?item=1"),
            ("/check", "/cart?item=1", "/check/cart?item=1"),
            ("/check", "/", "/check/"),
            ("/check", "/../../admin", "/check/admin"),
            ("/check", "/a/%2e%2e/b", "/check/b"),
            ("/check", "http://shop.example/cart", "/check/cart"),
            ("/check", "http://shop.example", "/check/"),
        ] {
            let question = http(prefix, &[], &[]).question(&request(target, &[]), 0).unwrap();
            assert_eq!(question.uri, expected, "{prefix} {target}");
        }
        let mut connect = request("shop.example:443", &[]);
        connect.method = Method::CONNECT;
        let long = format!("/{}", "a".repeat(65_530));
        for request in [connect, request("*", &[]), request(&long, &[])] {
            assert_eq!(http("/check", &[], &[]).question(&request, 0).unwrap_err(), NoQuestion);
        }
    }

    // FEA-06
    #[test]
    fn a_request_gets_the_headers_of_the_answer_and_keeps_its_host_and_its_length() {
        let of_answer = [
            ("x-user", "ann"),
            ("x-group", "a"),
            ("x-group", "b"),
            ("host", "evil.example"),
            ("content-length", "4"),
            ("content-type", "text/plain"),
            ("transfer-encoding", "chunked"),
            ("connection", "x-user"),
            ("date", "today"),
        ];
        let lines =
            [("host", "shop.example"), ("content-length", "7"), ("x-user", "root"), ("x-role", "admin")];
        for (allowed, expected) in [
            (&[][..], &["x-group: a", "x-group: b", "x-role: admin", "x-user: ann"][..]),
            (&["x-group", "x-role"], &["x-group: a", "x-group: b", "x-user: root"]),
            (&["x-user", "host"], &["x-role: admin", "x-user: ann"]),
        ] {
            let AuthAnswer::Permit(permit) = http("", &[], allowed).answer(answer(200, &of_answer)) else {
                panic!("200 lets it pass")
            };
            let mut headers = request("/", &lines).headers;
            permit.apply(&mut headers).unwrap();
            let stay = ["content-length: 7", "host: shop.example"];
            assert_eq!(listed(&headers), [&stay[..], expected].concat(), "{allowed:?}");
        }
    }

    // FEA-02
    #[test]
    fn everything_but_200_denies_and_says_so_to_the_client() {
        let lines = [("www-authenticate", "Basic"), ("connection", "close"), ("content-length", "9")];
        for (status, expected, body) in
            [(401, 401, "body"), (302, 302, "body"), (500, 500, "body"), (204, 403, ""), (201, 403, "")]
        {
            let AuthAnswer::Deny(denial) = http("", &[], &[]).answer(answer(status, &lines)) else {
                panic!("{status} does not let it pass")
            };
            let response = denial.clone().into_response(Form::Http);
            assert_eq!((response.status().as_u16(), &response.body()[..]), (expected, body.as_bytes()));
            let headers: &[&str] = if body.is_empty() { &[] } else { &["www-authenticate: Basic"] };
            assert_eq!(listed(response.headers()), headers, "{status}");
            assert!(denial.into_response(Form::Head).body().is_empty());
        }
    }

    // FEA-02, AMB-64
    #[test]
    fn a_call_that_is_denied_gets_a_code() {
        let denial = Denial::new(StatusCode::UNAUTHORIZED, HeaderMap::new(), Bytes::from_static(b"no"));
        let form = Form::Grpc(Box::new(HeaderValue::from_static("application/grpc")));
        let response = denial.into_response(form);
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["grpc-status"], "16");
        assert!(response.body().is_empty());
    }

    // FEA-07, CON-14
    #[test]
    fn a_call_tells_all_headers_or_those_that_are_listed() {
        let lines = [("host", "a"), ("cookie", "a=1"), ("cookie", "b=2"), ("x-b", "1"), ("x-b", "2")];
        let parts = request("/", &lines);
        let told = |allowed: &[&str]| {
            let auth = GrpcAuth { allowed_headers: names(allowed) };
            auth.headers(&parts.headers).map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>()
        };
        assert_eq!(told(&[]), ["cookie: a=1; b=2", "host: a", "x-b: 1,2"]);
        assert_eq!(told(&["x-b", "x-c"]), ["x-b: 1,2"]);
    }

    // FEA-06
    #[test]
    fn a_client_says_nothing_in_another_spelling() {
        let lines =
            [("x_user", "root"), ("x-user-id", "0"), ("x_user_id", "0"), ("x_other", "1"), ("x_own", "1")];
        let of_answer = [("x-user", "ann"), ("x_own", "2")];
        for (allowed, expected) in [
            (&["x-user", "x-user-id", "x_own"][..], &["x-user: ann", "x_other: 1", "x_own: 2"][..]),
            (&[], &["x-user-id: 0", "x-user: ann", "x_other: 1", "x_own: 2", "x_user_id: 0"]),
        ] {
            let AuthAnswer::Permit(permit) = http("", &[], allowed).answer(answer(200, &of_answer)) else {
                panic!("200 lets it pass")
            };
            let mut headers = request("/", &lines).headers;
            permit.apply(&mut headers).unwrap();
            assert_eq!(listed(&headers), expected, "{allowed:?}");
        }
    }

    // FEA-02
    #[test]
    fn an_answer_that_has_no_content_gets_none_from_the_service() {
        for status in [204, 205, 304] {
            let status = StatusCode::from_u16(status).unwrap();
            let denial = Denial::new(status, HeaderMap::new(), Bytes::from_static(b"body"));
            assert!(denial.into_response(Form::Http).body().is_empty(), "{status}");
        }
    }

    // FEA-02
    #[test]
    fn headers_are_put_as_the_service_says() {
        let mut permit = Permit::default();
        let value = HeaderValue::from_static;
        for (how, name) in [
            (Put::Set, "x-set"),
            (Put::Append, "x-append"),
            (Put::IfAbsent, "x-absent"),
            (Put::IfAbsent, "x-there"),
            (Put::IfPresent, "x-there-too"),
            (Put::IfPresent, "x-not-there"),
            (Put::Set, "host"),
        ] {
            permit.put(how, HeaderName::from_static(name), value("new"));
        }
        permit.remove(HeaderName::from_static("x-gone"));
        permit.remove(header::HOST);
        let old = ["x-set", "x-append", "x-there", "x-there-too", "x-gone", "host"].map(|name| (name, "old"));
        let mut headers = request("/", &old).headers;
        permit.apply(&mut headers).unwrap();
        assert_eq!(
            listed(&headers),
            [
                "host: old",
                "x-absent: new",
                "x-append: new",
                "x-append: old",
                "x-set: new",
                "x-there-too: new",
                "x-there: old",
            ]
        );
    }
}
