//! How TLS is spoken with a backend.

use std::sync::Arc;

use rustls_pki_types::CertificateDer;

/// How TLS is spoken with a backend, and by what its endpoints are known.
///
/// Two of them that are equal ask for the same; a data plane shares connections among those only.
///
/// ```
/// use gateway_core::rule::{Authorities, BackendTls, Identity};
///
/// let of = |hostname: &str| BackendTls {
///     server_name: hostname.into(),
///     identities: [Identity::Hostname(hostname.into())].into(),
///     authorities: Authorities::System,
/// };
/// assert_eq!(of("shop.example"), of("shop.example"));
/// assert_ne!(of("shop.example"), of("cart.example"));
/// ```
///
/// # Spec
/// `BackendTLSPolicy`, [BTP-01](crate::spec#BTP-01), [BTP-16](crate::spec#BTP-16) to [BTP-18](crate::spec#BTP-18).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BackendTls {
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
