//! HTTP backends on connections.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::{Service, service_fn};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::behaviour::HttpBackend;
use super::echo::Tls;
use super::tls;

/// HTTP/1.1, and WebSockets on paths that end in `/ws`.
pub(super) async fn serve_http1(stream: TcpStream, backend: Arc<HttpBackend>) {
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service(backend, None));
    // How a connection ends is for its client to judge.
    let _ = connection.with_upgrades().await;
}

/// HTTP/2 without TLS, and nothing else.
pub(super) async fn serve_http2(stream: TcpStream, backend: Arc<HttpBackend>) {
    let server = http2::Builder::new(TokioExecutor::new());
    let _ = server.serve_connection(TokioIo::new(stream), service(backend, None)).await;
}

/// HTTP/1.1 or HTTP/2, as the client begins.
pub(super) async fn serve_any(stream: TcpStream, backend: Arc<HttpBackend>) {
    serve_auto(stream, service(backend, None)).await;
}

/// HTTP/1.1 or HTTP/2 over TLS.
pub(super) async fn serve_https(stream: TcpStream, acceptor: TlsAcceptor, backend: Arc<HttpBackend>) {
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let seen = tls::seen(stream.get_ref().1);
    serve_auto(stream, service(backend, Some(seen))).await;
}

async fn serve_auto<S>(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, service: S)
where
    S: Service<
            Request<Incoming>,
            Response = Response<Full<Bytes>>,
            Error = io::Error,
            Future: Send + 'static,
        >,
{
    let server = auto::Builder::new(TokioExecutor::new());
    let _ = server.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
}

fn service(
    backend: Arc<HttpBackend>,
    tls: Option<Tls>,
) -> impl Service<Request<Incoming>, Response = Response<Full<Bytes>>, Error = io::Error, Future: Send + 'static>
{
    let tls = Arc::new(tls);
    service_fn(move |request| answer(backend.clone(), tls.clone(), request))
}

async fn answer(
    backend: Arc<HttpBackend>,
    tls: Arc<Option<Tls>>,
    mut request: Request<Incoming>,
) -> io::Result<Response<Full<Bytes>>> {
    let upgrade = hyper::upgrade::on(&mut request);
    let (head, mut body) = request.into_parts();
    // A body is read to its end, so that its sender sees no broken connection.
    while let Some(Ok(_)) = body.frame().await {}
    let served = backend.serve(&head, tls.as_ref().as_ref());
    tokio::time::sleep(served.after).await;
    if let Some(key) = web_socket_key(&head) {
        tokio::spawn(echo_messages(upgrade));
        let accepted = Response::builder()
            .status(StatusCode::SWITCHING_PROTOCOLS)
            .header(header::CONNECTION, "upgrade")
            .header(header::UPGRADE, "websocket")
            .header(header::SEC_WEBSOCKET_ACCEPT, derive_accept_key(key.as_bytes()));
        return accepted.body(Full::default()).map_err(io::Error::other);
    }
    let response =
        served.response.ok_or_else(|| io::Error::other("the request asks for a broken connection"))?;
    Ok(response.map(Full::new))
}

fn web_socket_key(head: &http::request::Parts) -> Option<&HeaderValue> {
    let is_upgrade = head.method == Method::GET
        && head.uri.path().ends_with("/ws")
        && head.headers.get(header::UPGRADE)?.as_bytes().eq_ignore_ascii_case(b"websocket");
    head.headers.get(header::SEC_WEBSOCKET_KEY).filter(|_| is_upgrade)
}

/// Sends back every message, until the client has enough.
async fn echo_messages(upgrade: OnUpgrade) {
    let Ok(upgraded) = upgrade.await else { return };
    let mut socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
    while let Some(Ok(message)) = socket.next().await {
        let is_content = message.is_text() || message.is_binary();
        if is_content && socket.send(message).await.is_err() {
            return;
        }
    }
}
