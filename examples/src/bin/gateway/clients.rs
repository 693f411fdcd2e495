//! In which namespace a client of the mesh is.

use std::net::IpAddr;
use std::sync::Arc;

use gateway_kube::workloads::Workloads;
use gateway_tower::serve::{ClientNamespaces, NamespacesInTable};

/// Clients are Pods of a cluster, where there is one, and else what EndpointSlices have.
#[derive(Debug)]
pub(crate) struct Clients {
    pub(crate) workloads: Option<Workloads>,
    pub(crate) in_table: NamespacesInTable,
}

impl ClientNamespaces for Clients {
    fn namespace(&self, client: IpAddr) -> Option<Arc<str>> {
        let pod = self.workloads.as_ref().and_then(|workloads| workloads.namespace(client));
        pod.or_else(|| self.in_table.namespace(client))
    }
}
