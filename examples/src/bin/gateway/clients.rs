//! The namespaces of clients of the mesh.

use std::net::IpAddr;
use std::sync::Arc;

use gateway_kube::workloads::Workloads;
use gateway_tower::serve::{ClientNamespaces, NamespacesInTable};

/// Clients are Pods of a cluster, where those can be read, and else what EndpointSlices have.
#[derive(Debug)]
pub(crate) struct Clients {
    pub(crate) workloads: Option<Workloads>,
    pub(crate) in_table: NamespacesInTable,
}

impl ClientNamespaces for Clients {
    fn namespace(&self, client: IpAddr) -> Option<Arc<str>> {
        match &self.workloads {
            // An EndpointSlice that names another's address must not make its client one of the own namespace.
            Some(workloads) if workloads.are_known() => workloads.namespace(client),
            Some(workloads) => workloads.namespace(client).or_else(|| self.in_table.namespace(client)),
            None => self.in_table.namespace(client),
        }
    }
}
