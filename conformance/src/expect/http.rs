//! HTTP: the answer of the gateway, and what the backend says that it got.

use std::fmt;

use http::Uri;

use crate::case::{
    HeaderExpectation, HttpExchange, HttpExpectation, ObjectRef, RedirectExpectation, Statuses,
};
use crate::exchange::{Answer, Echo, GrpcEcho, HttpAnswer};

use super::mismatch::{Mismatch, backend, pod};

/// A cookie that an answer sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetCookie<'a> {
    /// The name.
    pub name: &'a str,
    /// The value.
    pub value: &'a str,
    /// The attributes, sorted.
    pub attributes: Vec<&'a str>,
}

/// The cookie in a line of Set-Cookie.
pub fn set_cookie(line: &str) -> Option<SetCookie<'_>> {
    let mut parts = line.split(';').map(str::trim);
    let (name, value) = parts.next()?.split_once('=')?;
    let mut attributes: Vec<&str> = parts.collect();
    attributes.sort_unstable();
    Some(SetCookie { name, value, attributes })
}

/// What is known about the place where a request went.
pub struct Meeting<'a> {
    /// The port of the listener.
    pub port: u16,
    /// The text of the certificate in a Secret.
    pub certificate: &'a dyn Fn(&ObjectRef) -> Option<String>,
}

/// The statuses that say that something took too long.
const TIMEOUTS: [u16; 2] = [408, 504];

/// Compares an answer of a Gateway. Mirrors are looked at elsewhere.
pub fn http(exchange: &HttpExchange, meeting: &Meeting<'_>, answer: &Answer) -> Vec<Mismatch> {
    let expected = &exchange.expect;
    let answer = match (answer, expected.no_answer) {
        (Answer::Failed(_), true) => return Vec::new(),
        (_, true) => return vec![Mismatch::answer("none: TLS or the connection fails", answer)],
        (Answer::Http(answer), false) => answer,
        (_, false) => return vec![Mismatch::answer(wanted(expected), answer)],
    };
    let mut comparison = Comparison { expected, answer, mismatches: Vec::new() };
    if exchange.request.tls.as_ref().is_some_and(|tls| tls.certificate.is_some())
        && !answer.certificate_requested
    {
        comparison.add("client certificate", "asked for in the TLS handshake", "not asked for");
    }
    if expected.failure {
        if answer.status == 200 || TIMEOUTS.contains(&answer.status) {
            comparison.add("status", "one that is neither 200 nor 408 nor 504", answer.status);
        }
        return comparison.mismatches;
    }
    let fits = comparison.status();
    if TIMEOUTS.contains(&answer.status) {
        return comparison.mismatches;
    }
    if matches!(answer.status, 200 | 204) {
        comparison.echo(exchange, meeting);
    }
    // With another status, everything else is another answer too.
    if fits {
        comparison.response_headers();
        comparison.redirect(exchange, meeting);
    }
    comparison.mismatches
}

/// Compares an answer to a client in a mesh: status, headers, and the name of the backend.
pub fn mesh(exchange: &HttpExchange, answer: &Answer) -> Vec<Mismatch> {
    let expected = &exchange.expect;
    let of_grpc;
    let answer = match answer {
        Answer::Http(answer) => answer,
        Answer::Grpc(grpc) if grpc.code == 0 => {
            let echo = grpc.echo.clone().map(|GrpcEcho { pod, headers, .. }| Echo {
                pod,
                headers,
                ..Echo::default()
            });
            of_grpc = HttpAnswer { status: 200, echo, ..HttpAnswer::default() };
            &of_grpc
        }
        Answer::Failed(_) if expected.no_answer => return Vec::new(),
        other => return vec![Mismatch::answer(wanted(expected), other)],
    };
    let mut comparison = Comparison { expected, answer, mismatches: Vec::new() };
    let fits = comparison.status();
    if fits && !TIMEOUTS.contains(&answer.status) {
        match (&answer.echo, &expected.backend) {
            (Some(echo), name) => {
                comparison.mismatches.extend(name.as_ref().and_then(|name| backend(name, &echo.pod, false)));
                comparison.request_headers(echo);
            }
            (None, Some(name)) => comparison.add(
                "backend",
                format!("a pod of Deployment {}", name.0.name),
                "no backend answered",
            ),
            (None, None) => {}
        }
        comparison.response_headers();
    }
    comparison.mismatches
}

/// What must come, in a few words.
fn wanted(expected: &HttpExpectation) -> String {
    if expected.failure {
        return "an error of HTTP".to_owned();
    }
    format!("status {}", list(statuses(expected)))
}

fn statuses(expected: &HttpExpectation) -> &[u16] {
    expected.status.as_ref().map_or(&[200], Statuses::as_slice)
}

fn list(statuses: &[u16]) -> String {
    statuses.iter().map(u16::to_string).collect::<Vec<_>>().join(" or ")
}

struct Comparison<'a> {
    expected: &'a HttpExpectation,
    answer: &'a HttpAnswer,
    mismatches: Vec<Mismatch>,
}

// === impl Meeting ===

impl fmt::Debug for Meeting<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meeting").field("port", &self.port).finish_non_exhaustive()
    }
}

// === impl Comparison ===

impl Comparison<'_> {
    fn add(&mut self, what: impl Into<String>, expected: impl fmt::Display, got: impl fmt::Display) {
        self.mismatches.push(Mismatch::new(what, expected, got));
    }

    /// Whether the status is one of those that must come; 408 and 504 are the same.
    fn status(&mut self) -> bool {
        let wanted = statuses(self.expected);
        let timeout = TIMEOUTS.contains(&self.answer.status) && wanted.iter().any(|it| TIMEOUTS.contains(it));
        let fits = wanted.contains(&self.answer.status) || timeout;
        if !fits {
            let from = match &self.answer.echo {
                Some(echo) => format!(" from {}", pod(&echo.pod)),
                None => String::new(),
            };
            self.add("status", list(wanted), format!("{}{from}", self.answer.status));
        }
        fits
    }

    /// What the backend got.
    fn echo(&mut self, exchange: &HttpExchange, meeting: &Meeting<'_>) {
        let expected = self.expected;
        let echo = match (&self.answer.echo, expected.not_forwarded) {
            (Some(echo), true) => {
                return self.add("backend", "none: the gateway answers by itself", pod(&echo.pod));
            }
            (None, true) => return,
            (None, false) => {
                let asked = expected.backend.is_some()
                    || expected.path.is_some()
                    || expected.host.is_some()
                    || !expected.headers.is_empty()
                    || expected.own_name_in.is_some()
                    || expected.server_name.is_some()
                    || expected.peer_certificate.is_some();
                if asked {
                    self.add("backend", "one that answers", "an answer that no backend made");
                }
                return;
            }
            (Some(echo), false) => echo,
        };
        if let Some(name) = &expected.backend {
            self.mismatches.extend(backend(name, &echo.pod, true));
        }
        let path = expected.path.as_ref().unwrap_or(&exchange.request.path);
        if *path != echo.path {
            self.add("path at the backend", format!("{path:?}"), format!("{:?}", echo.path));
        }
        if exchange.request.method != echo.method {
            self.add("method at the backend", &exchange.request.method, &echo.method);
        }
        if let Some(host) = expected.host.as_ref().filter(|host| **host != echo.host) {
            self.add("host at the backend", format!("{host:?}"), format!("{:?}", echo.host));
        }
        self.request_headers(echo);
        if let Some(name) = &expected.own_name_in {
            let own = echo.pod.deployment();
            let got = echo.header(name);
            if got != [own] {
                self.add(
                    format!("request header {name}"),
                    format!("{own:?}, the backend's name"),
                    lines(&got),
                );
            }
        }
        if let Some(name) =
            expected.server_name.as_ref().filter(|name| Some(*name) != echo.server_name.as_ref())
        {
            let got = echo.server_name.as_ref().map_or("none".to_owned(), |name| format!("{name:?}"));
            self.add("server name at the backend", format!("{name:?}"), got);
        }
        if let Some(secret) = &expected.peer_certificate {
            let same = |a: &str, b: &str| a.split_whitespace().eq(b.split_whitespace());
            match (meeting.certificate)(secret) {
                None => self.add(
                    "client certificate at the backend",
                    format!("that of {secret}"),
                    "no such Secret",
                ),
                Some(wanted) if echo.peer_certificates.iter().any(|got| same(got, &wanted)) => {}
                Some(_) => {
                    let got = match echo.peer_certificates.len() {
                        0 => "none".to_owned(),
                        count => format!("{count} others"),
                    };
                    self.add("client certificate at the backend", format!("that of {secret}"), got);
                }
            }
        }
    }

    fn request_headers(&mut self, echo: &Echo) {
        for (name, expected) in &self.expected.headers {
            self.header("request header", name, expected, &echo.header(name));
        }
        for name in &self.expected.absent_headers {
            self.absent("request header", name, &echo.header(name));
        }
    }

    fn response_headers(&mut self) {
        let (expected, answer) = (self.expected, self.answer);
        for (name, expected) in &expected.response_headers {
            self.header("response header", name, expected, &answer.header(name));
        }
        for name in &expected.absent_response_headers {
            self.absent("response header", name, &answer.header(name));
        }
        let cookies: Vec<SetCookie> =
            answer.header("set-cookie").into_iter().filter_map(set_cookie).collect();
        for (name, attributes) in &expected.set_cookies {
            let mut wanted: Vec<&str> = attributes.iter().map(String::as_str).collect();
            wanted.sort_unstable();
            match cookies.iter().find(|cookie| cookie.name == name) {
                Some(cookie) if cookie.attributes == wanted => {}
                Some(cookie) => self.add(
                    format!("cookie {name}"),
                    format!("{wanted:?}"),
                    format!("{:?}", cookie.attributes),
                ),
                None => self.add(format!("cookie {name}"), format!("{wanted:?}"), "none"),
            }
        }
        for name in &expected.absent_cookies {
            if cookies.iter().any(|cookie| cookie.name == name) {
                self.add(format!("cookie {name}"), "none", "one that is set");
            }
        }
    }

    fn header(&mut self, which: &str, name: &str, expected: &HeaderExpectation, got: &[&str]) {
        if !expected.fits(got) {
            self.add(format!("{which} {name}"), expected, lines(got));
        }
    }

    fn absent(&mut self, which: &str, name: &str, got: &[&str]) {
        if !got.is_empty() {
            self.add(format!("{which} {name}"), "none", lines(got));
        }
    }

    /// Where a redirect leads to.
    fn redirect(&mut self, exchange: &HttpExchange, meeting: &Meeting<'_>) {
        const WITH_LOCATION: [u16; 8] = [300, 301, 302, 303, 304, 305, 307, 308];
        let lines = self.answer.header("location");
        let location = lines.first().and_then(|location| location.parse::<Uri>().ok());
        let Some(location) = location else {
            let needed = self.expected.redirect.is_some() || WITH_LOCATION.contains(&self.answer.status);
            if needed {
                let got = lines.first().map_or("none".to_owned(), |it| format!("{it:?}, which is no URI"));
                self.add("response header Location", "a URI", got);
            }
            return;
        };
        let Some(RedirectExpectation { scheme, host, port, path }) = &self.expected.redirect else { return };
        let sent_scheme = if exchange.request.tls.is_some() { "https" } else { "http" };
        let sent_path = exchange.request.path.split('?').next().unwrap_or_default();
        let got_scheme = location.scheme_str().unwrap_or(sent_scheme);
        // What is not in a relative one is as in the request.
        let got_port = match location.authority() {
            Some(authority) => authority.port_u16(),
            None => Some(meeting.port),
        };
        let usual = match got_scheme {
            "https" => 443,
            _ => 80,
        };
        let wanted_scheme = scheme.as_deref().unwrap_or(sent_scheme);
        if wanted_scheme != got_scheme {
            self.add("scheme of the redirect", wanted_scheme, got_scheme);
        }
        if let Some(host) = host.as_ref().filter(|host| Some(host.as_str()) != location.host()) {
            self.add("host of the redirect", host, location.host().unwrap_or("none"));
        }
        let fits = match port {
            Some(port) => got_port == Some(*port),
            None => got_port.is_none_or(|port| port == usual),
        };
        if !fits {
            let wanted = port.map_or(format!("none, or {usual}"), |port| port.to_string());
            self.add(
                "port of the redirect",
                wanted,
                got_port.map_or("none".to_owned(), |port| port.to_string()),
            );
        }
        let wanted_path = path.as_deref().unwrap_or(sent_path);
        if wanted_path != location.path() {
            self.add("path of the redirect", wanted_path, location.path());
        }
    }
}

/// The lines of a header in words.
fn lines(lines: &[&str]) -> String {
    match lines {
        [] => "no such header".to_owned(),
        lines => format!("{:?}", lines.join(",")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use crate::exchange::{Failure, Pod};

    use super::*;

    fn exchange(value: serde_json::Value) -> HttpExchange {
        from_value(value).unwrap()
    }

    fn echo(name: &str, path: &str) -> Answer {
        let pod = Pod { namespace: "gateway-conformance-infra".to_owned(), name: format!("{name}-abc-def") };
        let headers = [("X-Header-Add".to_owned(), vec!["a".to_owned()])].into();
        let echo = Echo { path: path.to_owned(), method: "GET".to_owned(), headers, pod, ..Echo::default() };
        Answer::Http(HttpAnswer { status: 200, echo: Some(echo), ..HttpAnswer::default() })
    }

    fn plain(status: u16, headers: &[(&str, &str)]) -> Answer {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Answer::Http(HttpAnswer { status, headers, ..HttpAnswer::default() })
    }

    /// What does not fit, a line each.
    fn compare(value: serde_json::Value, answer: &Answer) -> Vec<String> {
        let meeting = Meeting { port: 80, certificate: &|_| Some("-----BEGIN X-----\nYWJj".to_owned()) };
        http(&exchange(value), &meeting, answer).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn everything_that_does_not_fit_is_listed() {
        let wanted = json!({"path": "/a?b=c", "expect": {
            "backend": "infra-backend-v1",
            "headers": {"x-header-add": "a,b"},
            "absentHeaders": ["X-HEADER-ADD"],
            "responseHeaders": {"X-Answer": "yes"},
        }});
        assert_eq!(
            compare(wanted, &echo("infra-backend-v2", "/a")),
            [
                "backend: expected a pod of Deployment gateway-conformance-infra/infra-backend-v1, \
                 got pod gateway-conformance-infra/infra-backend-v2-abc-def",
                "path at the backend: expected \"/a?b=c\", got \"/a\"",
                "request header x-header-add: expected \"a,b\", got \"a\"",
                "request header X-HEADER-ADD: expected none, got \"a\"",
                "response header X-Answer: expected \"yes\", got no such header",
            ]
        );
    }

    #[test]
    fn an_answer_that_fits_is_good() {
        let wanted = json!({"path": "/a", "expect": {"backend": "infra-backend-v1", "headers": {"X-Header-Add": "a"}}});
        assert_eq!(compare(wanted, &echo("infra-backend-v1", "/a")), [""; 0]);
    }

    #[test]
    fn a_timeout_ends_the_comparison_and_has_two_numbers() {
        let wanted = json!({"expect": {"status": 504, "responseHeaders": {"X": "y"}}});
        assert_eq!(compare(wanted.clone(), &plain(408, &[])), [""; 0]);
        assert_eq!(compare(wanted, &plain(503, &[])), ["status: expected 504, got 503"]);
        assert_eq!(
            compare(json!({"expect": {"backend": "infra-backend-v1"}}), &plain(504, &[])),
            ["status: expected 200, got 504"]
        );
    }

    #[test]
    fn a_redirect_is_as_the_request_where_nothing_is_said() {
        let compare = |redirect: serde_json::Value, location: &str| {
            let wanted = json!({"path": "/a?b", "expect": {"status": 302, "redirect": redirect}});
            compare(wanted, &plain(302, &[("Location", location)])).join("; ")
        };
        for good in ["http://example.org/a", "http://example.org:80/a?b", "/a"] {
            assert_eq!(compare(json!({}), good), "", "{good}");
        }
        assert_eq!(
            compare(json!({}), "https://example.org:8443/b"),
            "scheme of the redirect: expected http, got https; \
             port of the redirect: expected none, or 443, got 8443; \
             path of the redirect: expected /a, got /b"
        );
        assert_eq!(compare(json!({"scheme": "https"}), "https://example.org:443/a"), "");
        assert_eq!(compare(json!({"port": 8080}), "http://example.org:8080/a"), "");
        assert_eq!(
            compare(json!({"host": "example.org"}), "/a"),
            "host of the redirect: expected example.org, got none"
        );
        assert_eq!(
            compare(json!({}), "http://exa mple/"),
            "response header Location: expected a URI, got \"http://exa mple/\", which is no URI"
        );
        assert!(compare(json!({"port": 8080}), "http://example.org/a").contains("expected 8080, got none"));
    }

    #[test]
    fn failures_and_answers_that_must_not_come() {
        let closed = Answer::Failed(Failure::Closed("reset".to_owned()));
        let failure = json!({"expect": {"failure": true}});
        assert_eq!(compare(failure.clone(), &plain(502, &[])), [""; 0]);
        assert_eq!(compare(failure.clone(), &plain(504, &[])).len(), 1);
        assert_eq!(compare(failure.clone(), &echo("a", "/")).len(), 1);
        assert_eq!(compare(failure, &closed).len(), 1);
        let none = json!({"expect": {"noAnswer": true}});
        assert_eq!(compare(none.clone(), &closed), [""; 0]);
        assert_eq!(
            compare(none, &plain(400, &[])),
            [
                "answer: expected none: TLS or the connection fails, got status 400, without the answer of a backend"
            ]
        );
        let status = json!({"expect": {"status": 404}});
        assert_eq!(
            compare(status, &closed),
            ["answer: expected status 404, got no answer: the connection was closed or reset (reset)"]
        );
    }

    #[test]
    fn who_answers_by_himself_asks_no_backend() {
        let wanted = json!({"expect": {"status": [200, 204, 403], "notForwarded": true}});
        assert_eq!(compare(wanted.clone(), &plain(204, &[])), [""; 0]);
        assert!(compare(wanted, &echo("infra-backend-v1", "/"))[0].starts_with("backend: expected none"));
        let wanted = json!({"expect": {"backend": "infra-backend-v1"}});
        assert_eq!(
            compare(wanted, &plain(200, &[])),
            ["backend: expected one that answers, got an answer that no backend made"]
        );
    }

    #[test]
    fn certificates_are_asked_for_and_shown() {
        let tls = json!({"serverName": "a.org", "trust": "Secret s", "certificate": "Secret c"});
        let wanted = json!({"tls": tls, "expect": {"backend": "b", "peerCertificate": "Secret c"}});
        let Answer::Http(mut answer) = echo("b", "/") else { unreachable!("an echo is HTTP") };
        assert_eq!(
            compare(wanted.clone(), &Answer::Http(answer.clone())),
            [
                "client certificate: expected asked for in the TLS handshake, got not asked for",
                "client certificate at the backend: expected that of Secret c, got none"
            ]
        );
        answer.certificate_requested = true;
        answer.echo.as_mut().unwrap().peer_certificates = vec!["-----BEGIN X-----\r\nYWJj\r\n".to_owned()];
        assert_eq!(compare(wanted, &Answer::Http(answer)), [""; 0]);
    }

    #[test]
    fn a_backend_finds_its_own_name() {
        let wanted = json!({"expect": {"ownNameIn": "X-Header-Add"}});
        assert_eq!(compare(wanted.clone(), &echo("a", "/")), [""; 0]);
        assert_eq!(
            compare(wanted, &echo("b", "/")),
            ["request header X-Header-Add: expected \"b\", the backend's name, got \"a\""]
        );
    }

    #[test]
    fn in_a_mesh_paths_and_redirects_are_not_looked_at() {
        let wanted = exchange(json!({"path": "/x", "expect": {"backend": "echo-v1"}}));
        assert_eq!(mesh(&wanted, &echo("echo-v1", "/y")), []);
        assert_eq!(mesh(&wanted, &echo("echo-v2", "/x")).len(), 1);
        let redirect = exchange(json!({"expect": {"status": 302}}));
        assert_eq!(mesh(&redirect, &plain(302, &[])), []);
        assert_eq!(mesh(&redirect, &plain(301, &[])).len(), 1);
    }
}
