//! A request as a backend of HTTP/1.1 gets it, and its answer.

use http::header::{self, HeaderMap, HeaderValue};
use http::uri::PathAndQuery;
use http::{Method, Request, Uri, Version};
use http_body::Body;
use hyper::upgrade::OnUpgrade;

use crate::hop_by_hop;

/// Whether a request can be taken to a backend at all.
///
/// # Spec
/// RFC 9112 section 6.1: a coding that is not understood is answered with 501.
pub(super) fn can_be_forwarded<B>(request: &Request<B>) -> bool {
    if request.method() == Method::CONNECT {
        return false;
    }
    let mut codings = request.headers().get_all(header::TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => true,
        (Some(coding), None) => coding.as_bytes().eq_ignore_ascii_case(b"chunked"),
        (Some(_), Some(_)) => false,
    }
}

/// Makes it a request of HTTP/1.1. Returns the client's end of an upgrade, if it is to be forwarded.
pub(super) fn prepare<B: Body>(request: &mut Request<B>) -> Option<OnUpgrade> {
    let path = request.uri_mut().path_and_query().cloned();
    *request.uri_mut() = Uri::from(path.unwrap_or(PathAndQuery::from_static("/")));
    if request.version() == Version::HTTP_2 {
        join_cookies(request.headers_mut());
    }
    *request.version_mut() = Version::HTTP_11;
    frame(request);
    if request.headers().contains_key(header::TE) {
        // "A sender of TE MUST also send a TE connection option": RFC 9110 section 10.1.4.
        request.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("te"));
    }
    let on_upgrade = request.extensions_mut().remove::<OnUpgrade>();
    if !request.headers().contains_key(header::UPGRADE) {
        return None;
    }
    let upgrade = hop_by_hop::wants_upgrade(request.headers()) && request.body().is_end_stream();
    if !upgrade || on_upgrade.is_none() {
        request.headers_mut().remove(header::UPGRADE);
        request.headers_mut().remove(header::CONNECTION);
        return None;
    }
    on_upgrade
}

/// Makes sure that a body of unknown length is sent.
///
/// hyper takes a GET or HEAD without a word about its body for one without body; over HTTP/2, that word is optional.
fn frame<B: Body>(request: &mut Request<B>) {
    let silent = !request.headers().contains_key(header::CONTENT_LENGTH)
        && !request.headers().contains_key(header::TRANSFER_ENCODING);
    let body = request.body();
    if silent && !body.is_end_stream() && body.size_hint().exact().is_none() {
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

/// Takes out of an answer what was said about the connection that it came over.
///
/// # Spec
/// RFC 9112 section 6.3: a transfer coding overrides the length, which must not be passed on beside it.
pub(super) fn clean(headers: &mut HeaderMap, upgraded: bool) {
    hop_by_hop::remove_from_response(headers, upgraded);
    if headers.remove(header::TRANSFER_ENCODING).is_some() {
        headers.remove(header::CONTENT_LENGTH);
    }
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
            assert_eq!(can_be_forwarded(&request(method, coding, ())), expected, "{method} {coding:?}");
        }
    }

    #[test]
    fn a_body_of_unknown_length_is_announced_whatever_the_method() {
        for (method, lines) in [("GET", &[][..]), ("POST", &[]), ("HEAD", &[])] {
            let mut announced = request(method, lines, streaming());
            prepare(&mut announced);
            assert_eq!(announced.headers()["transfer-encoding"], "chunked", "{method}");
        }
        let mut known = request("GET", &[("content-length", "3")], streaming());
        prepare(&mut known);
        assert!(!known.headers().contains_key("transfer-encoding"));
        let mut full = request("GET", &[], Full::new(Bytes::from_static(b"abc")));
        prepare(&mut full);
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
        prepare(&mut request);
        assert_eq!((request.uri().to_string(), request.version()), ("/a?b".into(), Version::HTTP_11));
        assert_eq!(request.headers()["host"], "Example.com:8080");
        assert_eq!(request.headers()["cookie"], "a=1; b=2");
        assert_eq!(request.headers()["connection"], "te");
    }

    // BPR-07
    #[test]
    fn without_a_connection_to_upgrade_the_wish_goes() {
        let mut request =
            request("GET", &[("connection", "upgrade"), ("upgrade", "websocket")], Empty::<Bytes>::new());
        assert!(prepare(&mut request).is_none());
        assert!(request.headers().is_empty());
    }

    #[test]
    fn a_length_beside_a_transfer_coding_is_not_passed_on() {
        let mut headers = HeaderMap::new();
        headers.insert("content-length", HeaderValue::from_static("3"));
        clean(&mut headers, false);
        assert_eq!(headers.len(), 1);
        headers.insert("transfer-encoding", HeaderValue::from_static("chunked"));
        clean(&mut headers, false);
        assert!(headers.is_empty());
    }
}
