//! Attempts at backends, from within a gateway.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_layer::{Layer, Stack};
use tower_service::Service;

use super::attempt_end::AttemptEnd;
use super::cells::AttemptCells;
use super::metrics::Metrics;
use crate::gateway::GatewayBuilder;
use crate::outcome::{IntoRefused, Refused};
use crate::routed::Routed;

/// Counts attempts, where a gateway has the layers [for each](GatewayBuilder::per_attempt).
#[derive(Clone, Debug)]
pub struct AttemptsLayer {
    metrics: Metrics,
}

/// Counts attempts, with how they ended and how long it took until an answer began.
#[derive(Clone, Debug)]
pub struct Attempts<S> {
    inner: S,
    metrics: Metrics,
}

pin_project! {
    /// The end of an attempt that is counted.
    #[derive(Debug)]
    pub struct AttemptsFuture<F> {
        #[pin]
        inner: F,
        waiting: Option<Waiting>,
    }

    impl<F> PinnedDrop for AttemptsFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            if let Some(waiting) = this.project().waiting.take() {
                waiting.ended(AttemptEnd::GIVEN_UP);
            }
        }
    }
}

/// An attempt that has not ended.
#[derive(Debug)]
struct Waiting {
    cells: Arc<AttemptCells>,
    start: Instant,
}

// === impl AttemptsLayer ===

impl Metrics {
    /// Counts the attempts of a gateway at its backends.
    pub fn attempts(&self) -> AttemptsLayer {
        AttemptsLayer { metrics: self.clone() }
    }
}

impl<R, F, A> GatewayBuilder<R, F, A> {
    /// Counts attempts at backends and copies for mirrors. Requests are counted [around](Metrics::requests) the gateway.
    pub fn metrics(self, metrics: &Metrics) -> GatewayBuilder<R, F, Stack<AttemptsLayer, A>> {
        self.observe_mirrors(Arc::new(metrics.clone())).per_attempt(metrics.attempts())
    }
}

impl<S> Layer<S> for AttemptsLayer {
    type Service = Attempts<S>;

    fn layer(&self, inner: S) -> Attempts<S> {
        Attempts { inner, metrics: self.metrics.clone() }
    }
}

// === impl Attempts ===

impl<S, B, RB> Service<Request<B>> for Attempts<S>
where
    S: Service<Request<B>, Response = Response<RB>>,
    S::Error: IntoRefused,
{
    type Response = Response<RB>;
    type Error = Refused;
    type Future = AttemptsFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        S::Error::refuse(self.inner.poll_ready(cx))
    }

    #[inline]
    fn call(&mut self, request: Request<B>) -> Self::Future {
        let routed = request.extensions().get::<Routed>();
        let cells = routed.and_then(|routed| self.metrics.attempt_cells(routed));
        let waiting = cells.map(|cells| Waiting { cells, start: Instant::now() });
        AttemptsFuture { inner: self.inner.call(request), waiting }
    }
}

// === impl AttemptsFuture ===

impl<F, RB, E> Future for AttemptsFuture<F>
where
    F: Future<Output = Result<Response<RB>, E>>,
    E: IntoRefused,
{
    type Output = Result<Response<RB>, Refused>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = E::refuse(this.inner.poll(cx));
        if let Poll::Ready(ended) = &result
            && let Some(waiting) = this.waiting.take()
        {
            waiting.ended(match ended {
                Ok(response) => response.status().into(),
                Err(refused) => refused.refusal().into(),
            });
        }
        result
    }
}

// === impl Waiting ===

impl Waiting {
    fn ended(self, end: AttemptEnd) {
        self.cells.ended(end, self.start.elapsed());
    }
}
