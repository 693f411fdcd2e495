//! The answer of an HTTP backend: what it got, as JSON.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, Version, header, request};
use serde::{Deserialize, Serialize};

use crate::exchange::{Echo, Pod};

/// The header of a request that says which headers the answer is to have: `name:value,name:value`.
const SET_HEADER: &str = "x-echo-set-header";

/// What a backend knows about the TLS connection that a request came in on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Tls {
    /// The version, such as `TLSv1.3`.
    pub version: String,
    /// The certificates that the client showed, in PEM.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub peer_certificates: Vec<String>,
    /// The server name that the client sent; empty without one.
    pub server_name: String,
    /// The protocol that ALPN chose; empty without one.
    pub negotiated_protocol: String,
    /// The cipher suite.
    pub cipher_suite: String,
}

/// The body of an echo.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Body {
    path: String,
    host: String,
    method: String,
    proto: String,
    headers: BTreeMap<String, Vec<String>>,
    http_port: String,
    namespace: String,
    ingress: String,
    service: String,
    pod: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<Tls>,
}

/// Answers a request with what it was. Names of headers are written as Go writes them: `X-Forwarded-For`.
///
/// The answer has the headers that the request's `X-Echo-Set-Header` asks for.
pub fn echo(head: &request::Parts, pod: &Pod, tls: Option<&Tls>) -> Response<Bytes> {
    let mut headers = BTreeMap::<String, Vec<String>>::new();
    for (name, value) in head.headers.iter().filter(|(name, _)| *name != header::HOST) {
        headers.entry(canonical(name)).or_default().push(text(value));
    }
    let authority = head.uri.authority().map(|authority| authority.as_str().to_owned());
    let host = authority.or_else(|| head.headers.get(header::HOST).map(text));
    let body = Body {
        path: head.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        host: host.unwrap_or_default(),
        method: head.method.to_string(),
        proto: match head.version {
            Version::HTTP_2 => "HTTP/2.0".to_owned(),
            version => format!("{version:?}"),
        },
        headers,
        namespace: pod.namespace.clone(),
        pod: pod.name.clone(),
        tls: tls.cloned(),
        ..Body::default()
    };
    let body = serde_json::to_vec(&body).expect("texts can be written as JSON");
    let mut response = Response::new(Bytes::from(body));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    for line in head.headers.get_all(SET_HEADER) {
        for (name, value) in text(line).split(',').filter_map(|pair| pair.split_once(':')) {
            let name = HeaderName::from_bytes(name.trim().as_bytes());
            // What is no header is not set: the request was wrong.
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value.trim())) {
                response.headers_mut().append(name, value);
            }
        }
    }
    response
}

/// Reads the body of an answer; nothing if it is no echo.
pub fn read_echo(body: &[u8]) -> Option<Echo> {
    let body: Body = serde_json::from_slice(body).ok()?;
    let Body { path, host, method, headers, namespace, pod, tls, .. } = body;
    let (server_name, peer_certificates) =
        tls.map(|tls| (tls.server_name, tls.peer_certificates)).unwrap_or_default();
    Some(Echo {
        path,
        host,
        method,
        headers,
        pod: Pod { namespace, name: pod },
        server_name: Some(server_name).filter(|name| !name.is_empty()),
        peer_certificates,
    })
}

fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

/// The name with a capital letter at the start of each part.
fn canonical(name: &HeaderName) -> String {
    let mut start = true;
    let letter = |letter: char| {
        let written = if start { letter.to_ascii_uppercase() } else { letter };
        start = letter == '-';
        written
    };
    name.as_str().chars().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    use http::Request;

    #[test]
    fn the_answer_says_what_came() {
        let request = Request::get("/one?two=3")
            .header("host", "example.com:8080")
            .header("x-echo-set-header", "X-One:1,Two: 2, three:with:colon,broken")
            .header("x-several", "a")
            .header("x-several", "b");
        let (head, ()) = request.body(()).unwrap().into_parts();
        let pod = Pod { namespace: "shop".to_owned(), name: "cart-1-2".to_owned() };
        let tls = Tls { server_name: "abc.example.com".to_owned(), ..Tls::default() };
        let answer = echo(&head, &pod, Some(&tls));
        assert_eq!(answer.headers()["x-one"], "1");
        assert_eq!(answer.headers()["two"], "2");
        assert_eq!(answer.headers()["three"], "with:colon");
        assert_eq!(answer.headers()["content-type"], "application/json");
        assert_eq!(answer.headers().len(), 4);
        let seen = read_echo(answer.body()).unwrap();
        assert_eq!((seen.path.as_str(), seen.host.as_str()), ("/one?two=3", "example.com:8080"));
        assert_eq!(seen.headers["X-Several"], ["a", "b"]);
        assert_eq!(seen.pod, pod);
        assert_eq!(seen.server_name.as_deref(), Some("abc.example.com"));
        assert!(read_echo(b"404: no route").is_none());
    }
}
