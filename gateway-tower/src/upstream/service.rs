//! The client service.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use gateway_core::exchange::HeaderSet;
use gateway_core::rule::BackendProtocol;
use h2::client::SendRequest;
use http::{Extensions, Request, Response, StatusCode};
use http_body::{Body, SizeHint};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use pin_project_lite::pin_project;
use tokio::sync::Notify;
use tower_service::Service;

use super::body::LentBody;
use super::http1_connection::Http1Connection;
use super::http1_pool::Http1Pool;
use super::http2_connection::{Http2Connection, Load, Place};
use super::http2_exchange::{Failure, Http2Exchange};
use super::http2_pool::{Http2Pool, Opening, Pick, share};
use super::http2_unsent::Piece;
use super::pace::{Pace, Pieces, Sending};
use super::{UpstreamBody, UpstreamError, UpstreamOptions, http1, http2};
use crate::body::BoxError;
use crate::body::replay::Replay;
use crate::client::{ConnectError, NotProcessed, Target, allow_retry};
use crate::connect::{Connector, Peer};
use crate::span;
use crate::tunnel::{self, ClientEnd, Joined};

/// How often a request that was not processed is sent again.
const SENT_AGAIN: u32 = 3;

/// The pause before a request that a busy backend has refused is sent again, or another connection is made in the place of one that it has
/// closed unused; it doubles each time.
const PAUSE: Duration = Duration::from_millis(10);

/// Takes requests with body `B` to the endpoints that their [`UpstreamTarget`](crate::client::UpstreamTarget) names. Always ready.
///
/// Must be called within a tokio runtime.
pub struct Upstream<B>(Arc<Shared<B>>);

struct Shared<B> {
    options: UpstreamOptions,
    connector: Connector,
    http1: Http1Pool<B>,
    http2: Http2Pool,
    /// Whether there is a task that looks for idle connections.
    swept: AtomicBool,
}

/// The answer of an [`Upstream`], when it comes.
pub struct UpstreamFuture(Boxed);

/// The futures of hyper have no name, so that one of them must be boxed; better this one than a larger one.
type Boxed = Pin<Box<dyn Future<Output = Result<Response<UpstreamBody>, UpstreamError>> + Send>>;

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
    peer: Peer,
    connection: Http1Connection<B>,
    pieces: Pieces,
    upgrade: Option<ClientEnd>,
    /// Empty ones for the answer.
    extensions: Extensions,
}

/// The body of an answer, and the connection of HTTP/1.1 that it comes over.
struct Lent<B> {
    incoming: Incoming,
    shared: Arc<Shared<B>>,
    peer: Peer,
    connection: Http1Connection<B>,
}

// === impl Upstream ===

impl<B> Upstream<B> {
    /// A client without any connection yet.
    pub fn new(options: UpstreamOptions) -> Self {
        Self(Arc::new(Shared {
            http1: Http1Pool::new(options.max_idle_per_endpoint),
            http2: Http2Pool::new(options.http2_streams, options.http2_connections_per_endpoint),
            swept: AtomicBool::new(false),
            connector: options.connector(),
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
        let Some(target) = Target::from_extensions(request.extensions()) else {
            return UpstreamFuture::ready(Err(UpstreamError::NoTarget));
        };
        let (peer, pieces, protocol) =
            (Peer::from_target(target), Pieces::from_target(target), target.backend.protocol);
        let present = HeaderSet::from_standard(request.headers());
        if !http1::can_be_forwarded(&request, present) {
            return UpstreamFuture::ready(Ok(refuse()));
        }
        let shared = Arc::clone(&self.0);
        match protocol {
            BackendProtocol::Http1 | BackendProtocol::WebSocket => {
                let upgrade = http1::prepare(&mut request, present);
                let extensions = emptied(request.extensions_mut());
                match shared.http1.take(&peer) {
                    // Sent here rather than by the future, which would have to hold the request for it.
                    Some(mut connection) => {
                        let sent = connection.send(request, pieces);
                        UpstreamFuture(Box::pin(Exchange {
                            sent,
                            again: None,
                            rest: Some(Rest { shared, peer, connection, pieces, upgrade, extensions }),
                        }))
                    }
                    None => {
                        UpstreamFuture::new(shared.send_http1(peer, request, pieces, upgrade, extensions))
                    }
                }
            }
            BackendProtocol::H2c => match http2::prepare(&mut request, present, &peer) {
                Ok(()) => UpstreamFuture::new(shared.send_http2(peer, request)),
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
        peer: Peer,
        mut request: Request<B>,
        pieces: Pieces,
        upgrade: Option<ClientEnd>,
        extensions: Extensions,
    ) -> Result<Response<UpstreamBody>, UpstreamError> {
        loop {
            let idle = self.http1.take(&peer);
            let reused = idle.is_some();
            let mut connection = match idle {
                Some(connection) => connection,
                None => {
                    self.sweep();
                    let opened = Http1Connection::open(&peer, &self.connector, &self.options).await;
                    opened.map_err(UpstreamError::Connect)?
                }
            };
            match connection.send(request, pieces).await {
                Ok(response) => {
                    let rest = Rest { shared: self, peer, connection, pieces, upgrade, extensions };
                    return rest.answer(response);
                }
                Err(mut error) => match error.take_message() {
                    Some(unsent) if reused => request = unsent.map(Sending::into_inner),
                    Some(_) => return Err(not_processed(&peer, error.into_error())),
                    None => return Err(failed(&peer, error.into_error())),
                },
            }
        }
    }

    /// Sends a request, and again if it was not processed.
    async fn send_http2(
        self: Arc<Self>,
        peer: Peer,
        request: Request<B>,
    ) -> Result<Response<UpstreamBody>, UpstreamError> {
        let endpoint = peer.address;
        let (mut head, body) = request.into_parts();
        let replay = (!body.is_end_stream()).then(|| Replay::new(body));
        let mut body = replay.as_ref().and_then(Replay::attempt);
        let mut refused = None;
        let mut again = 0;
        loop {
            let place = self.http2_place(&peer, refused.as_ref()).await;
            let (sender, place) = place.map_err(UpstreamError::Connect)?;
            let load = Arc::clone(place.load());
            let answered = match Http2Exchange::start(sender, place, &head, body) {
                Ok(exchange) => exchange.await,
                Err(failure) => Err(failure),
            };
            let cause = match answered {
                Ok(mut answer) => {
                    if answer.extensions().is_empty() {
                        *answer.extensions_mut() = emptied(&mut head.extensions);
                    }
                    return Ok(answer.map(UpstreamBody::http2));
                }
                Err(Failure::Failed(cause)) => return Err(UpstreamError::Exchange { endpoint, cause }),
                Err(Failure::NotProcessed(cause)) => cause,
            };
            tracing::debug!(%endpoint, %cause, again, "a backend did not take a request");
            body = replay.as_ref().and_then(Replay::attempt);
            let is_busy = !load.is_closed();
            if again == SENT_AGAIN
                || body.is_none() && replay.is_some()
                || is_busy
                    && !Target::from_extensions(&head.extensions).is_none_or(|to| allow_retry(to.backend))
            {
                let cause = cause.into();
                return Err(UpstreamError::NotProcessed(NotProcessed { endpoint, cause }));
            }
            if is_busy {
                // Not to be asked again at once.
                tokio::time::sleep(PAUSE * (1 << again)).await;
                refused = Some(load);
            }
            again += 1;
        }
    }

    /// A place for one more request.
    async fn http2_place(
        self: &Arc<Self>,
        peer: &Peer,
        refused: Option<&Arc<Load>>,
    ) -> Result<(SendRequest<Piece>, Place), ConnectError> {
        let mut deadline = None;
        let error = |cause: &str| ConnectError { endpoint: peer.address, cause: cause.into() };
        let mut waited = None;
        let mut closed = 0;
        loop {
            let opening = match self.http2.pick(peer, refused) {
                Pick::Open(sender, place) => {
                    // There may be more room than this, and others who wait for it.
                    waited.inspect(|places: &Arc<Notify>| places.notify_one());
                    return Ok((sender, place));
                }
                Pick::Full(places) => {
                    let deadline =
                        *deadline.get_or_insert_with(|| span::from_now(self.options.connect_timeout));
                    let freed = tokio::time::timeout_at(deadline, places.notified()).await;
                    freed.map_err(|_| error("all its connections are full"))?;
                    waited = Some(places);
                    continue;
                }
                Pick::Wait(opening) => opening,
                Pick::Start(opening, places) => {
                    // A task of its own: the request may be given up, while others wait for the same connection.
                    tokio::spawn(Arc::clone(self).open_http2(peer.clone(), Arc::clone(&opening), places));
                    opening
                }
            };
            match opening.wait().await {
                Ok(load) if load.is_closed() => {
                    if closed == SENT_AGAIN {
                        return Err(error("it closes every connection before it is used"));
                    }
                    tokio::time::sleep(PAUSE * (1 << closed)).await;
                    closed += 1;
                }
                // There are no more of these than an endpoint may have connections.
                Ok(_) => {}
                Err(error) => return Err(share(error)),
            }
        }
    }

    async fn open_http2(self: Arc<Self>, peer: Peer, opening: Opening, places: Arc<Notify>) {
        self.sweep();
        let result = match Http2Connection::open(&peer, &self.connector, &self.options, places).await {
            Ok(connection) => {
                let load = Arc::clone(connection.load());
                self.http2.put(peer, connection);
                Ok(load)
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
    F: Future<Output = Result<Response<Incoming>, TrySendError<Request<Sending<B>>>>>,
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
                    let Rest { shared, peer, connection: _, pieces, upgrade, extensions } = rest;
                    let unsent = unsent.map(Sending::into_inner);
                    this.again
                        .insert(Box::pin(shared.send_http1(peer, unsent, pieces, upgrade, extensions)))
                        .as_mut()
                        .poll(cx)
                }
                None => Poll::Ready(Err(failed(&rest.peer, error.into_error()))),
            },
        }
    }
}

// === impl Rest ===

impl<B: Send + 'static> Rest<B> {
    /// What is passed on of an answer.
    fn answer(self, mut response: Response<Incoming>) -> Result<Response<UpstreamBody>, UpstreamError> {
        let Self { shared, peer, connection, pieces: _, upgrade, extensions } = self;
        if response.extensions().is_empty() {
            *response.extensions_mut() = extensions;
        }
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            let client = upgrade.ok_or(UpstreamError::UnexpectedSwitch { endpoint: peer.address })?;
            let backend = hyper::upgrade::on(&mut response);
            let joined = tunnel::join(client, backend, shared.options.tunnel);
            tokio::spawn(async move {
                joined.await;
                drop(connection);
            });
            response.extensions_mut().insert(Joined);
            return Ok(response.map(UpstreamBody::http1));
        }
        Ok(response.map(|incoming| {
            // The end of a short answer was read together with its head, and the connection is free again.
            if connection.is_ready() {
                shared.http1.put(peer, connection);
                return UpstreamBody::http1(incoming);
            }
            UpstreamBody::lent(Lent { incoming, shared, peer, connection })
        }))
    }
}

/// Those of a request that says nothing there but where it goes, which is known: emptied, so that the answer has a map for its own
/// that need not be made.
fn emptied(extensions: &mut Extensions) -> Extensions {
    // What else there is, is for hyper.
    if extensions.len() > 1 {
        return Extensions::new();
    }
    let mut emptied = mem::take(extensions);
    emptied.clear();
    emptied
}

/// The error of an attempt of which not one byte was sent.
fn not_processed(peer: &Peer, cause: hyper::Error) -> UpstreamError {
    UpstreamError::NotProcessed(NotProcessed { endpoint: peer.address, cause: cause.into() })
}

/// The error of an attempt that may have reached the backend.
fn failed(peer: &Peer, cause: hyper::Error) -> UpstreamError {
    UpstreamError::Exchange { endpoint: peer.address, cause: cause.into() }
}

/// The answer to a request that is not forwarded.
fn refuse() -> Response<UpstreamBody> {
    let mut response = Response::new(UpstreamBody::empty());
    *response.status_mut() = StatusCode::NOT_IMPLEMENTED;
    response
}

// === impl Lent ===

impl<B: Send + 'static> LentBody for Lent<B> {
    fn incoming(&mut self) -> &mut Incoming {
        &mut self.incoming
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }

    fn settle(self: Box<Self>) {
        let Self { incoming: _, shared, peer, connection } = *self;
        connection.pace().ask();
        shared.http1.put(peer, connection);
    }

    fn pace(&self) -> &Pace {
        self.connection.pace()
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
