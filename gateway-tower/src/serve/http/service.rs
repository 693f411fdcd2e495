//! A tower service as the service of one connection of hyper.

use std::cell::RefCell;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, Bytes};
use http::{HeaderValue, Request, Response, StatusCode, Version, header};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::client_body::ClientBody;
use super::stream_clock::{StreamClock, Streams};
use crate::body::BoxError;
use crate::connection::Connection;
use crate::drain::{InFlight, Member, Phase};

/// From this size on a piece of an answer is written before the next is asked for; smaller ones are written together.
const LARGE: usize = 8 * 1024;

/// Makes the service of each connection: any function of the connection that returns a service.
pub trait ConnectionService: Clone + Send + 'static {
    /// The body of the answers.
    type Body: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static;
    /// Why there is no answer. It ends the connection; a gateway has none.
    type Error: Into<BoxError>;
    /// The service of one connection. Clones of it are made only when it is not ready.
    type Service: Service<Request<ClientBody>, Response = Response<Self::Body>, Error = Self::Error, Future: Send>
        + Clone
        + Send
        + 'static;

    /// The service for requests that come in on `connection`.
    fn for_connection(&self, connection: Arc<Connection>) -> Self::Service;
}

/// The service of one connection as hyper calls it.
pub(super) struct PerConnection<S> {
    /// hyper calls this by a shared reference, from the one task that owns the connection, and never within another
    /// call: that is why a cell will do, and why the service need not be cloned for each request.
    service: RefCell<S>,
    member: Member,
    /// Over HTTP/2.
    streams: Option<Streams>,
}

pin_project! {
    /// The answer to a request.
    pub(super) struct Answer<S, F> {
        #[pin]
        state: State<S, F>,
        in_flight: Option<InFlight>,
        clock: Option<Arc<StreamClock>>,
        // Of a request of HTTP/1.0.
        old: bool,
    }
}

pin_project! {
    #[project = Projected]
    enum State<S, F> {
        Called { #[pin] future: F },
        // The service was not ready when the request came. In a box: it is larger than most futures, and few are in this state.
        Waiting { waiting: Box<(S, Option<Request<ClientBody>>)> },
        Failed { error: Option<BoxError> },
    }
}

pin_project! {
    /// The body of an answer; as long as it lives, the request is under way.
    ///
    /// It rests while the client does not read, and after a large piece until some of it is written. hyper would take over as
    /// much as its buffers are to hold, which must be as large as the largest head.
    pub(super) struct Tracked<B> {
        #[pin]
        body: B,
        in_flight: InFlight,
        clock: Option<Arc<StreamClock>>,
    }
}

// === impl ConnectionService ===

impl<M, S, B> ConnectionService for M
where
    M: Fn(Arc<Connection>) -> S + Clone + Send + 'static,
    S: Service<Request<ClientBody>, Response = Response<B>, Error: Into<BoxError>, Future: Send>
        + Clone
        + Send
        + 'static,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type Body = B;
    type Error = S::Error;
    type Service = S;

    fn for_connection(&self, connection: Arc<Connection>) -> S {
        self(connection)
    }
}

// === impl PerConnection ===

impl<S> PerConnection<S> {
    pub(super) fn new(service: S, member: Member, streams: Option<Streams>) -> Self {
        Self { service: RefCell::new(service), member, streams }
    }
}

impl<S, B: Body> hyper::service::Service<Request<Incoming>> for PerConnection<S>
where
    S: Service<Request<ClientBody>, Response = Response<B>, Error: Into<BoxError>> + Clone,
{
    type Response = Response<Tracked<B>>;
    type Error = BoxError;
    type Future = Answer<S, S::Future>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        if request.extensions().get::<OnUpgrade>().is_some() {
            // A tunnel holds on to its place among the open connections.
            request.extensions_mut().insert(self.member.clone());
        }
        let clock = self.streams.map(|streams| streams.begin(!request.body().is_end_stream()));
        let old = request.version() == Version::HTTP_10;
        let request = request.map(|incoming| ClientBody::new(incoming, clock.clone()));
        let in_flight = Some(self.member.begin());
        let mut service = self.service.borrow_mut();
        // No task is woken by this: the clone that waits is polled again with the waker of its task.
        let state = match service.poll_ready(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(())) => State::Called { future: service.call(request) },
            Poll::Ready(Err(error)) => State::Failed { error: Some(error.into()) },
            Poll::Pending => State::Waiting { waiting: Box::new((service.clone(), Some(request))) },
        };
        Answer { state, in_flight, clock, old }
    }
}

// === impl Answer ===

impl<S, B: Body> Future for Answer<S, S::Future>
where
    S: Service<Request<ClientBody>, Response = Response<B>, Error: Into<BoxError>>,
{
    type Output = Result<Response<Tracked<B>>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let future = match this.state.as_mut().project() {
                Projected::Called { future } => {
                    let mut response = ready!(future.poll(cx)).map_err(Into::into)?;
                    if *this.old {
                        end_with_connection(&mut response);
                    }
                    let mut in_flight = this.in_flight.take().expect("not polled after it is ready");
                    if in_flight.phase() >= Phase::WindingDown && this.clock.is_none() {
                        send_elsewhere(&mut response);
                    }
                    in_flight.set_answered();
                    let clock = this.clock.take();
                    if let Some(clock) = &clock {
                        clock.received();
                    }
                    return Poll::Ready(Ok(response.map(|body| Tracked { body, in_flight, clock })));
                }
                Projected::Waiting { waiting } => {
                    let (service, request) = &mut **waiting;
                    ready!(service.poll_ready(cx)).map_err(Into::into)?;
                    service.call(request.take().expect("it is called once"))
                }
                Projected::Failed { error } => {
                    return Poll::Ready(Err(error.take().expect("not polled after it is ready")));
                }
            };
            this.state.set(State::Called { future });
        }
    }
}

/// Says of an answer of unknown length, which a client of HTTP/1.0 cannot tell from a longer one, that the connection ends with
/// it. hyper closes it, but where the client asks for it says that it will not.
///
/// # Spec
/// MSG-13; RFC 9112 sections 6.3 and 9.3.
fn end_with_connection<B: Body>(response: &mut Response<B>) {
    let is_known = response.body().size_hint().exact().is_some()
        || response.headers().contains_key(header::CONTENT_LENGTH);
    if !is_known {
        *response.version_mut() = Version::HTTP_10;
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
}

/// Ends a connection of HTTP/1.1 with this answer: the client sends what comes next to a server that stays.
fn send_elsewhere<B>(response: &mut Response<B>) {
    // A connection that becomes a tunnel has no next request.
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
}

// === impl Tracked ===

impl<B: Body> Body for Tracked<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        if this.in_flight.poll_room(cx).is_pending() {
            if let Some(clock) = this.clock {
                clock.answer_ready();
            }
            return Poll::Pending;
        }
        let Some(clock) = this.clock else {
            let frame = ready!(this.body.poll_frame(cx));
            if let Some(Ok(frame)) = &frame
                && frame.data_ref().is_some_and(|data| data.remaining() >= LARGE)
            {
                this.in_flight.set_blocked();
            }
            return Poll::Ready(frame);
        };
        // hyper asks for the next piece when the client has made room for the one before.
        clock.answer_taken();
        let frame = ready!(this.body.poll_frame(cx));
        clock.answer_ready();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
