//! Requests, from outside of a gateway.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use http::{Request, Response};
use http_body::Body;

use super::cells::PlaceCells;
use super::class::Class;
use super::labels::{Labels, Place, To};
use super::method::MethodLabel;
use super::metrics::Metrics;
use super::series::Series;
use crate::connection::Connection;
use crate::observe::{ObserveRequest, ObserveRequests, RequestsLayer};
use crate::outcome::Outcome;

/// Counts the requests of one connection, with how they were answered and how long that took.
#[derive(Clone, Debug)]
pub struct CountRequests(Arc<OfConnection>);

#[derive(Debug)]
struct OfConnection {
    metrics: Metrics,
    connection: Arc<Connection>,
    /// For requests that no listener serves: found once a connection.
    unserved: OnceLock<Arc<Series<PlaceCells>>>,
}

/// A request that is counted.
#[derive(Debug)]
// Moved along with the request, and with its answer: no larger than it must be.
pub struct CountedRequest {
    start: Instant,
    state: State,
}

#[derive(Debug)]
enum State {
    /// There is no answer yet.
    Begun(Arc<OfConnection>, MethodLabel),
    Answered(Arc<Series<PlaceCells>>, Class),
}

// === impl CountRequests ===

impl Metrics {
    /// Counts the requests that come in on `connection`, around a whole [`Gateway`](crate::Gateway).
    pub fn requests(&self, connection: Arc<Connection>) -> RequestsLayer<CountRequests> {
        let of = OfConnection { metrics: self.clone(), connection, unserved: OnceLock::new() };
        RequestsLayer::new(CountRequests(Arc::new(of)))
    }
}

impl ObserveRequests for CountRequests {
    type Request = CountedRequest;

    #[inline]
    fn begin<B>(&self, request: &mut Request<B>) -> CountedRequest {
        let state = State::Begun(Arc::clone(&self.0), request.method().into());
        CountedRequest { start: Instant::now(), state }
    }
}

// === impl CountedRequest ===

impl ObserveRequest for CountedRequest {
    #[inline]
    fn answered<B: Body>(&mut self, response: &Response<B>) {
        let State::Begun(of, method) = &self.state else { return };
        let outcome = response.extensions().get::<Outcome>();
        let series = of.series(outcome);
        let class = Class::from(response.status());
        series.cells.requests.answered(class, *method);
        if let Some(outcome) = outcome {
            if let Some(refusal) = outcome.refusal() {
                series.cells.requests.refused(refusal.reason(), 1);
            }
            if outcome.retries > 0 {
                series.cells.requests.retried(outcome.retries.into());
            }
        }
        self.state = State::Answered(series, class);
    }

    fn end(self, _: bool) {
        let Self { start, state } = self;
        let (series, class) = match state {
            State::Answered(series, class) => (series, class),
            State::Begun(of, method) => {
                let series = of.series(None);
                series.cells.requests.answered(Class::NONE, method);
                (series, Class::NONE)
            }
        };
        series.cells.requests.ended(class, start.elapsed());
    }
}

// === impl OfConnection ===

impl OfConnection {
    /// Where a request is counted that ended so.
    fn series(&self, outcome: Option<&Outcome>) -> Arc<Series<PlaceCells>> {
        // Where its last attempt was.
        if let Some(series) = outcome.and_then(Outcome::note) {
            return series;
        }
        let place = outcome.and_then(|outcome| match &outcome.routed {
            Some(routed) => {
                let place = Place::from_routed(routed);
                let unresolved = outcome.unresolved_position().map(To::Unresolved);
                Some((routed.table(), Place { to: unresolved.unwrap_or(place.to), ..place }))
            }
            None => {
                let place = Place { listener: outcome.listener_id()?, rule: None, to: To::None };
                Some((outcome.table()?, place))
            }
        });
        let places = self.metrics.places();
        match place {
            Some((table, place)) => places.series(table, place, self.connection.shard.index()),
            None => {
                let named = || places.named(Labels::of_owner(&self.connection.owner));
                Arc::clone(self.unserved.get_or_init(named))
            }
        }
    }
}
