//! Certificates that listeners show, parsed once and carried as what they are.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::fingerprint::fingerprint;
use crate::hostname::Hostname;
use crate::name::ObjectName;

/// A certificate chain and its private key. A clone costs a pointer.
///
/// Whether key and certificate belong together is for the TLS library to say, see [`CertificateCheck`].
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    content: Arc<Content>,
    secret: Option<Arc<ObjectName>>,
}

#[derive(PartialEq, Eq)]
struct Content {
    /// That of the chain, which is long.
    fingerprint: u64,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// Says whether a data plane can serve with a certificate, by asking the TLS library that it serves with.
///
/// Whatever that library would refuse, a key of another certificate or of an unknown kind, is so found out once, when
/// the certificate is read, and is said in the statuses of those that refer to it.
pub trait CertificateCheck: fmt::Debug + Send + Sync {
    /// Whether handshakes can be made with the certificate.
    ///
    /// # Errors
    /// Why not, as what follows on "cannot be used:".
    fn check(&self, certificate: &Certificate) -> Result<(), String>;

    /// The names that the certificate is for, unless they cannot be told. Unless it says otherwise, they cannot.
    fn names(&self, _certificate: &Certificate) -> Option<Vec<Hostname>> {
        None
    }

    /// Whether other certificates can be checked by this one, of an authority. Unless it says otherwise, by any.
    ///
    /// # Errors
    /// Why not, as what follows on "cannot be used:".
    fn check_authority(&self, _certificate: &CertificateDer<'_>) -> Result<(), String> {
        Ok(())
    }
}

/// Why a text is no certificate with its key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The chain is not PEM.
    #[error("the chain is not PEM: {0}; write all of it, from the line -----BEGIN CERTIFICATE----- on")]
    Chain(pem::Error),
    /// There is no certificate in the chain.
    #[error("the chain holds no certificate")]
    NoCertificate,
    /// The key is not PEM, or there is none.
    #[error("the key is not PEM: {0}; write all of it, from the line -----BEGIN PRIVATE KEY----- on")]
    Key(pem::Error),
}

// === impl Certificate ===

impl Certificate {
    /// The certificate with this chain, the end entity first, and its private key.
    pub fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Self {
        let fingerprint = fingerprint(&chain);
        Self { content: Arc::new(Content { fingerprint, chain, key }), secret: None }
    }

    /// The same certificate, which was read from this Secret.
    pub fn read_from(self, secret: ObjectName) -> Self {
        Self { secret: Some(Arc::new(secret)), ..self }
    }

    /// The certificate in these two texts, as a Secret of type `kubernetes.io/tls` has them.
    ///
    /// # Errors
    /// When one of them is not PEM, or holds nothing of what it should.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, CertificateError> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<_, _>>()
            .map_err(CertificateError::Chain)?;
        if chain.is_empty() {
            return Err(CertificateError::NoCertificate);
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(CertificateError::Key)?;
        Ok(Self::new(chain, key))
    }

    /// The chain, the end entity first.
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.content.chain
    }

    /// The Secret that it was read from, if it was.
    pub fn secret(&self) -> Option<&ObjectName> {
        self.secret.as_deref()
    }

    /// The private key.
    pub fn key(&self) -> &PrivateKeyDer<'static> {
        &self.content.key
    }
}

impl Hash for Certificate {
    /// The chain, in one word.
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.content.fingerprint);
    }
}

impl fmt::Debug for Certificate {
    /// Leaves the key out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("chain", &format_args!("{} certificates", self.chain().len()))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_holds_no_certificate_or_no_key_is_told() {
        let signed = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
        let (chain, key) = (signed.cert.pem(), signed.signing_key.serialize_pem());
        let read = Certificate::from_pem(chain.as_bytes(), key.as_bytes()).unwrap();
        assert_eq!(read.chain(), [signed.cert.der().clone()]);
        for (chain, key, expected) in [
            ("", &*key, "the chain holds no certificate"),
            ("-----BEGIN CERTIFICATE-----\n", &key, "the chain is not PEM"),
            (&chain, "", "the key is not PEM"),
        ] {
            let error = Certificate::from_pem(chain.as_bytes(), key.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
