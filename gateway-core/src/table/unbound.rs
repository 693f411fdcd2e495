//! Ports of a table that a data plane could not bind.

use std::fmt;
use std::net::IpAddr;

use super::listener::Transport;
use crate::name::ObjectName;

/// A port of a Gateway that could not be bound at one of its addresses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unbound {
    /// The Gateway.
    pub gateway: ObjectName,
    /// The transport.
    pub transport: Transport,
    /// The port, as the Gateway's listeners name it.
    pub port: u16,
    /// The address.
    pub address: IpAddr,
    /// Whether the address or the port is to blame.
    pub cause: UnboundCause,
    /// What the operating system said.
    pub message: String,
}

/// What is to blame for a socket that could not be bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UnboundCause {
    /// The machine does not have the address.
    Address,
    /// The port is taken, or may not be used.
    Port,
}

// === impl Unbound ===

impl fmt::Display for Unbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { gateway, port, address, message, .. } = self;
        write!(f, "port {port} of Gateway {gateway} cannot be bound at {address}: {message}")
    }
}
