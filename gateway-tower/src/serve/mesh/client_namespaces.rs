//! The namespace of the client of a connection.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use crate::handle::TableHandle;

/// Tells in which namespace a client is. It is asked when a connection comes, and again whenever there is another table.
///
/// # Spec
/// [MSH-05](gateway_core::spec#MSH-05): a Route in another namespace than its Service is for the clients of its own.
pub trait ClientNamespaces: fmt::Debug + Send + Sync + 'static {
    /// The namespace of the workload with this address; nothing for one that is not known, which only Routes for all clients are
    /// for.
    fn namespace(&self, client: IpAddr) -> Option<Arc<str>>;
}

/// All clients are in one namespace: those of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneNamespace(pub Arc<str>);

/// Clients are where the table in use [has them](gateway_core::table::RouteTable::namespace_of): those that are behind a Service.
#[derive(Clone, Debug)]
pub struct NamespacesInTable(pub TableHandle);

// === impl OneNamespace ===

impl ClientNamespaces for OneNamespace {
    fn namespace(&self, _: IpAddr) -> Option<Arc<str>> {
        Some(Arc::clone(&self.0))
    }
}

// === impl NamespacesInTable ===

impl ClientNamespaces for NamespacesInTable {
    fn namespace(&self, client: IpAddr) -> Option<Arc<str>> {
        self.0.load().namespace_of(client).cloned()
    }
}
