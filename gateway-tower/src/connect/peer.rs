//! What connections are made with.

use std::hash::{Hash, Hasher};
use std::net::SocketAddr;
use std::sync::Arc;

use gateway_core::rule::BackendTls;
use gateway_core::table::Certificate;

use crate::client::UpstreamTarget;

/// An endpoint, and how it is spoken to. What is sent over a connection is for an equal one: one that was checked in one way
/// is never used where another check is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Peer {
    /// The address.
    pub(crate) address: SocketAddr,
    /// How TLS is spoken; not at all without it.
    pub(crate) tls: Option<TlsPeer>,
}

/// How TLS is spoken with an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TlsPeer {
    /// The server name, and by what the endpoint is known.
    pub(crate) tls: Arc<BackendTls>,
    /// What is shown to an endpoint that asks for a certificate.
    pub(crate) certificate: Option<Certificate>,
}

// === impl Peer ===

impl Peer {
    /// The endpoint that an attempt goes to.
    #[cfg_attr(not(feature = "client"), allow(dead_code, reason = "the client uses it"))]
    pub(crate) fn of(target: &UpstreamTarget) -> Self {
        let tls = |tls| TlsPeer { tls: Arc::clone(tls), certificate: target.client_certificate().cloned() };
        let (endpoint, backend) = target.endpoint_and_backend();
        Self { address: endpoint.address(), tls: backend.tls.as_ref().map(tls) }
    }
}

impl Hash for Peer {
    /// In few words, since each request looks its endpoint up twice.
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self.address {
            SocketAddr::V4(address) => {
                state.write_u64(u64::from(address.ip().to_bits()) << 16 | u64::from(address.port()));
            }
            SocketAddr::V6(address) => {
                state.write_u128(address.ip().to_bits());
                state.write_u16(address.port());
            }
        }
        if let Some(tls) = &self.tls {
            tls.hash(state);
        }
    }
}

impl From<SocketAddr> for Peer {
    /// Without TLS.
    fn from(address: SocketAddr) -> Self {
        Self { address, tls: None }
    }
}

// === impl TlsPeer ===

impl Hash for TlsPeer {
    /// The name alone: most that differ differ in it, and certificates are long.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.tls.server_name.hash(state);
    }
}
