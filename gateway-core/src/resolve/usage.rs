//! Usages of backends, on which depends how each is spoken to.

use crate::api::TransportProtocol;
use crate::name::RouteKind;

/// What is sent to a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Usage {
    /// Requests.
    Http,
    /// Calls of gRPC.
    Grpc,
    /// Streams as they come.
    Tcp,
    /// Streams of which some had their TLS terminated here.
    Terminated,
    /// Datagrams.
    Udp,
    /// Traces, by OTLP.
    Traces,
}

// === impl Usage ===

impl Usage {
    /// What a Route of this kind sends; `terminates_tls` says whether some listener that it is attached to does.
    pub(crate) fn new(route: RouteKind, terminates_tls: bool) -> Self {
        match (route, terminates_tls) {
            (RouteKind::Http, _) => Self::Http,
            (RouteKind::Grpc, _) => Self::Grpc,
            (RouteKind::Tls, true) => Self::Terminated,
            (RouteKind::Tls, false) | (RouteKind::Tcp, _) => Self::Tcp,
            (RouteKind::Udp, _) => Self::Udp,
        }
    }

    /// Whether the gateway may begin TLS of its own. What is in a stream that it merely passes on is no business of its.
    ///
    /// # Spec
    /// BTP-21
    pub(crate) fn may_speak_tls(self) -> bool {
        match self {
            Self::Http | Self::Grpc | Self::Terminated | Self::Traces => true,
            Self::Tcp | Self::Udp => false,
        }
    }

    pub(super) fn transport(self) -> TransportProtocol {
        match self {
            Self::Http | Self::Grpc | Self::Tcp | Self::Terminated | Self::Traces => TransportProtocol::Tcp,
            Self::Udp => TransportProtocol::Udp,
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Http => "HTTP",
            Self::Grpc => "gRPC",
            Self::Tcp | Self::Terminated => "TCP",
            Self::Udp => "UDP",
            Self::Traces => "OTLP",
        }
    }
}
