//! The record of a stream while it lasts, for those who are told of its end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gateway_core::name::ObjectName;
use gateway_core::rule::Backend;
use gateway_core::table::{MatchedStream, NoStream, RouteTable, Transport};

use crate::observe::ObserveStreams;
use crate::outcome::{StreamEnd, StreamOutcome};
use crate::tunnel::Passed;

/// All who are told of streams.
pub(super) type StreamObservers = Arc<[Arc<dyn ObserveStreams>]>;

/// What is known of a stream. Dropping it is the end of the stream, of which the observers are told then: whatever gives it up, they
/// are.
#[derive(Debug, Default)]
pub(super) struct StreamRecord {
    passed: Passed,
    /// In a box, and only where there are observers: a stream is to hold little.
    told: Option<Box<Told>>,
}

#[derive(Debug)]
struct Told {
    observers: StreamObservers,
    start: Instant,
    outcome: StreamOutcome,
}

// === impl StreamRecord ===

impl StreamRecord {
    /// A stream that came from `peer` to this port of this Gateway at `start`.
    pub(super) fn new(
        observers: &StreamObservers,
        gateway: &ObjectName,
        (transport, port): (Transport, u16),
        peer: SocketAddr,
        start: Instant,
    ) -> Self {
        if observers.is_empty() {
            return Self::default();
        }
        let outcome = StreamOutcome {
            gateway: gateway.clone(),
            transport,
            port,
            peer,
            server_name: None,
            generation: 0,
            listener: None,
            rule: None,
            backend: None,
            unresolved: None,
            endpoint: None,
            received: 0,
            sent: 0,
            duration: Duration::ZERO,
            end: StreamEnd::Cut,
        };
        let told = Told { observers: Arc::clone(observers), start, outcome };
        Self { passed: Passed::default(), told: Some(Box::new(told)) }
    }

    /// The server name that the client has sent.
    #[cfg(feature = "tls")]
    pub(super) fn with_server_name(mut self, server_name: Option<Arc<str>>) -> Self {
        self.note(|outcome| outcome.server_name = server_name);
        self
    }

    /// A rule takes it.
    pub(super) fn matched(&mut self, table: &RouteTable, matched: MatchedStream) {
        self.note(|outcome| {
            outcome.generation = table.generation();
            outcome.listener = Some(Arc::clone(table.listener(matched.listener)));
            outcome.rule = Some(Arc::clone(table.stream_rule(matched.rule)));
        });
    }

    /// It goes to this backend.
    pub(super) fn falls_to(&mut self, backend: &Backend) {
        self.note(|outcome| outcome.backend = Some(backend.clone()));
    }

    /// It can go nowhere, as `table` decided. Gives why.
    pub(super) fn refused(mut self, why: NoStream, table: &RouteTable) -> NoStream {
        self.note(|outcome| {
            outcome.generation = table.generation();
            match why {
                NoStream::NoServerName(listener) | NoStream::NoRule(listener) => {
                    outcome.listener = Some(Arc::clone(table.listener(listener)));
                }
                NoStream::NoEndpoints(backend) => outcome.backend = Some(table.backend(backend).clone()),
                NoStream::Unresolved { rule, position } => {
                    let unresolved = table.stream_rule(rule).backends.unresolved(position.into());
                    outcome.unresolved = unresolved.cloned();
                }
                NoStream::NoListener | NoStream::Requests(_) | NoStream::NoBackend => {}
            }
            outcome.end = StreamEnd::refused(why, table);
        });
        why
    }

    /// This endpoint is tried.
    pub(super) fn tries(&mut self, endpoint: SocketAddr) {
        self.note(|outcome| outcome.endpoint = Some(endpoint));
    }

    /// What goes through it is counted here.
    pub(super) fn passed(&mut self) -> &mut Passed {
        &mut self.passed
    }

    /// How it ends if it ends now; without, the gateway has cut it.
    pub(super) fn set_end(&mut self, end: StreamEnd) {
        self.note(|outcome| outcome.end = end);
    }

    fn note(&mut self, note: impl FnOnce(&mut StreamOutcome)) {
        if let Some(told) = &mut self.told {
            note(&mut told.outcome);
        }
    }
}

impl Drop for StreamRecord {
    fn drop(&mut self) {
        let Some(told) = self.told.take() else { return };
        let Told { observers, start, mut outcome } = *told;
        let Passed { up, down } = self.passed;
        (outcome.received, outcome.sent, outcome.duration) = (up, down, start.elapsed());
        for observer in &*observers {
            observer.ended(&outcome);
        }
    }
}
