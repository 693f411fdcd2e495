//! Attempts at backends, from within a gateway.

use std::any::Any;
use std::sync::Arc;
use std::time::Instant;

use http::{Request, StatusCode};
use tower_layer::Stack;

use super::attempt_end::AttemptEnd;
use super::cells::PlaceCells;
use super::metrics::Metrics;
use super::series::Series;
use crate::gateway::GatewayBuilder;
use crate::observe::{AttemptsLayer, ObserveAttempt, ObserveAttempts};
use crate::outcome::Refusal;
use crate::routed::Routed;

/// An attempt that is counted, with how it ended and how long it took until an answer began.
#[derive(Debug)]
pub struct CountedAttempt {
    series: Arc<Series<PlaceCells>>,
    start: Instant,
    end: AttemptEnd,
}

// === impl Metrics ===

impl<R, F, A> GatewayBuilder<R, F, A> {
    /// Counts attempts at backends and copies for mirrors. Requests are counted [around](Metrics::requests) the gateway.
    pub fn metrics(self, metrics: &Metrics) -> GatewayBuilder<R, F, Stack<AttemptsLayer<Metrics>, A>> {
        self.observe_mirrors(Arc::new(metrics.clone())).observe_attempts(metrics.clone())
    }
}

impl ObserveAttempts for Metrics {
    type Attempt = CountedAttempt;

    #[inline]
    fn begin<B>(&self, request: &mut Request<B>) -> Option<CountedAttempt> {
        let series = self.series_of(request.extensions().get::<Routed>()?)?;
        Some(CountedAttempt { series, start: Instant::now(), end: AttemptEnd::GIVEN_UP })
    }
}

// === impl CountedAttempt ===

impl ObserveAttempt for CountedAttempt {
    #[inline]
    fn note(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        Some(Arc::clone(&self.series) as _)
    }

    #[inline]
    fn end(mut self, result: Result<StatusCode, &Refusal>) {
        self.end = match result {
            Ok(status) => status.into(),
            Err(refusal) => refusal.into(),
        };
    }
}

impl Drop for CountedAttempt {
    #[inline]
    fn drop(&mut self) {
        self.series.cells.attempts.ended(self.end, self.start.elapsed());
    }
}
