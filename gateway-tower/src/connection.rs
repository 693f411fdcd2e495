//! The connection that a request came in on.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use gateway_core::exchange::forwarded::{self, Client};
use gateway_core::name::ObjectName;
use gateway_core::table::FrontendOwner;
use http::HeaderValue;

use crate::handle::Shard;

/// What is known about a client's connection.
///
/// A server makes one for each connection and gives it to its gateway or puts it, as
/// `Arc<Connection>`, into the extensions of the requests. An embedding that has no listeners of its own makes one that
/// says for which port of which Gateway, or in a mesh of which Service, it stands.
#[derive(Debug)]
pub struct Connection {
    /// The Gateway whose port it came to; in a mesh the Service that the client dialled, and the namespace of the client.
    pub owner: FrontendOwner,
    /// The port, as the Gateway's listeners or the Service name it; the socket may be bound to another.
    pub port: u16,
    /// The server name of the TLS handshake, where there was one.
    pub server_name: Option<Arc<str>>,
    /// Whether it is within TLS that ended here.
    pub secure: bool,
    /// Whether it carries several requests at once, as HTTP/2 does: an answer is read in smaller pieces then.
    pub multiplexed: bool,
    /// The address of the client.
    pub peer: Option<SocketAddr>,
    /// The address that the client connected to; in a mesh the one that it dialled, wherever that led.
    pub local: Option<SocketAddr>,
    /// Where its requests count themselves.
    pub(crate) shard: Shard,
    /// The client's address as backends are told it, written once.
    forwarded_for: OnceLock<HeaderValue>,
}

// === impl Connection ===

impl Connection {
    /// A connection without TLS to this port of this Gateway, from no client in particular. Set the other fields as known.
    pub fn new(gateway: ObjectName, port: u16) -> Self {
        Self::at(FrontendOwner::Gateway(gateway), port)
    }

    /// A connection without TLS from a client in this namespace to this port of a Service. Set the other fields as known.
    ///
    /// # Spec
    /// [MSH-01](gateway_core::spec#MSH-01), [MSH-05](gateway_core::spec#MSH-05), [MSH-06](gateway_core::spec#MSH-06).
    pub fn in_mesh(service: ObjectName, client_namespace: Arc<str>, port: u16) -> Self {
        Self::at(FrontendOwner::ServiceFor(service, client_namespace), port)
    }

    fn at(owner: FrontendOwner, port: u16) -> Self {
        Self {
            owner,
            port,
            server_name: None,
            secure: false,
            multiplexed: false,
            peer: None,
            local: None,
            shard: Shard::next(),
            forwarded_for: OnceLock::new(),
        }
    }

    /// What backends are told about the client.
    pub(crate) fn client(&self) -> Client<'_> {
        let address = self.peer.map(|peer| self.forwarded_for.get_or_init(|| forwarded::address(peer.ip())));
        Client { address, secure: self.secure }
    }
}
