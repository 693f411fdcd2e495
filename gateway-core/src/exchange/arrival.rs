//! Where a request came in.

use super::forwarded::{Client, Trust};
use super::hop_by_hop::Upgrades;
use crate::name::ObjectName;

/// What must be known of a connection to decide about the requests that come in on it.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// The Gateway whose port it came to.
    pub gateway: &'a ObjectName,
    /// The port, as the Gateway's listeners name it; the socket may be bound to another.
    pub port: u16,
    /// The server name of the TLS handshake, where there was one.
    pub server_name: Option<&'a str>,
    /// The client.
    pub client: Client<'a>,
    /// Whose word about the client counts.
    pub trust: Trust,
    /// The protocols to which it may have its connection upgraded.
    pub upgrades: Upgrades,
}

// === impl Arrival ===

impl<'a> Arrival<'a> {
    /// A connection without TLS to this port of this Gateway, from nobody in particular. Set the other fields as known.
    pub fn new(gateway: &'a ObjectName, port: u16) -> Self {
        Self {
            gateway,
            port,
            server_name: None,
            client: Client::default(),
            trust: Trust::default(),
            upgrades: Upgrades::default(),
        }
    }
}
