//! TLS with a backend.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use rustls_pki_types::CertificateDer;

use crate::fingerprint::fingerprint;

/// How TLS is spoken with a backend, and by what its endpoints are known.
///
/// Two of them that are equal ask for the same; a data plane shares connections among those only.
///
/// ```
/// use gateway_core::rule::{Authorities, BackendTls, Identity};
///
/// let of = |hostname: &str| {
///     BackendTls::new(hostname, [Identity::Hostname(hostname.into())], Authorities::System)
/// };
/// assert_eq!(of("shop.example"), of("shop.example"));
/// assert_ne!(of("shop.example"), of("cart.example"));
/// ```
///
/// # Spec
/// `BackendTLSPolicy`, [BTP-01](crate::spec#BTP-01), [BTP-16](crate::spec#BTP-16) to [BTP-18](crate::spec#BTP-18).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackendTls {
    /// That of the others, which are long, and by which connections are found.
    fingerprint: u64,
    /// The server name that is asked for (SNI), whatever the certificate has to have.
    pub server_name: Box<str>,
    /// The names of which the certificate must have one; never empty.
    pub identities: Box<[Identity]>,
    /// Who must have signed it.
    pub authorities: Authorities,
}

/// A name that a certificate may have.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Identity {
    /// A DNS name. A wildcard stands for itself: only a certificate with the same wildcard has it.
    Hostname(Box<str>),
    /// A URI, such as `spiffe://example.com/shop`.
    Uri(Box<str>),
}

/// The certificate authorities that are trusted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Authorities {
    /// Those that the system trusts.
    System,
    /// These; at least one.
    Certificates(Arc<[CertificateDer<'static>]>),
}

// === impl BackendTls ===

impl BackendTls {
    /// TLS with this server name, and endpoints that are known by one of these names, which one of the authorities has signed.
    pub fn new(
        server_name: impl Into<Box<str>>,
        identities: impl Into<Box<[Identity]>>,
        authorities: Authorities,
    ) -> Self {
        let (server_name, identities) = (server_name.into(), identities.into());
        let fingerprint = fingerprint(&(&server_name, &identities, &authorities));
        Self { fingerprint, server_name, identities, authorities }
    }
}

impl Hash for BackendTls {
    /// All of it, in one word: a tenant may write many that have a name in common.
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.fingerprint);
    }
}
