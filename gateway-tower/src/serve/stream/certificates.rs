//! The certificates of one listener, ready for handshakes.

use std::sync::Arc;

use gateway_core::hostname::{Host, Hostname};
use gateway_core::table::Certificate;
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum CertificateError {
    #[error("certificate {0}: the chain holds no certificate")]
    NoCertificate(usize),
    #[error("certificate {0}: {1}")]
    Pair(usize, rustls::Error),
    #[error("certificate {0}: not an X.509 certificate: {1}")]
    X509(usize, webpki::Error),
    #[error("the listener has no certificate")]
    None,
}

/// The certificates of one listener.
#[derive(Debug)]
pub(super) struct Certificates(Vec<Candidate>);

#[derive(Debug)]
struct Candidate {
    names: Vec<Hostname>,
    key: Arc<CertifiedKey>,
}

// === impl Certificates ===

impl Certificates {
    /// Reads them all; one that cannot be read spoils the listener, which otherwise would serve some names with the
    /// certificate of others.
    pub(super) fn read(
        certificates: &[Certificate],
        provider: &CryptoProvider,
    ) -> Result<Self, CertificateError> {
        if certificates.is_empty() {
            return Err(CertificateError::None);
        }
        let numbered = certificates.iter().enumerate();
        numbered
            .map(|(i, certificate)| Candidate::read(i, certificate, provider))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The certificate for a handshake: of those whose key the client can check, the one with the name that matches the
    /// server name best; else the first.
    ///
    /// # Spec
    /// GWT-10
    fn best(&self, server_name: Option<&str>, usable: impl Fn(&CertifiedKey) -> bool) -> Option<&Candidate> {
        let host = server_name.and_then(|name| Host::of_name(name).ok());
        let specificity = |candidate: &Candidate| {
            let host = host.as_ref()?;
            candidate.names.iter().filter(|name| name.matches(host)).map(Hostname::specificity).max()
        };
        // Of several that are equally good, the first: `max_by_key` would take the last.
        let usable = self.0.iter().rev().filter(|candidate| usable(&candidate.key));
        usable.max_by_key(|candidate| specificity(candidate))
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let schemes = hello.signature_schemes();
        let best = self.best(hello.server_name(), |key| key.key.choose_scheme(schemes).is_some());
        best.map(|candidate| Arc::clone(&candidate.key))
    }
}

// === impl Candidate ===

impl Candidate {
    fn read(
        i: usize,
        certificate: &Certificate,
        provider: &CryptoProvider,
    ) -> Result<Self, CertificateError> {
        let end_entity = certificate.chain().first().ok_or(CertificateError::NoCertificate(i))?;
        let names = webpki::EndEntityCert::try_from(end_entity)
            .map_err(|error| CertificateError::X509(i, error))?
            .valid_dns_names()
            .filter_map(|name| name.to_ascii_lowercase().parse().ok())
            .collect();
        let (chain, key) = (certificate.chain().to_vec(), certificate.key().clone_key());
        let key =
            CertifiedKey::from_der(chain, key, provider).map_err(|error| CertificateError::Pair(i, error))?;
        Ok(Self { names, key: Arc::new(key) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::crypto::ring::default_provider;

    fn certificate(names: &[&str]) -> Certificate {
        let names: Vec<String> = names.iter().map(|name| name.to_string()).collect();
        let signed = rcgen::generate_simple_self_signed(names).unwrap();
        Certificate::new(vec![signed.cert.into()], signed.signing_key.into())
    }

    // GWT-10
    #[test]
    fn the_certificate_with_the_longest_matching_name_is_served() {
        let certificates =
            [&["*.example.com"][..], &["a.example.com", "b.example.com"], &["*.a.example.com"]]
                .map(certificate);
        let certificates = Certificates::read(&certificates, &default_provider()).unwrap();
        for (server_name, expected) in [
            (Some("a.example.com"), 1),
            (Some("B.example.com"), 1),
            (Some("c.example.com"), 0),
            (Some("x.a.example.com"), 2),
            (Some("example.org"), 0),
            (None, 0),
        ] {
            let best = certificates.best(server_name, |_| true).unwrap();
            assert!(std::ptr::eq(best, &certificates.0[expected]), "{server_name:?}");
        }
        assert!(certificates.best(None, |_| false).is_none());
    }

    #[test]
    fn a_certificate_that_cannot_be_used_is_named() {
        let good = certificate(&["a.example"]);
        let other = certificate(&["a.example"]);
        let with = |chain: &[&[u8]], key: &Certificate| {
            let chain = chain.iter().map(|der| der.to_vec().into()).collect();
            Certificate::new(chain, key.key().clone_key())
        };
        for (bad, expected) in [
            (with(&[], &good), "certificate 1: the chain holds no certificate"),
            (with(&[&good.chain()[0]], &other), "certificate 1: "),
            (with(&[&[0; 3]], &good), "certificate 1: not an X.509"),
        ] {
            let error =
                Certificates::read(&[good.clone(), bad], &default_provider()).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
        assert!(matches!(Certificates::read(&[], &default_provider()), Err(CertificateError::None)));
    }
}
