//! The call `envoy.service.auth.v3.Authorization/Check`: its messages, as far as they are used here.
//!
//! # Spec
//! Envoy's `service/auth/v3/{external_auth,attribute_context}.proto`, and the types that these use.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use bytes::Bytes;
use gateway_core::exchange::{AuthAnswer, Denial, Permit};
use gateway_core::filter::{GrpcAuth, Put};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{StatusCode, Version, request};
use prost::Message;

use crate::connection::Connection;
use crate::errand::framed;

/// Where the call goes.
pub(super) const PATH: &str = "/envoy.service.auth.v3.Authorization/Check";

#[derive(Clone, PartialEq, Message)]
pub(super) struct CheckRequest {
    #[prost(message, optional, tag = "1")]
    pub(super) attributes: Option<AttributeContext>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct AttributeContext {
    #[prost(message, optional, tag = "1")]
    source: Option<Peer>,
    #[prost(message, optional, tag = "2")]
    destination: Option<Peer>,
    #[prost(message, optional, tag = "4")]
    pub(super) request: Option<AttributeRequest>,
    #[prost(message, optional, tag = "12")]
    tls_session: Option<TlsSession>,
}

#[derive(Clone, PartialEq, Message)]
struct Peer {
    #[prost(message, optional, tag = "1")]
    address: Option<Address>,
}

#[derive(Clone, PartialEq, Message)]
struct Address {
    #[prost(message, optional, tag = "1")]
    socket_address: Option<SocketAddress>,
}

#[derive(Clone, PartialEq, Message)]
struct SocketAddress {
    /// 0 is TCP.
    #[prost(int32, tag = "1")]
    protocol: i32,
    #[prost(string, tag = "2")]
    address: String,
    #[prost(uint32, optional, tag = "3")]
    port_value: Option<u32>,
}

#[derive(Clone, PartialEq, Message)]
struct TlsSession {
    #[prost(string, tag = "1")]
    sni: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct AttributeRequest {
    #[prost(message, optional, tag = "2")]
    pub(super) http: Option<HttpRequest>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct HttpRequest {
    #[prost(string, tag = "2")]
    pub(super) method: String,
    #[prost(btree_map = "string, string", tag = "3")]
    pub(super) headers: BTreeMap<String, String>,
    #[prost(string, tag = "4")]
    pub(super) path: String,
    #[prost(string, tag = "5")]
    pub(super) host: String,
    #[prost(string, tag = "6")]
    scheme: String,
    /// -1 where it is not known.
    #[prost(int64, tag = "9")]
    pub(super) size: i64,
    #[prost(string, tag = "10")]
    pub(super) protocol: String,
    #[prost(string, tag = "11")]
    pub(super) body: String,
    /// In the place of `body` where that is no text.
    #[prost(bytes = "bytes", tag = "12")]
    pub(super) raw_body: Bytes,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct CheckResponse {
    #[prost(message, optional, tag = "1")]
    status: Option<Status>,
    #[prost(oneof = "HttpResponse", tags = "2, 3")]
    http_response: Option<HttpResponse>,
}

/// `google.rpc.Status`
#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum HttpResponse {
    #[prost(message, tag = "2")]
    Denied(DeniedHttpResponse),
    #[prost(message, tag = "3")]
    Ok(OkHttpResponse),
}

#[derive(Clone, PartialEq, Message)]
struct DeniedHttpResponse {
    #[prost(message, optional, tag = "1")]
    status: Option<HttpStatus>,
    #[prost(message, repeated, tag = "2")]
    headers: Vec<HeaderValueOption>,
    #[prost(string, tag = "3")]
    body: String,
}

#[derive(Clone, PartialEq, Message)]
struct HttpStatus {
    #[prost(int32, tag = "1")]
    code: i32,
}

#[derive(Clone, PartialEq, Message)]
struct OkHttpResponse {
    #[prost(message, repeated, tag = "2")]
    headers: Vec<HeaderValueOption>,
    #[prost(string, repeated, tag = "5")]
    headers_to_remove: Vec<String>,
    #[prost(message, repeated, tag = "6")]
    response_headers_to_add: Vec<HeaderValueOption>,
}

#[derive(Clone, PartialEq, Message)]
struct HeaderValueOption {
    #[prost(message, optional, tag = "1")]
    header: Option<NamedValue>,
    /// `google.protobuf.BoolValue`
    #[prost(message, optional, tag = "2")]
    append: Option<BoolValue>,
    #[prost(int32, tag = "3")]
    append_action: i32,
}

#[derive(Clone, PartialEq, Message)]
struct BoolValue {
    #[prost(bool, tag = "1")]
    value: bool,
}

/// `HeaderValue`
#[derive(Clone, PartialEq, Message)]
struct NamedValue {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(string, tag = "2")]
    value: String,
    #[prost(bytes = "bytes", tag = "3")]
    raw_value: Bytes,
}

/// A header of an answer that is none.
struct NoHeader;

/// The body of the call by which a service is asked about a request. `body` is what is sent along of the request's.
pub(super) fn question(
    auth: &GrpcAuth,
    connection: &Connection,
    request: &request::Parts,
    body: Option<&Bytes>,
) -> Bytes {
    let message = CheckRequest {
        attributes: Some(AttributeContext {
            source: connection.peer.map(Peer::from),
            destination: connection.local.map(Peer::from),
            request: Some(AttributeRequest { http: Some(http(auth, connection, request, body)) }),
            tls_session: connection.server_name.as_deref().map(|sni| TlsSession { sni: sni.to_owned() }),
        }),
    };
    framed(&message)
}

fn http(
    auth: &GrpcAuth,
    connection: &Connection,
    request: &request::Parts,
    body: Option<&Bytes>,
) -> HttpRequest {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let announced =
        request.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let (text_body, raw_body) = match body.map(|body| (std::str::from_utf8(body), body)) {
        None => (String::new(), Bytes::new()),
        Some((Ok(text), _)) => (text.to_owned(), Bytes::new()),
        Some((Err(_), raw)) => (String::new(), raw.clone()),
    };
    HttpRequest {
        method: request.method.to_string(),
        headers: auth.headers(&request.headers).map(|(name, value)| (name.to_owned(), value)).collect(),
        path: auth.target(request),
        host: request.headers.get(header::HOST).map(text).unwrap_or_default(),
        scheme: if connection.secure { "https" } else { "http" }.to_owned(),
        size: body.map(|body| body.len() as i64).or(announced).unwrap_or(-1),
        protocol: match request.version {
            Version::HTTP_10 => "HTTP/1.0",
            Version::HTTP_2 => "HTTP/2",
            Version::HTTP_3 => "HTTP/3",
            _ => "HTTP/1.1",
        }
        .to_owned(),
        body: text_body,
        raw_body,
    }
}

/// What the answer to the call means, of which this is the body.
pub(super) fn answer(framed: &[u8]) -> AuthAnswer {
    let message = framed.split_at_checked(5).and_then(|(prefix, message)| {
        let length = u32::from_be_bytes([prefix[1], prefix[2], prefix[3], prefix[4]]);
        // Compression was not offered.
        (prefix[0] == 0 && length as usize == message.len()).then(|| CheckResponse::decode(message).ok())?
    });
    message.and_then(|message| meaning(message).ok()).unwrap_or(AuthAnswer::Failed)
}

fn meaning(message: CheckResponse) -> Result<AuthAnswer, NoHeader> {
    let code = message.status.map_or(0, |status| status.code);
    match (code, message.http_response) {
        (0, None) => Ok(AuthAnswer::Permit(Permit::default())),
        (0, Some(HttpResponse::Ok(ok))) => permit(ok).map(AuthAnswer::Permit),
        (_, Some(HttpResponse::Denied(denied))) => deny(denied).map(AuthAnswer::Deny),
        (_, None | Some(HttpResponse::Ok(_))) => {
            Ok(AuthAnswer::Deny(Denial::new(StatusCode::FORBIDDEN, HeaderMap::new(), Bytes::new())))
        }
    }
}

fn permit(ok: OkHttpResponse) -> Result<Permit, NoHeader> {
    let mut permit = Permit::default();
    for header in ok.headers {
        if let Some((how, name, value)) = header.parts()? {
            permit.put(how, name, value);
        }
    }
    for name in ok.headers_to_remove.iter().filter(|name| !name.starts_with(':')) {
        permit.remove(HeaderName::from_bytes(name.as_bytes()).map_err(|_| NoHeader)?);
    }
    for header in ok.response_headers_to_add {
        if let Some((how, name, value)) = header.parts()? {
            permit.put_into_answer(how, name, value);
        }
    }
    Ok(permit)
}

fn deny(denied: DeniedHttpResponse) -> Result<Denial, NoHeader> {
    let status = denied.status.and_then(|status| StatusCode::from_u16(u16::try_from(status.code).ok()?).ok());
    let mut headers = HeaderMap::new();
    for header in denied.headers {
        match header.parts()? {
            Some((Put::Append, name, value)) => _ = headers.try_append(name, value).map_err(|_| NoHeader)?,
            Some((_, name, value)) => _ = headers.try_insert(name, value).map_err(|_| NoHeader)?,
            None => {}
        }
    }
    Ok(Denial::new(status.unwrap_or(StatusCode::FORBIDDEN), headers, denied.body.into()))
}

// === impl HeaderValueOption ===

impl HeaderValueOption {
    /// The header, and how it is put; nothing for what is no header of its own in HTTP, such as `:path`.
    fn parts(self) -> Result<Option<(Put, HeaderName, HeaderValue)>, NoHeader> {
        let NamedValue { key, value, raw_value } = self.header.unwrap_or_default();
        if key.starts_with(':') {
            return Ok(None);
        }
        let value = if raw_value.is_empty() { Bytes::from(value) } else { raw_value };
        let name = HeaderName::from_bytes(key.as_bytes()).map_err(|_| NoHeader)?;
        let value = HeaderValue::from_maybe_shared(value).map_err(|_| NoHeader)?;
        let how = match (self.append, self.append_action) {
            (Some(BoolValue { value: true }), _) => Put::Append,
            (Some(BoolValue { value: false }), _) => Put::Set,
            (None, 1) => Put::IfAbsent,
            (None, 3) => Put::IfPresent,
            // Where nothing is said, a header takes the place of others in these messages.
            (None, _) => Put::Set,
        };
        Ok(Some((how, name, value)))
    }
}

// === impl Peer ===

impl From<SocketAddr> for Peer {
    fn from(address: SocketAddr) -> Self {
        let (ip, port) = (address.ip().to_canonical().to_string(), address.port());
        let socket_address = SocketAddress { protocol: 0, address: ip, port_value: Some(port.into()) };
        Self { address: Some(Address { socket_address: Some(socket_address) }) }
    }
}

#[cfg(test)]
mod tests {
    use gateway_core::exchange::Form;
    use gateway_core::name::ObjectName;
    use http::Request;

    use super::*;

    fn framed(message: &CheckResponse) -> Vec<u8> {
        let encoded = message.encode_to_vec();
        [&[0][..], &(encoded.len() as u32).to_be_bytes(), &encoded].concat()
    }

    fn header(key: &str, value: &str, append: Option<bool>, append_action: i32) -> HeaderValueOption {
        HeaderValueOption {
            header: Some(NamedValue {
                key: key.to_owned(),
                value: value.to_owned(),
                raw_value: Bytes::new(),
            }),
            append: append.map(|value| BoolValue { value }),
            append_action,
        }
    }

    fn ok(ok: OkHttpResponse) -> CheckResponse {
        CheckResponse { status: Some(Status { code: 0 }), http_response: Some(HttpResponse::Ok(ok)) }
    }

    // FEA-07
    #[test]
    fn a_service_is_told_of_the_request_and_its_connection() {
        let mut connection = Connection::new(ObjectName::new("default", "web"), 443);
        connection.peer = Some(([192, 0, 2, 7], 50_000).into());
        connection.server_name = Some("shop.example".into());
        connection.secure = true;
        // As a filter may have written it.
        let request = Request::post("/x/../%63art?item=1").header("host", "shop.example").header("x-a", "1");
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let body = Bytes::from_static(b"text");
        let framed = question(&GrpcAuth::default(), &connection, &parts, Some(&body));
        assert_eq!(framed[..5], [0, 0, 0, 0, framed.len() as u8 - 5]);
        let attributes = CheckRequest::decode(&framed[5..]).unwrap().attributes.unwrap();
        let address = attributes.source.unwrap().address.unwrap().socket_address.unwrap();
        assert_eq!((address.address.as_str(), address.port_value), ("192.0.2.7", Some(50_000)));
        assert_eq!(attributes.tls_session.unwrap().sni, "shop.example");
        let http = attributes.request.unwrap().http.unwrap();
        assert_eq!((http.method.as_str(), http.path.as_str()), ("POST", "/cart?item=1"));
        assert_eq!((http.host.as_str(), http.scheme.as_str()), ("shop.example", "https"));
        assert_eq!((http.size, http.body.as_str(), http.protocol.as_str()), (4, "text", "HTTP/1.1"));
        assert_eq!(http.headers["x-a"], "1");

        let raw = Bytes::from_static(b"\xff");
        let told = super::http(&GrpcAuth::default(), &connection, &parts, Some(&raw));
        assert_eq!((told.body.as_str(), told.raw_body), ("", raw));
        assert_eq!(super::http(&GrpcAuth::default(), &connection, &parts, None).size, -1);
    }

    // FEA-02
    #[test]
    fn headers_are_changed_as_the_service_says() {
        let message = ok(OkHttpResponse {
            headers: vec![
                header("x-set", "new", None, 0),
                header("x-append", "new", Some(true), 0),
                header("x-absent", "new", None, 1),
                header("x-there", "new", None, 3),
                header(":path", "/admin", None, 0),
                header("host", "evil.example", None, 0),
            ],
            headers_to_remove: ["x-gone", ":method", "Host"].map(str::to_owned).into(),
            response_headers_to_add: vec![header("x-answer", "1", None, 0)],
        });
        let AuthAnswer::Permit(permit) = answer(&framed(&message)) else { panic!("it passes") };
        let old = ["host", "x-set", "x-append", "x-there", "x-gone"];
        let mut headers: HeaderMap = old
            .map(|name| (HeaderName::from_static(name), HeaderValue::from_static("old")))
            .into_iter()
            .collect();
        permit.apply(&mut headers).unwrap();
        let mut found: Vec<_> =
            headers.iter().map(|(name, value)| format!("{name} {}", value.to_str().unwrap())).collect();
        found.sort();
        let expected =
            ["host old", "x-absent new", "x-append new", "x-append old", "x-set new", "x-there new"];
        assert_eq!(found, expected);
    }

    // FEA-02
    #[test]
    fn a_service_denies_with_an_answer_of_its_own_or_without() {
        let denied = |code, headers| DeniedHttpResponse {
            status: Some(HttpStatus { code }),
            headers,
            body: "no".to_owned(),
        };
        for (code, http_response, status, body) in [
            (7, Some(HttpResponse::Denied(denied(401, vec![header("x-why", "1", None, 0)]))), 401, "no"),
            (7, Some(HttpResponse::Denied(denied(0, vec![]))), 403, "no"),
            (0, Some(HttpResponse::Denied(denied(302, vec![]))), 302, "no"),
            (16, None, 403, ""),
            (2, Some(HttpResponse::Ok(OkHttpResponse::default())), 403, ""),
        ] {
            let message = CheckResponse { status: Some(Status { code }), http_response };
            let AuthAnswer::Deny(denial) = answer(&framed(&message)) else { panic!("{code}: it passes") };
            let response = denial.into_response(Form::Http);
            assert_eq!((response.status().as_u16(), &response.body()[..]), (status, body.as_bytes()));
            assert_eq!(response.headers().contains_key("x-why"), status == 401);
        }
    }

    // FEA-01
    #[test]
    fn what_is_not_understood_lets_nothing_pass() {
        let whole = framed(&ok(OkHttpResponse::default()));
        assert!(matches!(answer(&whole), AuthAnswer::Permit(_)));
        let (mut compressed, mut longer) = (whole.clone(), whole.clone());
        compressed[0] = 1;
        longer.push(0);
        let bad_name = ok(OkHttpResponse {
            headers: vec![header("no name", "1", None, 0)],
            ..OkHttpResponse::default()
        });
        let bad_value = ok(OkHttpResponse {
            headers: vec![header("x-a", "1\r\nx-b: 2", None, 0)],
            ..OkHttpResponse::default()
        });
        for wrong in [
            &[][..],
            &whole[..4],
            &whole[..whole.len() - 1],
            &compressed,
            &longer,
            &[0, 0, 0, 0, 2, 0xff, 0xff],
            &framed(&bad_name),
            &framed(&bad_value),
        ] {
            assert_eq!(answer(wrong), AuthAnswer::Failed, "{wrong:?}");
        }
    }
}
