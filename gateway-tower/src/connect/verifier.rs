//! The verifier of backends: the signers and the names of their certificates.

use std::sync::Arc;

use gateway_core::rule::Identity;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use webpki::EndEntityCert;

/// How many names of a certificate are told: it may have thousands.
const MOST_NAMES: usize = 8;

/// Checks the certificate of a backend as rustls does, but for the names: any of several does, whatever the server name is
/// that was asked for.
///
/// # Spec
/// BTP-12, BTP-17 to BTP-19.
#[derive(Debug)]
pub(super) struct Verifier {
    pub(super) identities: Box<[Identity]>,
    pub(super) roots: Arc<RootCertStore>,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
}

/// Whether a certificate has this name.
fn has(certificate: &CertificateDer<'_>, parsed: &ParsedCertificate<'_>, name: &Identity) -> bool {
    let names = |found: &dyn Fn(&EndEntityCert<'_>) -> bool| {
        EndEntityCert::try_from(certificate).is_ok_and(|certificate| found(&certificate))
    };
    match name {
        // BTP-18: a wildcard is the name of no host.
        Identity::Hostname(name) if name.starts_with("*.") => names(&|certificate| {
            certificate.valid_dns_names().any(|written| written.eq_ignore_ascii_case(name))
        }),
        Identity::Hostname(name) => {
            ServerName::try_from(&**name).is_ok_and(|name| verify_server_name(parsed, &name).is_ok())
        }
        Identity::Uri(name) => {
            names(&|certificate| certificate.valid_uri_names().any(|written| *written == **name))
        }
    }
}

// === impl Verifier ===

impl Verifier {
    /// The error for a certificate that has none of the names: with one that it should have, and those that it has.
    fn other_name(&self, certificate: &CertificateDer<'_>) -> CertificateError {
        let expected = self.identities.iter().find_map(|name| match name {
            Identity::Hostname(name) => ServerName::try_from(&**name).ok(),
            Identity::Uri(_) => None,
        });
        let Some(expected) = expected else { return CertificateError::NotValidForName };
        let presented = EndEntityCert::try_from(certificate).map(|certificate| {
            let names = certificate.valid_dns_names().chain(certificate.valid_uri_names());
            names.take(MOST_NAMES).map(str::to_owned).collect()
        });
        let presented = presented.unwrap_or_default();
        CertificateError::NotValidForNameContext { expected: expected.to_owned(), presented }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let parsed = ParsedCertificate::try_from(end_entity)?;
        let (roots, algorithms) = (&self.roots, self.algorithms.all);
        verify_server_cert_signed_by_trust_anchor(&parsed, roots, intermediates, now, algorithms)?;
        match self.identities.iter().any(|name| has(end_entity, &parsed, name)) {
            true => Ok(ServerCertVerified::assertion()),
            false => Err(self.other_name(end_entity).into()),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_the_certificate_of_another_has_its_names_and_the_one_that_was_wanted() {
        let signed =
            rcgen::generate_simple_self_signed(["a.example".to_owned(), "b.example".to_owned()]).unwrap();
        let said = |wanted: &[&str]| {
            let identities = wanted.iter().map(|name| match name.split_once(':') {
                Some(_) => Identity::Uri((*name).into()),
                None => Identity::Hostname((*name).into()),
            });
            let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
            let roots = Arc::new(RootCertStore::empty());
            Verifier { identities: identities.collect(), roots, algorithms }
                .other_name(signed.cert.der())
                .to_string()
        };
        let expected = "certificate not valid for name \"shop.example\"; certificate is only valid for a.example or b.example";
        assert_eq!(said(&["shop.example", "cart.example"]), expected);
        assert_eq!(said(&["spiffe://a.example/shop"]), "NotValidForName");
    }
}
