//! The verifier of the servers' certificates, for clients.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use crate::certificate::certificates;

/// Believes in signatures as everyone does, and in names too, but for two things: a wildcard may stand before a single label,
/// and a certificate that is trusted itself needs no signature of another.
///
/// The certificate of the HTTPS listeners is one for `*.org`. Browsers and rustls take no such certificate, for there is no
/// one who owns all of `org`; the clients of upstream do, and trust the very certificate of a backend.
#[derive(Debug)]
pub(super) struct Verifier {
    roots: Arc<RootCertStore>,
    trusted: Vec<CertificateDer<'static>>,
    algorithms: WebPkiSupportedAlgorithms,
}

// === impl Verifier ===

impl Verifier {
    /// # Errors
    /// When one of what is trusted is no certificate.
    pub(super) fn new(
        trusted: Vec<CertificateDer<'static>>,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        trusted.iter().try_for_each(|root| roots.add(root.clone()))?;
        Ok(Self { roots: Arc::new(roots), trusted, algorithms })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let parsed = ParsedCertificate::try_from(certificate)?;
        let algorithms = self.algorithms.all;
        if !self.trusted.contains(certificate) {
            verify_server_cert_signed_by_trust_anchor(&parsed, &self.roots, intermediates, now, algorithms)?;
        }
        let names = certificates().names(certificate).unwrap_or_default();
        if !names.iter().any(|name| is_for(name, &server_name.to_str())) {
            verify_server_name(&parsed, server_name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Whether a name in a certificate is that of a server; a wildcard stands for one label.
fn is_for(name: &str, server: &str) -> bool {
    let wildcard = name.strip_prefix("*.").is_some_and(|parent| {
        server.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(parent))
    });
    wildcard || name.eq_ignore_ascii_case(server)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_stands_for_one_label() {
        assert!(is_for("*.org", "example.org") && is_for("*.wildcard.org", "a.Wildcard.org"));
        assert!(!is_for("*.org", "a.example.org") && !is_for("*.org", "org"));
        assert!(is_for("abc.example.com", "abc.example.com") && !is_for("abc.example.com", "b.example.com"));
    }
}
