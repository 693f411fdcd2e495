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
pub struct CountedRequest {
    of: Arc<OfConnection>,
    method: MethodLabel,
    start: Instant,
    /// Nothing before there is an answer.
    answered: Option<(Arc<RequestCells>, Class)>,
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
        let (of, method) = (Arc::clone(&self.0), request.method().into());
        CountedRequest { of, method, start: Instant::now(), answered: None }
    }
}

// === impl CountedRequest ===

impl ObserveRequest for CountedRequest {
    #[inline]
    fn answered<B: Body>(&mut self, response: &Response<B>) {
        let outcome = response.extensions().get::<Outcome>();
        let cells = self.of.cells(outcome);
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
        self.answered = Some((cells, class));
    }

    fn end(self, _: bool) {
        let Self { of, method, start, answered } = self;
        let (cells, class) = answered.unwrap_or_else(|| {
            let cells = of.cells(None);
            cells.answered(Class::NONE, method);
            (cells, Class::NONE)
        });
        cells.ended(class, start.elapsed());
    }
}

// === impl OfConnection ===

impl OfConnection {
    /// Where a request is counted that ended so.
    fn cells(&self, outcome: Option<&Outcome>) -> Arc<RequestCells> {
        let (family, shard) = (self.metrics.requests_family(), self.connection.shard.index());
        let place = outcome.and_then(|outcome| {
            let rule = outcome.routed.as_ref().map(|routed| routed.matched().rule);
            Some((outcome.table()?, Place { listener: outcome.listener_id()?, rule, backend: None }))
        });
        match place {
            Some((table, place)) => family.cells(table, place, shard),
            None => Arc::clone(
                self.unserved
                    .get_or_init(|| family.named(Labels::of_owner(&self.connection.owner)).cells(shard)),
            ),
        }
    }
}
