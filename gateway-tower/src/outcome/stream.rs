//! The outcome of a stream, for access logs and metrics.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gateway_core::name::ObjectName;
use gateway_core::rule::{Backend, StreamRule};
use gateway_core::table::{Listener, Transport};
#[cfg(feature = "server")]
use gateway_core::table::{NoStream, RouteTable};

use crate::client::ConnectError;

/// What became of a connection that TLSRoutes and TCPRoutes are about, or of a flow of datagrams: where it went, what went through
/// it, and how it ended. [Observers](crate::observe::ObserveStreams) are told it.
///
/// It holds no table: streams may be there for days.
#[derive(Debug)]
#[non_exhaustive]
pub struct StreamOutcome {
    /// The Gateway whose port it came to.
    pub gateway: ObjectName,
    /// What carries it.
    pub transport: Transport,
    /// The port, as the Gateway's listeners name it.
    pub port: u16,
    /// The address of the client.
    pub peer: SocketAddr,
    /// The server name of the client's TLS, where it has sent one.
    pub server_name: Option<Arc<str>>,
    /// The number of the table that decided.
    pub generation: u64,
    /// The listener that took it.
    pub listener: Option<Arc<Listener>>,
    /// The rule that it followed.
    pub rule: Option<Arc<StreamRule>>,
    /// The backend that it fell to.
    pub backend: Option<Backend>,
    /// What the reference is to that it fell to, where that leads nowhere.
    pub unresolved: Option<Arc<str>>,
    /// The endpoint that was tried last; that of the stream, where one was reached.
    pub endpoint: Option<SocketAddr>,
    /// The bytes that went from the client to the backend: those within TLS, where it is terminated here.
    pub received: u64,
    /// The bytes that went back.
    pub sent: u64,
    /// From the moment at which it was accepted to its end. Of a flow, from its first datagram until it was given up, which is
    /// some time after its last.
    pub duration: Duration,
    /// How it ended.
    pub end: StreamEnd,
}

/// How a stream ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum StreamEnd {
    /// Both sides have closed it, the client first.
    ClosedByClient,
    /// Both sides have closed it, the backend first.
    ClosedByBackend,
    /// The client broke it off.
    ResetByClient,
    /// The backend broke it off; of a flow, no socket listens at the endpoint.
    ResetByBackend,
    /// Nothing came for too long, or nothing more after one side had closed. It is how flows end that are served.
    Idle,
    /// The gateway ended it: it drains, or the port is gone from the table.
    Cut,
    /// A flow that had to make room for another one.
    Displaced,
    /// A flow whose endpoint is not that of the Route any more.
    Moved,
    /// The client and the gateway did not agree on TLS, or not in time.
    HandshakeFailed,
    /// No endpoint could be reached.
    Unreachable(Arc<ConnectError>),
    /// It could go nowhere; the text names what it is about.
    Refused(StreamRefusal, String),
}

/// Why a stream could go nowhere.
///
/// # Spec
/// [TLR-06](gateway_core::spec#TLR-06), [TLR-07](gateway_core::spec#TLR-07), [TCR-06](gateway_core::spec#TCR-06),
/// [UDR-04](gateway_core::spec#UDR-04).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StreamRefusal {
    /// No listener of the port takes it.
    NoListener,
    /// The listener needs a server name.
    NoServerName,
    /// No Route is attached to the listener that takes it.
    NoRule,
    /// The rule has no backend with a weight.
    NoBackend,
    /// The reference to the backend is invalid.
    UnresolvedBackend,
    /// The backend has no endpoints.
    NoEndpoints,
    /// The name of the backend leads to no address.
    NoAddress,
}

// === impl StreamEnd ===

impl StreamEnd {
    /// The words of all, as metrics have them: those of the refusals are at the end.
    pub const WORDS: [&str; 17] = [
        "closed_by_client",
        "closed_by_backend",
        "reset_by_client",
        "reset_by_backend",
        "idle",
        "cut",
        "displaced",
        "moved",
        "handshake_failed",
        "unreachable",
        "no_listener",
        "no_server_name",
        "no_rule",
        "no_backend",
        "unresolved_backend",
        "no_endpoints",
        "no_address",
    ];

    /// The word for logs and metrics. A refusal has that of the [`Reason`](crate::outcome::Reason) which a request would have.
    pub const fn as_str(&self) -> &'static str {
        Self::WORDS[self.index()]
    }

    /// The place of its word among [all](Self::WORDS).
    pub(crate) const fn index(&self) -> usize {
        match self {
            Self::ClosedByClient => 0,
            Self::ClosedByBackend => 1,
            Self::ResetByClient => 2,
            Self::ResetByBackend => 3,
            Self::Idle => 4,
            Self::Cut => 5,
            Self::Displaced => 6,
            Self::Moved => 7,
            Self::HandshakeFailed => 8,
            Self::Unreachable(_) => 9,
            Self::Refused(refusal, _) => 10 + *refusal as usize,
        }
    }

    /// Whether it had an endpoint, and so lasted.
    #[cfg(feature = "metrics")]
    pub(crate) const fn reached_endpoint(&self) -> bool {
        match self {
            Self::ClosedByClient
            | Self::ClosedByBackend
            | Self::ResetByClient
            | Self::ResetByBackend
            | Self::Idle
            | Self::Cut
            | Self::Displaced
            | Self::Moved => true,
            Self::HandshakeFailed | Self::Unreachable(_) | Self::Refused(..) => false,
        }
    }

    /// Whether both sides have closed it, or a flow has been quiet at its end: nothing broke off.
    pub const fn is_whole(&self, transport: Transport) -> bool {
        match self {
            Self::ClosedByClient | Self::ClosedByBackend => true,
            Self::Idle => matches!(transport, Transport::Udp),
            Self::ResetByClient
            | Self::ResetByBackend
            | Self::Cut
            | Self::Displaced
            | Self::Moved
            | Self::HandshakeFailed
            | Self::Unreachable(_)
            | Self::Refused(..) => false,
        }
    }

    /// It could go nowhere, as `table` decided.
    #[cfg(feature = "server")]
    pub(crate) fn refused(why: NoStream, table: &RouteTable) -> Self {
        let refusal = match why {
            // Of a port whose listeners are others than when the connection was accepted.
            NoStream::NoListener | NoStream::Requests(_) => StreamRefusal::NoListener,
            NoStream::NoServerName(_) => StreamRefusal::NoServerName,
            NoStream::NoRule(_) => StreamRefusal::NoRule,
            NoStream::NoBackend => StreamRefusal::NoBackend,
            NoStream::Unresolved { .. } => StreamRefusal::UnresolvedBackend,
            NoStream::NoEndpoints(backend) => match table.backend(backend).hostname {
                Some(_) => StreamRefusal::NoAddress,
                None => StreamRefusal::NoEndpoints,
            },
        };
        Self::Refused(refusal, why.in_table(table))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Reason;

    #[test]
    fn a_refusal_has_the_word_that_a_request_would_have() {
        for (refusal, reason) in [
            (StreamRefusal::NoListener, Some(Reason::NoListener)),
            (StreamRefusal::NoServerName, None),
            (StreamRefusal::NoRule, Some(Reason::NoRule)),
            (StreamRefusal::NoBackend, Some(Reason::NoBackend)),
            (StreamRefusal::UnresolvedBackend, Some(Reason::UnresolvedBackend)),
            (StreamRefusal::NoEndpoints, Some(Reason::NoEndpoints)),
            (StreamRefusal::NoAddress, Some(Reason::NoAddress)),
        ] {
            let word = StreamEnd::Refused(refusal, String::new()).as_str();
            assert_eq!(word, reason.map_or("no_server_name", Reason::as_str));
        }
    }
}
