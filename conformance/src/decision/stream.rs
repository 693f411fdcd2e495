//! The input and the outcome of a decision below HTTP.

use std::net::SocketAddr;

use gateway_core::name::ObjectName;

use super::outcome::Target;

/// A connection or a datagram that comes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamArrival {
    /// The Gateway that it comes in at.
    pub gateway: ObjectName,
    /// The port of the Gateway.
    pub port: u16,
    /// What comes.
    pub transport: Transport,
    /// The server name of the TLS handshake, if it begins with one that has it.
    pub server_name: Option<String>,
    /// The random number that picks the backend.
    pub random: u64,
}

/// What comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A TCP connection.
    Tcp,
    /// A datagram of a new session.
    Udp,
}

/// What becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamOutcome {
    /// A backend gets it.
    Forwarded {
        /// The listener that took it: its name within its object.
        listener: String,
        /// The route.
        route: ObjectName,
        /// The backend.
        to: Target,
        /// Its endpoints, sorted.
        endpoints: Vec<SocketAddr>,
        /// Whether TLS ends at the gateway.
        terminated: bool,
    },
    /// No backend gets it: a connection is closed, a datagram dropped.
    Rejected,
}
