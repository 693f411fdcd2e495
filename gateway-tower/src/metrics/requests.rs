//! Requests, from outside of a gateway.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::cells::RequestCells;
use super::class::Class;
use super::labels::{Labels, Place};
use super::method::MethodLabel;
use super::metrics::Metrics;
use crate::connection::Connection;
use crate::outcome::Outcome;

/// Counts the requests of a connection, around a whole [`Gateway`](crate::Gateway).
#[derive(Clone, Debug)]
pub struct RequestsLayer {
    metrics: Metrics,
    connection: Arc<Connection>,
}

/// Counts requests, with how they were answered and how long that took.
#[derive(Clone, Debug)]
pub struct Requests<S> {
    inner: S,
    meter: Arc<Meter>,
}

/// Where the requests of one connection are counted.
#[derive(Debug)]
struct Meter {
    metrics: Metrics,
    connection: Arc<Connection>,
    /// For requests that no listener serves: found once a connection.
    unserved: OnceLock<Arc<RequestCells>>,
}

pin_project! {
    /// The answer to a request that is counted.
    #[derive(Debug)]
    pub struct RequestsFuture<F> {
        #[pin]
        inner: F,
        waiting: Option<Waiting>,
    }

    impl<F> PinnedDrop for RequestsFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            // The client went before there was an answer.
            if let Some(waiting) = this.project().waiting.take() {
                waiting.given_up();
            }
        }
    }
}

pin_project! {
    /// The body of an answer, whose end is the end of the request.
    #[derive(Debug)]
    pub struct RequestsBody<B> {
        #[pin]
        body: B,
        answering: Option<Answering>,
    }

    impl<B> PinnedDrop for RequestsBody<B> {
        fn drop(this: Pin<&mut Self>) {
            if let Some(answering) = this.project().answering.take() {
                answering.ended();
            }
        }
    }
}

/// A request without an answer.
#[derive(Debug)]
struct Waiting {
    meter: Arc<Meter>,
    method: MethodLabel,
    start: Instant,
}

/// A request whose answer is on its way.
#[derive(Debug)]
struct Answering {
    cells: Arc<RequestCells>,
    class: Class,
    start: Instant,
}

// === impl RequestsLayer ===

impl Metrics {
    /// Counts the requests that come in on `connection`.
    pub fn requests(&self, connection: Arc<Connection>) -> RequestsLayer {
        RequestsLayer { metrics: self.clone(), connection }
    }
}

impl<S> Layer<S> for RequestsLayer {
    type Service = Requests<S>;

    fn layer(&self, inner: S) -> Requests<S> {
        let (metrics, connection) = (self.metrics.clone(), Arc::clone(&self.connection));
        Requests { inner, meter: Arc::new(Meter { metrics, connection, unserved: OnceLock::new() }) }
    }
}

// === impl Requests ===

impl<S, B, RB> Service<Request<B>> for Requests<S>
where
    S: Service<Request<B>, Response = Response<RB>>,
{
    type Response = Response<RequestsBody<RB>>;
    type Error = S::Error;
    type Future = RequestsFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request<B>) -> Self::Future {
        let method = request.method().into();
        let waiting = Waiting { meter: Arc::clone(&self.meter), method, start: Instant::now() };
        RequestsFuture { inner: self.inner.call(request), waiting: Some(waiting) }
    }
}

// === impl RequestsFuture ===

impl<F, RB, E> Future for RequestsFuture<F>
where
    F: Future<Output = Result<Response<RB>, E>>,
{
    type Output = Result<Response<RequestsBody<RB>>, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        // What fails is counted as what has no answer when this is dropped.
        let response = ready!(this.inner.poll(cx))?;
        let answering = this.waiting.take().map(|waiting| waiting.answered(&response));
        Poll::Ready(Ok(response.map(|body| RequestsBody { body, answering })))
    }
}

// === impl Waiting ===

impl Waiting {
    #[inline]
    fn answered<RB>(self, response: &Response<RB>) -> Answering {
        let Self { meter, method, start } = self;
        let outcome = response.extensions().get::<Outcome>();
        let cells = meter.cells(outcome);
        let class = Class::from(response.status());
        cells.answered(class, method);
        if let Some(outcome) = outcome {
            if let Some(refusal) = outcome.refusal() {
                cells.refused(refusal.reason());
            }
            if outcome.retries > 0 {
                cells.retried(outcome.retries);
            }
        }
        Answering { cells, class, start }
    }

    fn given_up(self) {
        let Self { meter, method, start } = self;
        let cells = meter.cells(None);
        cells.answered(Class::NONE, method);
        cells.ended(Class::NONE, start.elapsed());
    }
}

// === impl Answering ===

impl Answering {
    fn ended(self) {
        self.cells.ended(self.class, self.start.elapsed());
    }
}

// === impl Meter ===

impl Meter {
    /// Where a request is counted that ended so.
    fn cells(&self, outcome: Option<&Outcome>) -> Arc<RequestCells> {
        let (family, shard) = (self.metrics.requests_family(), self.connection.shard.index());
        let place = outcome.and_then(|outcome| {
            let rule = outcome.routed.as_ref().map(|routed| routed.matched().rule);
            Some((outcome.table()?, Place { listener: outcome.listener_id()?, rule, backend: None }))
        });
        match place {
            Some((table, place)) => family.cells(table, place, shard),
            None => Arc::clone(self.unserved.get_or_init(|| {
                family.named(Labels::of_gateway(self.connection.gateway.clone())).cells(shard)
            })),
        }
    }
}

// === impl RequestsBody ===

impl<B: Body> Body for RequestsBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.body.as_mut().poll_frame(cx));
        if (!matches!(frame, Some(Ok(_))) || this.body.is_end_stream())
            && let Some(answering) = this.answering.take()
        {
            answering.ended();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
