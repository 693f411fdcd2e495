//! HTTP requests.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, Version, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::connection::{Stream, Tls, connect};
use super::failure::failure;
use crate::backend::read_echo;
use crate::case::{HttpProtocol, HttpRequest};
use crate::engine::EngineError;
use crate::exchange::{Answer, Failure, HttpAnswer};

/// The longest body that is read.
const LONGEST_BODY: usize = 1 << 20;

/// The header that says which headers a backend answers with. It goes with every request, as with those of upstream.
const SET_HEADER: HeaderName = HeaderName::from_static("x-echo-set-header");

/// Sends a request on a new connection. `host` is for a request that names none.
pub(super) async fn send(
    request: &HttpRequest,
    address: SocketAddr,
    host: &str,
) -> Result<Answer, EngineError> {
    let message = message(request, host)?;
    let tls = match (&request.tls, request.protocol) {
        (None, _) => None,
        (Some(tls), HttpProtocol::Http1) => Some(Tls::new(tls, &[])?),
        (Some(tls), HttpProtocol::Http2) => Some(Tls::new(tls, &["h2"])?),
    };
    let answer = exchange(message, request.protocol, address, tls.as_ref()).await;
    Ok(match answer {
        Ok(mut answer) => {
            answer.certificate_requested = tls.is_some_and(|tls| tls.certificate_requested());
            Answer::Http(answer)
        }
        Err(failure) => Answer::Failed(failure),
    })
}

/// Sends a request on this connection.
pub(super) async fn send_on(
    request: &HttpRequest,
    stream: TcpStream,
    host: &str,
) -> Result<Answer, EngineError> {
    let answer = exchange_on(message(request, host)?, request.protocol, Stream::Plain(stream)).await;
    Ok(answer.map_or_else(Answer::Failed, Answer::Http))
}

async fn exchange(
    message: Request<Full<Bytes>>,
    protocol: HttpProtocol,
    address: SocketAddr,
    tls: Option<&Tls>,
) -> Result<HttpAnswer, Failure> {
    let stream = match tls {
        None => Stream::Plain(connect(address).await?),
        Some(tls) => {
            let stream = tls.connect(address).await?;
            let agreed = stream.get_ref().1.alpn_protocol();
            if protocol == HttpProtocol::Http2 && agreed != Some(b"h2") {
                return Err(Failure::Malformed("the server did not agree on HTTP/2 by ALPN".to_owned()));
            }
            Stream::Tls(Box::new(stream))
        }
    };
    exchange_on(message, protocol, stream).await
}

async fn exchange_on(
    message: Request<Full<Bytes>>,
    protocol: HttpProtocol,
    stream: Stream,
) -> Result<HttpAnswer, Failure> {
    let stream = TokioIo::new(stream);
    // The task that carries the connection ends with this exchange.
    let mut driver = JoinSet::new();
    let response = match protocol {
        HttpProtocol::Http1 => {
            let mut client = http1::Builder::new();
            let handshake = client.title_case_headers(true).handshake(stream).await;
            let (mut sender, connection) = handshake.map_err(|error| failure(&error))?;
            driver.spawn(async { drop(connection.await) });
            sender.send_request(message).await
        }
        HttpProtocol::Http2 => {
            let handshake = http2::handshake(TokioExecutor::new(), stream).await;
            let (mut sender, connection) = handshake.map_err(|error| failure(&error))?;
            driver.spawn(async { drop(connection.await) });
            sender.send_request(message).await
        }
    };
    read(response.map_err(|error| failure(&error))?).await
}

async fn read(response: Response<Incoming>) -> Result<HttpAnswer, Failure> {
    let (head, body) = response.into_parts();
    let body = Limited::new(body, LONGEST_BODY).collect().await;
    let body = body.map_err(|error| failure(&*error as _))?.to_bytes();
    let content_type = head.headers.get(header::CONTENT_TYPE);
    // Any other type is no echo, and a body that is said to be one must be one. Answers to HEAD have none.
    let echo = match content_type.is_some_and(|value| value == "application/json") && !body.is_empty() {
        true => Some(read_echo(&body).ok_or_else(|| no_echo(head.status, &body))?),
        false => None,
    };
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = head.headers.iter().map(|(name, value)| (name.to_string(), text(value)));
    let status = head.status.as_u16();
    Ok(HttpAnswer { status, headers: headers.collect(), echo, certificate_requested: false })
}

fn no_echo(status: StatusCode, body: &[u8]) -> Failure {
    let start = String::from_utf8_lossy(&body[..body.len().min(100)]).into_owned();
    Failure::Malformed(format!("the answer {status} is of type application/json, but is no echo: {start:?}"))
}

/// The request as it is sent.
fn message(request: &HttpRequest, host: &str) -> Result<Request<Full<Bytes>>, EngineError> {
    let wrong = |what: &str, error: &dyn std::fmt::Display| EngineError::failed(format!("{what}: {error}"));
    let host = request.host.as_deref().unwrap_or(host);
    let method = Method::from_bytes(request.method.as_bytes()).map_err(|error| wrong("method", &error))?;
    let scheme = if request.tls.is_some() { "https" } else { "http" };
    let (version, uri) = match request.protocol {
        HttpProtocol::Http1 => (Version::HTTP_11, request.path.clone()),
        HttpProtocol::Http2 => (Version::HTTP_2, format!("{scheme}://{host}{}", request.path)),
    };
    let uri: Uri = uri.parse().map_err(|error| wrong(&format!("path {}", request.path), &error))?;
    let body = request.body.clone().unwrap_or_default();
    let mut message = Request::new(Full::from(body));
    (*message.method_mut(), *message.uri_mut(), *message.version_mut()) = (method, uri, version);
    let headers = message.headers_mut();
    if request.protocol == HttpProtocol::Http1 {
        if !request.without_host {
            let host = HeaderValue::from_str(host).map_err(|error| wrong("host", &error))?;
            headers.insert(header::HOST, host);
        }
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    headers.insert(header::USER_AGENT, HeaderValue::from_static("gateway-conformance"));
    headers.insert(SET_HEADER, HeaderValue::from_static(""));
    for (name, lines) in &request.headers {
        let at = format!("header {name}");
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| wrong(&at, &error))?;
        headers.remove(&name);
        for line in lines.as_slice() {
            let value = HeaderValue::from_str(line).map_err(|error| wrong(&at, &error))?;
            headers.append(&name, value);
        }
    }
    Ok(message)
}
