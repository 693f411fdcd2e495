//! What TLS with backends needs that the program must choose.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, RootCertStore};

/// The cryptography of TLS with backends, and the certificate authorities that a BackendTLSPolicy means by `System`.
///
/// ```
/// use std::sync::Arc;
/// use gateway_tower::client::BackendTlsOptions;
/// use gateway_tower::upstream::UpstreamOptions;
/// use rustls::crypto::ring;
///
/// let tls = BackendTlsOptions::new(Arc::new(ring::default_provider()))?;
/// let options = UpstreamOptions { tls: Some(tls), ..UpstreamOptions::default() };
/// # assert!(options.tls.is_some());
/// # Ok::<(), rustls::Error>(())
/// ```
///
/// # Spec
/// BTP-15
#[derive(Clone)]
pub struct BackendTlsOptions {
    provider: Arc<CryptoProvider>,
    system: Arc<RootCertStore>,
}

// === impl BackendTlsOptions ===

impl BackendTlsOptions {
    /// TLS by this provider, in the versions that rustls takes for safe. The authorities of the system are read now, once.
    ///
    /// # Errors
    /// When the provider has no cipher suite for one of the versions.
    pub fn new(provider: Arc<CryptoProvider>) -> Result<Self, rustls::Error> {
        ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::warn!(%error, "some certificate authorities of the system cannot be read");
        }
        let mut system = RootCertStore::empty();
        system.add_parsable_certificates(found.certs);
        Ok(Self { provider, system: Arc::new(system) })
    }

    /// The same, with these in the place of the authorities of the system.
    pub fn with_system_authorities(self, system: Arc<RootCertStore>) -> Self {
        Self { system, ..self }
    }

    #[cfg_attr(not(any(feature = "client", feature = "server")), allow(dead_code, reason = "both use it"))]
    pub(crate) fn provider(&self) -> &Arc<CryptoProvider> {
        &self.provider
    }

    #[cfg_attr(not(any(feature = "client", feature = "server")), allow(dead_code, reason = "both use it"))]
    pub(crate) fn system(&self) -> Arc<RootCertStore> {
        Arc::clone(&self.system)
    }
}

impl fmt::Debug for BackendTlsOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackendTlsOptions").field("system", &self.system.len()).finish_non_exhaustive()
    }
}
