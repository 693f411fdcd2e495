//! How the sockets of a server stand.

use std::net::SocketAddr;

use gateway_core::name::ObjectName;

use crate::serve::certificate_problem::CertificateProblem;

/// The sockets of a server, and what hinders some of them.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Sockets {
    /// The number of the table that this comes from.
    pub generation: u64,
    /// One for each address of each port.
    pub sockets: Vec<Socket>,
    /// The listeners whose TLS handshakes fail.
    pub certificates: Vec<CertificateProblem>,
}

/// One address of one port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Socket {
    /// The Gateway.
    pub gateway: ObjectName,
    /// The port, as the Gateway's listeners name it.
    pub port: u16,
    /// Where it is to be bound.
    pub address: SocketAddr,
    /// Where it is bound, or why it is not. It is tried again until it is.
    pub bound: Result<SocketAddr, String>,
}

// === impl Sockets ===

impl Sockets {
    /// Where this port of this Gateway is bound first.
    pub fn address(&self, gateway: &ObjectName, port: u16) -> Option<SocketAddr> {
        let mut here = self.sockets.iter().filter(|socket| socket.gateway == *gateway && socket.port == port);
        here.find_map(|socket| socket.bound.as_ref().ok().copied())
    }

    /// Whether every socket is bound and every certificate usable.
    pub fn all_good(&self) -> bool {
        self.certificates.is_empty() && self.sockets.iter().all(|socket| socket.bound.is_ok())
    }
}
