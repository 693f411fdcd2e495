//! The arrival of a request: the connection that it came in on.

use super::forwarded::{Client, Trust};
use super::hop_by_hop::Upgrades;
use crate::name::ObjectName;
use crate::table::{FrontendId, FrontendOwner};

/// What must be known of a connection to decide about the requests that come in on it.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// The Gateway whose port it came to; in a mesh the Service that the client dialled, and the namespace of the client.
    pub owner: FrontendOwner<&'a ObjectName, &'a str>,
    /// The port, as the Gateway's listeners or the Service name it; the socket may be bound to another.
    pub port: u16,
    /// The frontend that takes what comes in there, for those who have [looked it up](crate::table::RouteTable::frontend_for) in
    /// the table that they ask, and keep it as long as they ask no other.
    pub frontend: Option<FrontendId>,
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
    /// A connection without TLS to this port of this Gateway, from no client in particular. Set the other fields as known.
    pub fn new(gateway: &'a ObjectName, port: u16) -> Self {
        Self::at(FrontendOwner::Gateway(gateway), port)
    }

    /// A connection without TLS from a client in this namespace to this port of a Service.
    ///
    /// Ask [`RouteTable::frontend_for`](crate::table::RouteTable::frontend_for) first whether any Route is for it: without one it
    /// is none of the table's business.
    ///
    /// # Spec
    /// [MSH-01](crate::spec#MSH-01), [MSH-02](crate::spec#MSH-02), [MSH-08](crate::spec#MSH-08).
    pub fn in_mesh(service: &'a ObjectName, client_namespace: &'a str, port: u16) -> Self {
        Self::at(FrontendOwner::ServiceFor(service, client_namespace), port)
    }

    /// The same, wherever it came to.
    pub fn at(owner: FrontendOwner<&'a ObjectName, &'a str>, port: u16) -> Self {
        Self {
            owner,
            port,
            frontend: None,
            server_name: None,
            client: Client::default(),
            trust: Trust::default(),
            upgrades: Upgrades::default(),
        }
    }
}
