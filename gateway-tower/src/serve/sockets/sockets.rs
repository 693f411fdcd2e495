//! The state of the sockets of a server.

use std::io;
use std::net::SocketAddr;

use gateway_core::name::ObjectName;
use gateway_core::table::{Transport, Unbound, UnboundCause};

use super::addresses::PortOverflow;
use crate::serve::certificate_problem::CertificateProblem;

/// The sockets of a server, and what hinders some of them.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Sockets {
    /// The number of the table that this comes from, as [`TableHandle::store`](crate::TableHandle::store) gave it.
    pub generation: u64,
    /// One for each address of each port.
    pub sockets: Vec<Socket>,
    /// The certificates that cannot be used. None are, if the core was given the
    /// [check](gateway_core::table::CertificateCheck) of the same [`TlsOptions`](crate::serve::TlsOptions).
    pub certificates: Vec<CertificateProblem>,
}

/// One address of one port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Socket {
    /// The Gateway.
    pub gateway: ObjectName,
    /// What it is bound for.
    pub transport: Transport,
    /// The port, as the Gateway's listeners name it.
    pub port: u16,
    /// Where it is to be bound.
    pub address: SocketAddr,
    /// Where it is bound, or why it is not. It is tried again until it is.
    pub bound: Result<SocketAddr, BindError>,
}

/// Why a socket is not bound.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BindError {
    /// Whether the address or the port is to blame.
    pub cause: UnboundCause,
    /// What the operating system said.
    pub message: String,
}

// === impl Sockets ===

impl Sockets {
    /// Where this port of this Gateway is bound first for TCP.
    pub fn address(&self, gateway: &ObjectName, port: u16) -> Option<SocketAddr> {
        self.address_for(Transport::Tcp, gateway, port)
    }

    /// Where this port of this Gateway is bound first.
    pub fn address_for(&self, transport: Transport, gateway: &ObjectName, port: u16) -> Option<SocketAddr> {
        let is_it = |socket: &&Socket| {
            socket.gateway == *gateway && socket.transport == transport && socket.port == port
        };
        let mut here = self.sockets.iter().filter(is_it);
        here.find_map(|socket| socket.bound.as_ref().ok().copied())
    }

    /// What could not be bound, for those who write statuses.
    pub fn unbound(&self) -> Vec<Unbound> {
        let unbound = self.sockets.iter().filter_map(|socket| {
            let Socket { gateway, transport, port, address, bound } = socket;
            let BindError { cause, message } = bound.as_ref().err()?;
            Some(Unbound {
                gateway: gateway.clone(),
                transport: *transport,
                port: *port,
                address: address.ip(),
                cause: *cause,
                message: message.clone(),
            })
        });
        unbound.collect()
    }

    /// Whether every socket is bound and every certificate usable.
    pub fn all_good(&self) -> bool {
        self.certificates.is_empty() && self.sockets.iter().all(|socket| socket.bound.is_ok())
    }
}

// === impl BindError ===

impl BindError {
    /// Another port of the table has the same place.
    pub(in crate::serve) fn doubled() -> Self {
        Self { cause: UnboundCause::Port, message: "another port is bound there".to_owned() }
    }

    /// The Gateways of the namespace have as many ports as they may have.
    pub(in crate::serve) fn without_room() -> Self {
        let message =
            "so many ports are bound already, of this namespace and in all, that there is no room for it";
        Self { cause: UnboundCause::Port, message: message.to_owned() }
    }
}

impl From<PortOverflow> for BindError {
    fn from(error: PortOverflow) -> Self {
        Self { cause: UnboundCause::Port, message: error.to_string() }
    }
}

impl From<io::Error> for BindError {
    fn from(error: io::Error) -> Self {
        let cause = match error.kind() {
            io::ErrorKind::AddrNotAvailable => UnboundCause::Address,
            _ => UnboundCause::Port,
        };
        Self { cause, message: error.to_string() }
    }
}
