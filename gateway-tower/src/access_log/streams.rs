//! The lines of streams.

use super::causes::with_causes;
use super::target::TARGET;
use crate::observe::ObserveStreams;
use crate::outcome::{StreamEnd, StreamOutcome};

/// Logs the streams of a server that has it among its observers.
#[derive(Clone, Copy, Debug, Default)]
pub struct StreamLog;

// === impl StreamLog ===

impl ObserveStreams for StreamLog {
    fn ended(&self, stream: &StreamOutcome) {
        let rule = stream.rule.as_ref().map(|rule| &rule.id);
        let reason = match &stream.end {
            StreamEnd::Refused(_, why) => Some(why.clone()),
            StreamEnd::Unreachable(error) => Some(with_causes(&**error)),
            StreamEnd::ClosedByClient
            | StreamEnd::ClosedByBackend
            | StreamEnd::ResetByClient
            | StreamEnd::ResetByBackend
            | StreamEnd::Idle
            | StreamEnd::Cut
            | StreamEnd::Displaced
            | StreamEnd::Moved
            | StreamEnd::HandshakeFailed => None,
        };
        let backend = stream.backend.as_ref().map(ToString::to_string);
        let backend = backend.or_else(|| stream.unresolved.as_deref().map(str::to_owned));
        tracing::info!(
            target: TARGET,
            peer = %stream.peer,
            transport = stream.transport.as_str(),
            server_name = stream.server_name.as_deref(),
            duration_ms = stream.duration.as_micros() as f64 / 1000.0,
            bytes_received = stream.received,
            bytes = stream.sent,
            complete = stream.end.is_whole(stream.transport),
            listener = stream.listener.as_ref().map(tracing::field::display),
            route_kind = rule.map(|rule| rule.route.kind.as_str()),
            route = rule.map(|rule| tracing::field::display(&rule.route.name)),
            rule = rule.map(|rule| match &rule.name {
                Some(name) => name.to_string(),
                None => rule.index.to_string(),
            }),
            generation = stream.generation,
            backend,
            endpoint = stream.endpoint.map(tracing::field::display),
            result = stream.end.as_str(),
            reason,
        );
    }
}
