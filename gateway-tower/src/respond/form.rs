//! The two forms of an answer that the gateway makes.

use std::error::Error;
use std::fmt::Write;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Response, StatusCode};

use crate::outcome::Refused;

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// How a client wants to be told that its request was refused.
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
    /// AMB-64; RFC 9110 section 9.3.2; gRPC, `doc/PROTOCOL-HTTP2.md`: a content type is `application/grpc`, alone or with the format of messages
    /// after a plus sign.
    pub fn from_request(method: &Method, headers: &HeaderMap) -> Self {
        if *method == Method::HEAD {
            return Self::Head;
        }
        match headers.get(header::CONTENT_TYPE) {
            Some(content_type) if is_grpc(content_type.as_bytes()) => {
                Self::Grpc(Box::new(content_type.clone()))
            }
            Some(_) | None => Self::Http,
        }
    }

    /// The answer to a request that was refused, with an [`Outcome`](crate::Outcome) in its extensions.
    pub fn answer<B: From<Bytes>>(self, refused: Refused) -> Response<B> {
        let (refusal, headers, outcome) = refused.into_parts();
        let status = refusal.status();
        tracing::debug!(status = status.as_u16(), error = &refusal as &dyn Error, "answered by the gateway");
        let mut response = match self {
            Self::Http | Self::Head => {
                let text = Bytes::copy_from_slice(refusal.text().as_bytes());
                let length = HeaderValue::from(text.len());
                let is_head = self == Self::Head;
                let mut response = Response::new(B::from(if is_head { Bytes::new() } else { text }));
                *response.status_mut() = status;
                if is_head {
                    response.headers_mut().insert(header::CONTENT_LENGTH, length);
                }
                let plain = HeaderValue::from_static("text/plain; charset=utf-8");
                response.headers_mut().insert(header::CONTENT_TYPE, plain);
                response.headers_mut().extend(headers);
                response
            }
            Self::Grpc(content_type) => {
                let mut response = Response::new(B::from(Bytes::new()));
                *response.status_mut() = StatusCode::OK;
                *response.headers_mut() = headers;
                let code = HeaderValue::from_static(refusal.grpc_code().as_str());
                for (name, value) in [
                    (header::CONTENT_TYPE, *content_type),
                    (GRPC_STATUS, code),
                    (GRPC_MESSAGE, message(refusal.text().trim_end())),
                ] {
                    // So many headers that there is no room for another: the client finds a call without a code, and
                    // takes that for a failure too.
                    let _full = response.headers_mut().try_insert(name, value);
                }
                response
            }
        };
        response.extensions_mut().insert(outcome);
        response
    }
}

/// `application/grpc`, alone or with what may follow it; `application/grpc-web` is another protocol with the same codes.
fn is_grpc(content_type: &[u8]) -> bool {
    const GRPC: &[u8] = b"application/grpc";
    content_type.split_at_checked(GRPC.len()).is_some_and(|(start, rest)| {
        start.eq_ignore_ascii_case(GRPC) && matches!(rest.first(), None | Some(b'+' | b';' | b'-' | b' '))
    })
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
    use gateway_core::exchange;

    use super::*;
    use crate::outcome::CustomRefusal;

    fn form(content_type: &'static str) -> Form {
        let headers = [(header::CONTENT_TYPE, HeaderValue::from_static(content_type))];
        Form::from_request(&Method::POST, &HeaderMap::from_iter(headers))
    }

    // AMB-64
    #[test]
    fn a_call_is_told_by_its_content_type() {
        for (content_type, grpc) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("Application/gRPC; charset=utf-8", true),
            ("application/grpc-web+proto", true),
            ("application/grpcfoo", false),
            ("application/json", false),
            ("application/gr", false),
        ] {
            let value = HeaderValue::from_static(content_type);
            let expected = if grpc { Form::Grpc(Box::new(value)) } else { Form::Http };
            assert_eq!(form(content_type), expected, "{content_type}");
        }
        assert_eq!(Form::from_request(&Method::GET, &HeaderMap::new()), Form::Http);
    }

    #[test]
    fn headers_of_the_refusal_are_in_both_forms() {
        let refused = || {
            Refused::from(CustomRefusal::new("quota", StatusCode::TOO_MANY_REQUESTS).text("{}"))
                .with_header(header::RETRY_AFTER, HeaderValue::from_static("60"))
                .with_header(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))
        };
        let plain: Response<Bytes> = Form::Http.answer(refused());
        assert_eq!((plain.status(), &plain.body()[..]), (StatusCode::TOO_MANY_REQUESTS, &b"{}"[..]));
        assert_eq!(plain.headers()["content-type"], "application/json");
        assert_eq!(plain.headers()["retry-after"], "60");

        let call: Response<Bytes> = form("application/grpc").answer(refused());
        assert!(call.body().is_empty());
        assert_eq!(call.headers()["content-type"], "application/grpc");
        assert_eq!(call.headers()["grpc-status"], "14");
        assert_eq!(call.headers()["retry-after"], "60");
    }

    #[test]
    fn a_message_of_grpc_is_ascii() {
        let refused: Refused =
            CustomRefusal::new("a", StatusCode::FORBIDDEN).text("100 % für\nalle\n").into();
        let call: Response<Bytes> = form("application/grpc").answer(refused);
        assert_eq!(call.headers()["grpc-message"], "100 %25 f%C3%BCr%0Aalle");
        let call: Response<Bytes> = form("application/grpc").answer(exchange::Refusal::Filter.into());
        assert_eq!(call.headers()["grpc-status"], "13");
    }
}
