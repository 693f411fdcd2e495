//! The peer of a connection: an endpoint, and how it is spoken to.

use std::hash::{Hash, Hasher};
use std::net::SocketAddr;
use std::sync::Arc;

use gateway_core::rule::BackendTls;
use gateway_core::table::Certificate;

#[cfg(feature = "client")]
use crate::client::Target;

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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TlsPeer {
    /// The server name, and by what the endpoint is known.
    pub(crate) tls: Arc<BackendTls>,
    /// What is shown to an endpoint that asks for a certificate.
    pub(crate) certificate: Option<Certificate>,
}

// === impl Peer ===

impl Peer {
    /// The endpoint that an attempt goes to.
    #[cfg(feature = "client")]
    pub(crate) fn from_target(target: Target<'_>) -> Self {
        let tls = |tls| TlsPeer { tls: Arc::clone(tls), certificate: target.certificate.cloned() };
        Self { address: target.endpoint.address(), tls: target.backend.tls.as_ref().map(tls) }
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

#[cfg(all(test, feature = "tls"))]
mod tests {
    use std::collections::BTreeSet;
    use std::hash::BuildHasher;

    use foldhash::fast::RandomState;
    use gateway_core::rule::{Authorities, Identity};
    use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};

    use super::*;

    /// What a tenant may write in any number, for one address and one name, must not be found one after the other.
    #[test]
    fn peers_that_have_a_name_in_common_are_told_apart_by_their_hash() {
        let identity = |name: &str| Identity::Hostname(name.into());
        let authority =
            |byte: u8| Authorities::Certificates([CertificateDer::from(vec![byte; 1_000])].into());
        let certificate = |byte: u8| {
            let chain = vec![CertificateDer::from(vec![byte; 1_000])];
            Certificate::new(chain, PrivatePkcs8KeyDer::from(vec![1]).into())
        };
        let peer = |identity, authorities, certificate| Peer {
            address: ([192, 0, 2, 1], 443).into(),
            tls: Some(TlsPeer {
                tls: Arc::new(BackendTls::new("shop.example", [identity], authorities)),
                certificate,
            }),
        };
        let by_identity =
            (0..100).map(|number| peer(identity(&format!("{number}.example")), authority(0), None));
        let by_authority = (1..100).map(|number| peer(identity("0.example"), authority(number), None));
        let by_certificate =
            (0..100).map(|number| peer(identity("0.example"), authority(0), Some(certificate(number))));
        let hasher = RandomState::default();
        let all: Vec<_> = by_identity.chain(by_authority).chain(by_certificate).collect();
        let hashes: BTreeSet<_> = all.iter().map(|peer| hasher.hash_one(peer)).collect();
        assert_eq!(hashes.len(), all.len());
        let again = peer(identity("7.example"), authority(0), None);
        assert!(all.contains(&again) && hashes.contains(&hasher.hash_one(&again)));
    }
}
