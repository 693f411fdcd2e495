//! The backends of a case, without a network: found by the address that they would have.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use super::{HttpBackend, Received};
use crate::case::{Case, Deployment, Speaks};
use crate::cluster::{RunningPod, deployments};
use crate::exchange::Pod;

/// The backends, by every address that they have.
#[derive(Clone, Debug, Default)]
pub struct VirtualBackends(BTreeMap<SocketAddr, BackendPort>);

/// A port of a pod.
#[derive(Clone, Debug)]
pub struct BackendPort {
    /// What answers there, if HTTP is spoken; what counts the requests in any case.
    pub http: Arc<HttpBackend>,
    /// The number of the container's port.
    pub number: u16,
    /// The Deployment of the pod.
    pub deployment: Arc<Deployment>,
}

// === impl VirtualBackends ===

impl VirtualBackends {
    /// The backends of a case at the addresses of these pods; all count what they receive there.
    pub fn new(case: &Case, pods: &[RunningPod], received: &Received) -> Self {
        let mut backends = BTreeMap::new();
        for deployment in deployments(case).filter(|it| it.speaks != Speaks::Nothing) {
            let key = &deployment.name.0;
            let is_its = |pod: &Pod| *pod.namespace == *key.namespace && *pod.deployment() == *key.name;
            let shared = Arc::new(deployment.clone());
            for pod in pods.iter().filter(|pod| is_its(&pod.pod)) {
                let http = Arc::new(HttpBackend::new(pod.pod.clone(), received.clone()));
                backends.extend(pod.ports.iter().map(|(number, address)| {
                    let (http, deployment) = (Arc::clone(&http), Arc::clone(&shared));
                    (*address, BackendPort { http, number: *number, deployment })
                }));
            }
        }
        Self(backends)
    }

    /// What is at an address, if anything is.
    pub fn at(&self, address: SocketAddr) -> Option<&BackendPort> {
        self.0.get(&address)
    }
}

// === impl BackendPort ===

impl BackendPort {
    /// Who answers.
    pub fn pod(&self) -> &Pod {
        self.http.pod()
    }

    /// What is spoken there.
    pub fn speaks(&self) -> Speaks {
        self.deployment.speaks
    }

    /// Whether it is spoken within TLS.
    pub fn is_tls(&self) -> bool {
        match self.speaks() {
            Speaks::Http | Speaks::Grpc | Speaks::Tcp => self.number == 8443,
            Speaks::Udp | Speaks::Bytes | Speaks::Nothing | Speaks::Mesh => false,
        }
    }

    /// Whether HTTP is spoken there, and no gRPC.
    pub fn is_http(&self) -> bool {
        match self.speaks() {
            Speaks::Http => true,
            Speaks::Mesh => self.number == 8080,
            // Bytes are for engines with a wire.
            Speaks::Grpc | Speaks::Tcp | Speaks::Udp | Speaks::Bytes | Speaks::Nothing => false,
        }
    }

    /// Whether gRPC is spoken there.
    pub fn is_grpc(&self) -> bool {
        match self.speaks() {
            Speaks::Grpc => true,
            Speaks::Mesh => self.number == 7070,
            Speaks::Http | Speaks::Tcp | Speaks::Udp | Speaks::Bytes | Speaks::Nothing => false,
        }
    }
}
