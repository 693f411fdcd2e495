//! The client service.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use gateway_core::exchange::HeaderSet;
use gateway_core::rule::BackendProtocol;
use http::{Request, Response, StatusCode};
use http_body::Body;
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1 as http1_connection, http2 as http2_connection};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::{TokioExecutor, TokioIo};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::body::Lease;
use super::http1_pool::Http1Pool;
use super::http2_pool::{Http2Pool, Opening, Pick, StreamLease, share};
use super::stream::BackendStream;
use super::{UpstreamBody, UpstreamError, UpstreamOptions, connect, http1, http2, tunnel};
use crate::body::BoxError;
use crate::client::{ConnectError, NotProcessed, UpstreamTarget};
use crate::drain::Member;

/// The smallest buffer of a connection of HTTP/1.1 that hyper takes.
const SMALLEST_BUFFER: usize = 8 * 1024;

/// Takes requests with body `B` to the endpoints that their [`UpstreamTarget`] names. Always ready.
///
/// Must be called within a tokio runtime.
pub struct Upstream<B>(Arc<Shared<B>>);

struct Shared<B> {
    options: UpstreamOptions,
    http1: Http1Pool<B>,
    http2: Http2Pool<B>,
    /// Whether there is a task that looks for idle connections.
    swept: AtomicBool,
}

/// The answer of an [`Upstream`], when it comes.
pub struct UpstreamFuture(Boxed);

/// The futures of hyper have no name, so that one of them must be boxed; better this one than a larger one.
type Boxed = Pin<Box<dyn Future<Output = Result<Response<UpstreamBody>, UpstreamError>> + Send>>;

/// The client's side of an upgrade.
struct Upgrade {
    client: OnUpgrade,
    /// The place of the client's connection among those of our own server, if it is one of those.
    member: Option<Member>,
}

pin_project! {
    /// A request that was sent over an idle connection. Written out, since an `async fn` would keep all of this twice.
    struct Exchange<B, F> {
        #[pin]
        sent: F,
        // When the connection turned out to be closed.
        again: Option<Boxed>,
        rest: Option<Rest<B>>,
    }
}

/// What is needed when the answer comes.
struct Rest<B> {
    shared: Arc<Shared<B>>,
    endpoint: SocketAddr,
    sender: http1_connection::SendRequest<B>,
    upgrade: Option<Upgrade>,
}

/// A connection of HTTP/1.1 that goes back to its pool when this is dropped.
struct Http1Lease<B> {
    shared: Arc<Shared<B>>,
    endpoint: SocketAddr,
    sender: Option<http1_connection::SendRequest<B>>,
}

// === impl Upstream ===

impl<B> Upstream<B> {
    /// A client without any connection yet.
    pub fn new(options: UpstreamOptions) -> Self {
        Self(Arc::new(Shared {
            http1: Http1Pool::new(options.max_idle_per_endpoint),
            http2: Http2Pool::new(options.http2_streams, options.http2_connections_per_endpoint),
            swept: AtomicBool::new(false),
            options,
        }))
    }
}

impl<B> Default for Upstream<B> {
    fn default() -> Self {
        Self::new(UpstreamOptions::default())
    }
}

impl<B> Clone for Upstream<B> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<B> fmt::Debug for Upstream<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream").field("options", &self.0.options).finish_non_exhaustive()
    }
}

impl<B> Service<Request<B>> for Upstream<B>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<UpstreamBody>;
    type Error = UpstreamError;
    type Future = UpstreamFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), UpstreamError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> UpstreamFuture {
        let Some(target) = UpstreamTarget::of(request.extensions()) else {
            return UpstreamFuture::ready(Err(UpstreamError::NoTarget));
        };
        let endpoint = target.endpoint().address();
        let present = HeaderSet::of(request.headers());
        if !http1::can_be_forwarded(&request, present) {
            return UpstreamFuture::ready(Ok(refuse()));
        }
        let shared = Arc::clone(&self.0);
        match target.protocol() {
            BackendProtocol::Http1 | BackendProtocol::WebSocket => {
                let upgrade = http1::prepare(&mut request, present)
                    .map(|client| Upgrade { client, member: request.extensions_mut().remove() });
                match shared.http1.take(&endpoint) {
                    // Sent here rather than by the future, which would have to hold the request for it.
                    Some(mut sender) => {
                        let sent = sender.try_send_request(request);
                        UpstreamFuture(Box::pin(Exchange {
                            sent,
                            again: None,
                            rest: Some(Rest { shared, endpoint, sender, upgrade }),
                        }))
                    }
                    None => UpstreamFuture::new(shared.send_http1(endpoint, request, upgrade)),
                }
            }
            BackendProtocol::H2c => match http2::prepare(&mut request) {
                Ok(()) => UpstreamFuture::new(shared.send_http2(endpoint, request)),
                Err(error) => UpstreamFuture::ready(Err(error)),
            },
        }
    }
}

// === impl Shared ===

impl<B> Shared<B>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    /// Sends a request over the first idle connection that is still open, or else over a new one.
    async fn send_http1(
        self: Arc<Self>,
        endpoint: SocketAddr,
        mut request: Request<B>,
        upgrade: Option<Upgrade>,
    ) -> Result<Response<UpstreamBody>, UpstreamError> {
        loop {
            let idle = self.http1.take(&endpoint);
            let reused = idle.is_some();
            let mut sender = match idle {
                Some(sender) => sender,
                None => self.open_http1(endpoint).await.map_err(UpstreamError::Connect)?,
            };
            match sender.try_send_request(request).await {
                Ok(response) => {
                    return Rest { shared: self, endpoint, sender, upgrade }.answer(response);
                }
                Err(mut error) => match error.take_message() {
                    Some(unsent) if reused => request = unsent,
                    Some(_) => return Err(not_processed(endpoint, error.into_error())),
                    None => return Err(failed(endpoint, error.into_error())),
                },
            }
        }
    }

    async fn send_http2(
        self: Arc<Self>,
        endpoint: SocketAddr,
        mut request: Request<B>,
    ) -> Result<Response<UpstreamBody>, UpstreamError> {
        loop {
            let (mut sender, lease, fresh) =
                self.http2_sender(endpoint).await.map_err(UpstreamError::Connect)?;
            match sender.try_send_request(request).await {
                Ok(mut response) => {
                    http1::clean(response.headers_mut(), false);
                    return Ok(response.map(|incoming| UpstreamBody::new(incoming, Lease::Stream(lease))));
                }
                Err(mut error) => match error.take_message() {
                    Some(unsent) if !fresh => request = unsent,
                    Some(_) => return Err(not_processed(endpoint, error.into_error())),
                    None => return Err(failed(endpoint, error.into_error())),
                },
            }
        }
    }

    /// A connection for one more request, and whether it was made for it.
    async fn http2_sender(
        self: &Arc<Self>,
        endpoint: SocketAddr,
    ) -> Result<(http2_connection::SendRequest<B>, StreamLease, bool), ConnectError> {
        let mut fresh = false;
        // Each round but the last leaves one more connection; a backend that closes them all at once ends the search.
        for _ in 0..=self.options.http2_connections_per_endpoint {
            let opening = match self.http2.pick(endpoint) {
                Pick::Open(sender, lease) => return Ok((sender, lease, fresh)),
                Pick::Wait(opening) => opening,
                Pick::Start(opening) => {
                    // A task of its own: the request may be given up, while others wait for the same connection.
                    tokio::spawn(Arc::clone(self).open_http2(endpoint, Arc::clone(&opening)));
                    opening
                }
            };
            fresh = true;
            if let Err(error) = opening.wait().await {
                return Err(share(error));
            }
        }
        Err(ConnectError { endpoint, cause: "it closes every connection before it is used".into() })
    }

    async fn open_http1(
        self: &Arc<Self>,
        endpoint: SocketAddr,
    ) -> Result<http1_connection::SendRequest<B>, ConnectError> {
        self.sweep();
        let stream = connect::tcp(endpoint, self.options.connect_timeout).await?;
        let io = TokioIo::new(BackendStream::new(stream));
        let mut builder = http1_connection::Builder::new();
        builder.max_buf_size(self.options.buffer_bytes.max(SMALLEST_BUFFER));
        let handshake = builder.handshake(io).await;
        let (sender, connection) =
            handshake.map_err(|error| ConnectError { endpoint, cause: error.into() })?;
        tokio::spawn(async move {
            if let Err(error) = connection.with_upgrades().await {
                tracing::debug!(%endpoint, %error, "a connection to a backend failed");
            }
        });
        Ok(sender)
    }

    async fn open_http2(self: Arc<Self>, endpoint: SocketAddr, opening: Opening) {
        self.sweep();
        let connected = async {
            let stream = connect::tcp(endpoint, self.options.connect_timeout).await?;
            let handshake =
                http2_connection::Builder::new(TokioExecutor::new()).handshake(TokioIo::new(stream)).await;
            handshake.map_err(|error| ConnectError { endpoint, cause: error.into() })
        };
        let result = match connected.await {
            Ok((sender, connection)) => {
                tokio::spawn(async move {
                    if let Err(error) = connection.await {
                        tracing::debug!(%endpoint, %error, "a connection to a backend failed");
                    }
                });
                self.http2.put(endpoint, sender);
                Ok(())
            }
            Err(error) => Err(Arc::new(error)),
        };
        let _ = opening.set(result);
    }

    /// Starts looking for idle connections, unless that is being done.
    fn sweep(self: &Arc<Self>) {
        /// How often idle connections are looked at within the time that they may be idle.
        const SWEEPS: u32 = 4;
        if self.swept.swap(true, Ordering::Relaxed) {
            return;
        }
        let every = (self.options.idle_timeout / SWEEPS).max(Duration::from_millis(10));
        let shared: Weak<Self> = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(every).await;
                let Some(shared) = shared.upgrade() else { return };
                shared.http1.sweep(SWEEPS);
                shared.http2.sweep(SWEEPS);
            }
        });
    }
}

// === impl Exchange ===

impl<B, F> Future for Exchange<B, F>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BoxError>,
    F: Future<Output = Result<Response<Incoming>, TrySendError<Request<B>>>>,
{
    type Output = Result<Response<UpstreamBody>, UpstreamError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Some(again) = this.again {
            return again.as_mut().poll(cx);
        }
        let result = ready!(this.sent.poll(cx));
        let rest = this.rest.take().expect("a future is not polled after it was ready");
        match result {
            Ok(response) => Poll::Ready(rest.answer(response)),
            Err(mut error) => match error.take_message() {
                // It was closed while idle, and nothing was sent.
                Some(unsent) => {
                    let Rest { shared, endpoint, sender: _, upgrade } = rest;
                    this.again
                        .insert(Box::pin(shared.send_http1(endpoint, unsent, upgrade)))
                        .as_mut()
                        .poll(cx)
                }
                None => Poll::Ready(Err(failed(rest.endpoint, error.into_error()))),
            },
        }
    }
}

// === impl Rest ===

impl<B: Send + 'static> Rest<B> {
    /// What is passed on of an answer.
    fn answer(self, mut response: Response<Incoming>) -> Result<Response<UpstreamBody>, UpstreamError> {
        let Self { shared, endpoint, sender, upgrade } = self;
        let upgraded = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        http1::clean(response.headers_mut(), upgraded);
        if upgraded {
            let Upgrade { client, member } = upgrade.ok_or(UpstreamError::UnexpectedSwitch { endpoint })?;
            let backend = hyper::upgrade::on(&mut response);
            tokio::spawn(tunnel::join(client, backend, shared.options.tunnel_idle, member));
            return Ok(response.map(|incoming| UpstreamBody::new(incoming, Lease::None)));
        }
        // The end of a short answer was read together with its head, and the connection is free again.
        let lease = if sender.is_ready() {
            shared.http1.put(endpoint, sender);
            Lease::None
        } else {
            Lease::Connection(Box::new(Http1Lease { shared, endpoint, sender: Some(sender) }))
        };
        Ok(response.map(|incoming| UpstreamBody::new(incoming, lease)))
    }
}

/// The error of an attempt of which not one byte was sent.
fn not_processed(endpoint: SocketAddr, cause: hyper::Error) -> UpstreamError {
    UpstreamError::NotProcessed(NotProcessed { endpoint, cause: cause.into() })
}

/// The error of an attempt that may have reached the backend.
fn failed(endpoint: SocketAddr, cause: hyper::Error) -> UpstreamError {
    UpstreamError::Exchange { endpoint, cause: cause.into() }
}

/// The answer to a request that is not forwarded to anyone.
fn refuse() -> Response<UpstreamBody> {
    let mut response = Response::new(UpstreamBody::empty());
    *response.status_mut() = StatusCode::NOT_IMPLEMENTED;
    response
}

// === impl Http1Lease ===

impl<B> Drop for Http1Lease<B> {
    fn drop(&mut self) {
        if let Some(sender) = self.sender.take() {
            self.shared.http1.put(self.endpoint, sender);
        }
    }
}

// === impl UpstreamFuture ===

impl UpstreamFuture {
    fn new(
        future: impl Future<Output = Result<Response<UpstreamBody>, UpstreamError>> + Send + 'static,
    ) -> Self {
        Self(Box::pin(future))
    }

    fn ready(result: Result<Response<UpstreamBody>, UpstreamError>) -> Self {
        Self::new(std::future::ready(result))
    }
}

impl Future for UpstreamFuture {
    type Output = Result<Response<UpstreamBody>, UpstreamError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for UpstreamFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamFuture").finish_non_exhaustive()
    }
}
