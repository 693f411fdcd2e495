//! Certificate authorities, and certificates that they sign.

use gateway_core::rule::{Authorities, BackendTls, Identity};
use gateway_core::table::Certificate;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SanType};
use rustls_pki_types::CertificateDer;

/// A certificate authority.
pub(crate) struct Authority {
    pub(crate) certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate").into();
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    /// A certificate with these names; those with a scheme are URIs.
    pub(crate) fn sign(&self, names: &[&str]) -> Certificate {
        let mut params = CertificateParams::default();
        params.subject_alt_names = names
            .iter()
            .map(|name| match name.contains("://") {
                true => SanType::URI((*name).try_into().expect("a URI")),
                false => SanType::DnsName((*name).try_into().expect("a name")),
            })
            .collect();
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Certificate::new(vec![certificate.into()], key.into())
    }

    /// TLS with a backend that is known by this authority, and by one of these names.
    pub(crate) fn tls(&self, server_name: &str, identities: &[&str]) -> BackendTls {
        let identity = |name: &&str| match name.contains("://") {
            true => Identity::Uri((*name).into()),
            false => Identity::Hostname((*name).into()),
        };
        let identities: Box<[_]> = identities.iter().map(identity).collect();
        let authorities = Authorities::Certificates([self.certificate.clone()].into());
        BackendTls::new(server_name, identities, authorities)
    }
}
