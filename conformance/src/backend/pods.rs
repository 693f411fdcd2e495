//! The HTTP backends of a case, without a network: found by the address that they would have.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use super::{HttpBackend, Received};
use crate::cluster::RunningPod;

/// The HTTP backends, by every address that they have.
#[derive(Clone, Debug)]
pub struct HttpBackends(BTreeMap<SocketAddr, Arc<HttpBackend>>);

// === impl HttpBackends ===

impl HttpBackends {
    /// A backend for each pod; all count what they receive there.
    pub fn new(pods: &[RunningPod], received: &Received) -> Self {
        let mut backends = BTreeMap::new();
        for pod in pods {
            let backend = Arc::new(HttpBackend::new(pod.pod.clone(), received.clone()));
            backends.extend(pod.ports.values().map(|address| (*address, Arc::clone(&backend))));
        }
        Self(backends)
    }

    /// The backend at an address, if there is one.
    pub fn at(&self, address: SocketAddr) -> Option<&Arc<HttpBackend>> {
        self.0.get(&address)
    }
}
