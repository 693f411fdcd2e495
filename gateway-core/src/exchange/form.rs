//! The forms of an answer that the gateway makes.

use std::fmt::Write;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Response, StatusCode};

use super::grpc_code::GrpcCode;
use crate::matching::call::is_call;

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// How a client wants to be told that its request was refused.
///
/// ```
/// use bytes::Bytes;
/// use gateway_core::exchange::{Form, Refusal};
/// use http::{HeaderMap, HeaderValue, Method};
///
/// let headers = HeaderMap::from_iter([("content-type".parse()?, HeaderValue::from_static("application/grpc"))]);
/// let answer = Refusal::NoEndpoints.into_response(Form::from_request(&Method::POST, &headers));
/// assert_eq!((answer.status().as_u16(), &answer.headers()["grpc-status"]), (200, &HeaderValue::from(14)));
/// # Ok::<(), http::header::InvalidHeaderName>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// A status and a text.
    #[default]
    Http,
    /// The head of that alone, for a request of HEAD: over HTTP/2, what follows it would reach the client.
    Head,
    /// 200, a code and a message, in the content type of the request. All of it stands in the head, which gRPC calls
    /// `Trailers-Only`.
    // In a box: every request has room for it while its answer is waited for.
    Grpc(Box<HeaderValue>),
}

// === impl Form ===

impl Form {
    /// The form for a request with this method and these headers.
    ///
    /// # Spec
    /// [AMB-64](crate::choices#AMB-64); gRPC, `doc/PROTOCOL-HTTP2.md`; RFC 9110 section 9.3.2.
    pub fn from_request(method: &Method, headers: &HeaderMap) -> Self {
        match *method {
            // The method of every call, so that no other request is searched for a content type.
            Method::POST => match headers.get(header::CONTENT_TYPE) {
                Some(content_type) if is_call(headers) => Self::Grpc(Box::new(content_type.clone())),
                Some(_) | None => Self::Http,
            },
            Method::HEAD => Self::Head,
            _ => Self::Http,
        }
    }

    /// An answer with this status and this text, or to a call with this code and the text as its message, and with these
    /// headers besides those of the form.
    pub fn answer(
        self,
        status: StatusCode,
        code: GrpcCode,
        text: &str,
        headers: HeaderMap,
    ) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        match self {
            Self::Http | Self::Head => {
                *response.status_mut() = status;
                if self == Self::Head {
                    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(text.len()));
                } else {
                    *response.body_mut() = Bytes::copy_from_slice(text.as_bytes());
                }
                let plain = HeaderValue::from_static("text/plain; charset=utf-8");
                response.headers_mut().insert(header::CONTENT_TYPE, plain);
                response.headers_mut().extend(headers);
            }
            Self::Grpc(content_type) => {
                *response.headers_mut() = headers;
                for (name, value) in [
                    (header::CONTENT_TYPE, *content_type),
                    (GRPC_STATUS, HeaderValue::from_static(code.as_str())),
                    (GRPC_MESSAGE, message(text.trim_end())),
                ] {
                    // So many headers that there is no room for another: the client finds a call without a code, and
                    // takes that for a failure too.
                    let _full = response.headers_mut().try_insert(name, value);
                }
            }
        }
        response
    }
}

/// A text as `grpc-message`: what is not a printable character of ASCII, and the percent sign, is percent-encoded.
fn message(text: &str) -> HeaderValue {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'%' | ..=0x1f | 0x7f.. => write!(encoded, "%{byte:02X}").expect("a string takes everything"),
            b' '..=b'~' => encoded.push(char::from(byte)),
        }
    }
    HeaderValue::try_from(encoded).expect("printable characters of ASCII are a header value")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(method: Method, content_type: &'static str) -> Form {
        let headers = [(header::CONTENT_TYPE, HeaderValue::from_static(content_type))];
        Form::from_request(&method, &HeaderMap::from_iter(headers))
    }

    // AMB-64
    #[test]
    fn a_call_is_answered_in_its_own_content_type() {
        for content_type in ["application/grpc", "application/grpc+proto", "application/grpc-web-text"] {
            let form = form(Method::POST, content_type);
            assert_eq!(form, Form::Grpc(Box::new(HeaderValue::from_static(content_type))));
            let answer =
                form.answer(StatusCode::FORBIDDEN, GrpcCode::PermissionDenied, "no\n", HeaderMap::new());
            assert_eq!((answer.status(), answer.body().len()), (StatusCode::OK, 0));
            assert_eq!(answer.headers()["content-type"], content_type);
            assert_eq!([&answer.headers()["grpc-status"], &answer.headers()["grpc-message"]], ["7", "no"]);
        }
        assert_eq!(form(Method::POST, "application/json"), Form::Http);
        assert_eq!(form(Method::HEAD, "application/grpc"), Form::Head);
        assert_eq!(form(Method::GET, "application/grpc"), Form::Http, "a call is a POST");
        assert_eq!(Form::from_request(&Method::GET, &HeaderMap::new()), Form::Http);
    }

    #[test]
    fn a_message_of_grpc_is_ascii() {
        let form = form(Method::POST, "application/grpc");
        let text = "100 % für\nalle\n";
        let answer = form.answer(StatusCode::FORBIDDEN, GrpcCode::PermissionDenied, text, HeaderMap::new());
        assert_eq!(answer.headers()["grpc-message"], "100 %25 f%C3%BCr%0Aalle");
    }
}
