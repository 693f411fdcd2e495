//! The certificates of one listener, ready for handshakes.

use std::sync::Arc;

use gateway_core::hostname::{Host, Hostname};
use gateway_core::table::{Certificate, CertificateCheck};
use rustls::InconsistentKeys;
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::CertificateDer;

use super::tls_options::TlsOptions;

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum CertificateError {
    #[error("the chain holds no certificate")]
    NoCertificate,
    #[error(
        "the private key is not that of the first certificate of the chain; put the two that belong together into it, \
         that of the server first"
    )]
    OtherKey,
    #[error("the private key cannot be used: {0}")]
    Key(rustls::Error),
    #[error("the first certificate of the chain is not X.509: {0}")]
    X509(webpki::Error),
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
    /// Reads them all. One that cannot be used costs itself: it is told with its position, and the others serve.
    pub(super) fn read(
        certificates: &[Certificate],
        provider: &CryptoProvider,
    ) -> (Self, Vec<(usize, CertificateError)>) {
        let (mut good, mut bad) = (Vec::with_capacity(certificates.len()), Vec::new());
        for (position, certificate) in certificates.iter().enumerate() {
            match Candidate::read(certificate, provider) {
                Ok(candidate) => good.push(candidate),
                Err(error) => bad.push((position, error)),
            }
        }
        (Self(good), bad)
    }

    /// Whether no handshake can be made with them.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The certificate for a handshake: of those whose key the client can check, the one with the name that matches the
    /// server name best; else the first.
    ///
    /// # Spec
    /// GWT-10
    fn best(&self, server_name: Option<&str>, usable: impl Fn(&CertifiedKey) -> bool) -> Option<&Candidate> {
        let host = server_name.and_then(|name| Host::from_name(name).ok());
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
    fn read(certificate: &Certificate, provider: &CryptoProvider) -> Result<Self, CertificateError> {
        let names = Self::names(certificate)?;
        let (chain, key) = (certificate.chain().to_vec(), certificate.key().clone_key());
        let key = CertifiedKey::from_der(chain, key, provider).map_err(|error| match error {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => CertificateError::OtherKey,
            error => CertificateError::Key(error),
        })?;
        Ok(Self { names, key: Arc::new(key) })
    }

    /// The names that a certificate is for.
    fn names(certificate: &Certificate) -> Result<Vec<Hostname>, CertificateError> {
        let end_entity = certificate.chain().first().ok_or(CertificateError::NoCertificate)?;
        let end_entity = webpki::EndEntityCert::try_from(end_entity).map_err(CertificateError::X509)?;
        let names = end_entity.valid_dns_names();
        Ok(names.filter_map(|name| name.to_ascii_lowercase().parse().ok()).collect())
    }
}

// === impl TlsOptions ===

/// Reads the certificate as the server does.
impl CertificateCheck for TlsOptions {
    fn check(&self, certificate: &Certificate) -> Result<(), String> {
        Candidate::read(certificate, &self.provider).map(drop).map_err(|error| error.to_string())
    }

    fn names(&self, certificate: &Certificate) -> Option<Vec<Hostname>> {
        Candidate::names(certificate).ok()
    }

    fn check_authority(&self, certificate: &CertificateDer<'_>) -> Result<(), String> {
        let anchor = webpki::anchor_from_trusted_cert(certificate);
        anchor.map(drop).map_err(|error| format!("a certificate of the authority is not X.509: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::crypto::ring::default_provider;
    use rustls_pki_types::PrivatePkcs8KeyDer;

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
        let (certificates, bad) = Certificates::read(&certificates, &default_provider());
        assert!(bad.is_empty(), "{bad:?}");
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

    // GWT-09
    #[test]
    fn a_certificate_that_cannot_be_used_is_named_and_costs_itself() {
        let [good, other] = [(); 2].map(|()| certificate(&["a.example"]));
        let with = |chain: &[&[u8]], key: &Certificate| {
            let chain = chain.iter().map(|der| der.to_vec().into()).collect();
            Certificate::new(chain, key.key().clone_key())
        };
        let curve = {
            let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
            Certificate::new(good.chain().to_vec(), PrivatePkcs8KeyDer::from(key.serialize_der()).into())
        };
        let options = TlsOptions::new(Arc::new(default_provider())).unwrap();
        for (name, bad, expected) in [
            ("no chain", with(&[], &good), "the chain holds no certificate"),
            ("swapped", with(&[&good.chain()[0]], &other), "the private key is not that of the first"),
            ("another curve", curve, "the private key is not that of the first"),
            (
                "the issuer first",
                with(&[&other.chain()[0], &good.chain()[0]], &good),
                "the private key is not that of the first certificate",
            ),
            ("no X.509", with(&[&[0x30, 0]], &good), "the first certificate of the chain is not X.509"),
            (
                "no key",
                Certificate::new(good.chain().to_vec(), PrivatePkcs8KeyDer::from(vec![0x30, 0]).into()),
                "the private key cannot be used: ",
            ),
        ] {
            let (certificates, problems) =
                Certificates::read(&[good.clone(), bad.clone(), good.clone()], &default_provider());
            assert_eq!(certificates.0.len(), 2, "{name}");
            let [(1, error)] = &problems[..] else { panic!("{name}: {problems:?}") };
            assert!(error.to_string().starts_with(expected), "{name}: {error}");
            // What the statuses say is what is served.
            assert_eq!(options.check(&bad), Err(error.to_string()), "{name}");
        }
        assert_eq!(options.check(&good), Ok(()));
    }
}
