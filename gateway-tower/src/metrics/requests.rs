//! Requests, from outside of a gateway.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use http::{Request, Response};
use http_body::Body;

use super::cells::RequestCells;
use super::class::Class;
use super::labels::{Labels, Place};
use super::method::MethodLabel;
use super::metrics::Metrics;
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
    unserved: OnceLock<Arc<RequestCells>>,
}

/// A request that is counted.
#[derive(Debug)]
// Moved along with the request, and with its answer: no larger than it must be.
pub struct CountedRequest {
    start: Instant,
    method: MethodLabel,
    state: State,
}

#[derive(Debug)]
enum State {
    /// There is no answer yet.
    Begun(Arc<OfConnection>),
    Answered(Arc<RequestCells>, Class),
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
        let (state, method) = (State::Begun(Arc::clone(&self.0)), request.method().into());
        CountedRequest { start: Instant::now(), method, state }
    }
}

// === impl CountedRequest ===

impl ObserveRequest for CountedRequest {
    #[inline]
    fn answered<B: Body>(&mut self, response: &Response<B>) {
        let State::Begun(of) = &self.state else { return };
        let outcome = response.extensions().get::<Outcome>();
        let cells = of.cells(outcome);
        let class = Class::from(response.status());
        cells.answered(class, self.method);
        if let Some(outcome) = outcome {
            if let Some(refusal) = outcome.refusal() {
                cells.refused(refusal.reason());
            }
            if outcome.retries > 0 {
                cells.retried(outcome.retries);
            }
        }
        self.state = State::Answered(cells, class);
    }

    fn end(self, _: bool) {
        let Self { start, method, state } = self;
        let (cells, class) = match state {
            State::Answered(cells, class) => (cells, class),
            State::Begun(of) => {
                let cells = of.cells(None);
                cells.answered(Class::NONE, method);
                (cells, Class::NONE)
            }
        };
        cells.ended(class, start.elapsed());
    }
}

// === impl OfConnection ===

impl OfConnection {
    /// Where a request is counted that ended so.
    fn cells(&self, outcome: Option<&Outcome>) -> Arc<RequestCells> {
        let (places, shard) = (self.metrics.places(), self.connection.shard.index());
        let place = outcome.and_then(|outcome| match &outcome.routed {
            // Not without its backend: that place is the one that the attempt was just counted at.
            Some(routed) => Some((routed.table(), Place::of(routed))),
            None => {
                let place = Place { listener: outcome.listener_id()?, rule: None, backend: None };
                Some((outcome.table()?, place))
            }
        });
        match place {
            Some((table, place)) => places.requests(table, place, shard),
            None => Arc::clone(
                self.unserved
                    .get_or_init(|| places.named(Labels::of_owner(&self.connection.owner)).cells(shard)),
            ),
        }
    }
}
