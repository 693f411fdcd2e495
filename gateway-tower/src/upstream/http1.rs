//! A request as a backend of HTTP/1.1 gets it.

use std::mem;
use std::time::Duration;

use gateway_core::exchange::HeaderSet;
use http::header::{self, HeaderMap, HeaderValue};
use http::uri::PathAndQuery;
use http::{Method, Request, StatusCode, Uri, Version};
use http_body::Body;

use crate::body::Inflow;
use crate::tunnel::ClientEnd;

/// Whether a request with the headers in `present` can be taken to a backend at all.
///
/// # Spec
/// RFC 9112 section 6.1: a coding that is not understood is answered with 501.
pub(super) fn can_be_forwarded<B>(request: &Request<B>, present: HeaderSet) -> bool {
    if request.method() == Method::CONNECT {
        return false;
    }
    if !present.has(HeaderSet::TRANSFER_ENCODING) {
        return true;
    }
    let codings: Vec<_> = request.headers().get_all(header::TRANSFER_ENCODING).iter().collect();
    matches!(codings[..], [coding] if coding.as_bytes().eq_ignore_ascii_case(b"chunked"))
}

/// How long a backend is waited for that was asked whether it wants the body, and does not say.
///
/// # Spec
/// RFC 9110 section 10.1.1: a client should not wait for an indefinite time.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where a client waits for 100 before it sends its body, passes the question on: the body is read when the backend wants it.
///
/// # Spec
/// MSG-08; RFC 9110 section 10.1.1.
fn wait_for_continue<B>(request: &mut Request<B>) {
    let expects = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"100-continue");
    if !request.headers().get(header::EXPECT).is_some_and(expects) {
        return;
    }
    let Some(inflow) = request.extensions().get::<Inflow>().cloned() else { return };
    inflow.hold();
    let late = inflow.clone();
    hyper::ext::on_informational(request, move |answer| {
        if answer.status() == StatusCode::CONTINUE {
            inflow.release();
        }
    });
    tokio::spawn(async move {
        tokio::time::sleep(PATIENCE).await;
        late.release();
    });
}

/// Makes it a request of HTTP/1.1. Returns the client's end of an upgrade, if one is to be forwarded.
pub(super) fn prepare<B: Body>(request: &mut Request<B>, present: HeaderSet) -> Option<ClientEnd> {
    let mut target = mem::take(request.uri_mut()).into_parts();
    let path = target.path_and_query.take();
    *request.uri_mut() = Uri::from(path.unwrap_or(PathAndQuery::from_static("/")));
    *request.version_mut() = Version::HTTP_11;
    let framed = present.has(HeaderSet::CONTENT_LENGTH | HeaderSet::TRANSFER_ENCODING);
    if !framed && !request.body().is_end_stream() {
        frame(request);
    }
    if present.has(HeaderSet::COOKIE) {
        join_cookies(request.headers_mut());
    }
    if present.has(HeaderSet::EXPECT) {
        wait_for_continue(request);
    }
    let upgrade = if present.has(HeaderSet::UPGRADE) { ClientEnd::take(request) } else { None };
    if present.has(HeaderSet::TE) {
        let headers = request.headers_mut();
        match upgrade {
            // "A sender of TE MUST also send a TE connection option": RFC 9110 section 10.1.4.
            None => headers.insert(header::CONNECTION, HeaderValue::from_static("te")),
            // What follows a switch has no trailers.
            Some(_) => headers.remove(header::TE),
        };
    }
    upgrade
}

/// Makes sure that a body of unknown length is sent.
///
/// hyper takes a GET or HEAD without a word about its body for one without body; over HTTP/2, that word is optional.
fn frame<B: Body>(request: &mut Request<B>) {
    if request.body().size_hint().exact().is_none() {
        request.headers_mut().insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
}

/// Makes one line of cookies that HTTP/2 brought in several.
///
/// # Spec
/// RFC 9113 section 8.2.3.
fn join_cookies(headers: &mut HeaderMap) {
    if headers.get_all(header::COOKIE).iter().nth(1).is_none() {
        return;
    }
    let lines: Vec<&[u8]> = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    let joined = lines.join(&b"; "[..]);
    let joined =
        HeaderValue::try_from(joined).expect("header values joined by a semicolon are a header value");
    headers.insert(header::COOKIE, joined);
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http_body_util::{Empty, Full, StreamBody};

    type Streaming = StreamBody<futures_util::stream::Empty<Result<http_body::Frame<Bytes>, std::io::Error>>>;

    fn streaming() -> Streaming {
        StreamBody::new(futures_util::stream::empty())
    }

    fn prepared<B: Body>(request: &mut Request<B>) -> Option<ClientEnd> {
        let present = HeaderSet::from_standard(request.headers());
        prepare(request, present)
    }

    fn request<B>(method: &str, lines: &[(&str, &str)], body: B) -> Request<B> {
        let mut request = Request::builder().method(method).uri("http://10.0.0.1:80/a?b");
        for (name, value) in lines {
            request = request.header(*name, *value);
        }
        request.body(body).unwrap()
    }

    #[test]
    fn connect_and_unknown_codings_are_not_forwarded() {
        for (method, coding, expected) in [
            ("CONNECT", &[][..], false),
            ("GET", &[], true),
            ("POST", &[("transfer-encoding", "Chunked")], true),
            ("POST", &[("transfer-encoding", "gzip, chunked")], false),
            ("POST", &[("transfer-encoding", "gzip"), ("transfer-encoding", "chunked")], false),
            ("POST", &[("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")], false),
        ] {
            let request = request(method, coding, ());
            let forwarded = can_be_forwarded(&request, HeaderSet::from_standard(request.headers()));
            assert_eq!(forwarded, expected, "{method} {coding:?}");
        }
    }

    #[test]
    fn a_body_of_unknown_length_is_announced_whatever_the_method() {
        for (method, lines) in [("GET", &[][..]), ("POST", &[]), ("HEAD", &[])] {
            let mut announced = request(method, lines, streaming());
            prepared(&mut announced);
            assert_eq!(announced.headers()["transfer-encoding"], "chunked", "{method}");
        }
        let mut known = request("GET", &[("content-length", "3")], streaming());
        prepared(&mut known);
        assert!(!known.headers().contains_key("transfer-encoding"));
        let mut full = request("GET", &[], Full::new(Bytes::from_static(b"abc")));
        prepared(&mut full);
        assert!(full.headers().is_empty());
    }

    // FRW-08
    #[test]
    fn target_and_version_are_those_of_http_1_and_the_host_stays() {
        let mut request = request("GET", &[("host", "Example.com:8080")], Empty::<Bytes>::new());
        *request.version_mut() = Version::HTTP_2;
        request.headers_mut().append("cookie", HeaderValue::from_static("a=1"));
        request.headers_mut().append("cookie", HeaderValue::from_static("b=2"));
        request.headers_mut().append("te", HeaderValue::from_static("trailers"));
        prepared(&mut request);
        assert_eq!((request.uri().to_string(), request.version()), ("/a?b".into(), Version::HTTP_11));
        assert_eq!(request.headers()["host"], "Example.com:8080");
        assert_eq!(request.headers()["cookie"], "a=1; b=2");
        assert_eq!(request.headers()["connection"], "te");
    }
}
