//! The backends that a request can be sent to without a network.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use http::{HeaderValue, Request, header, request};

use crate::backend::{HttpBackend, Received};
use crate::cluster::RunningPod;
use crate::engine::Sent;

/// The HTTP backends, by every address that they have.
#[derive(Clone, Debug)]
pub(super) struct Backends(BTreeMap<SocketAddr, Arc<HttpBackend>>);

// === impl Backends ===

impl Backends {
    pub(super) fn new(pods: &[RunningPod], received: &Received) -> Self {
        let mut backends = BTreeMap::new();
        for pod in pods {
            let backend = Arc::new(HttpBackend::new(pod.pod.clone(), received.clone()));
            backends.extend(pod.ports.values().map(|address| (*address, Arc::clone(&backend))));
        }
        Self(backends)
    }

    /// The backend at an address, if there is one.
    pub(super) fn at(&self, address: SocketAddr) -> Option<&HttpBackend> {
        self.0.get(&address).map(Arc::as_ref)
    }
}

/// The head of a request as the backend gets it: its host is in the Host header.
pub(super) fn head(sent: &Sent) -> request::Parts {
    let mut request = Request::builder().method(sent.method.as_str()).uri(sent.target.as_str());
    for (name, lines) in &sent.headers {
        for line in lines {
            request = request.header(name, line);
        }
    }
    // What was decided about was a request, and still is one.
    let (mut head, ()) = request.body(()).unwrap_or_default().into_parts();
    if let Some(host) = sent.authority.as_ref().and_then(|authority| HeaderValue::from_str(authority).ok()) {
        head.headers.insert(header::HOST, host);
    }
    head
}
