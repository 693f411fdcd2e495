//! The options of TLS with backends, which the program must choose.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, DEFAULT_VERSIONS, RootCertStore, SupportedProtocolVersion};

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
/// [BTP-15](gateway_core::spec#BTP-15)
#[derive(Clone)]
pub struct BackendTlsOptions {
    provider: Arc<CryptoProvider>,
    system: Arc<RootCertStore>,
    versions: Arc<[&'static SupportedProtocolVersion]>,
}

// === impl BackendTlsOptions ===

impl BackendTlsOptions {
    /// TLS by this provider, in the versions that rustls takes for safe: 1.2 and 1.3. The authorities of the system are read now, once.
    ///
    /// # Errors
    /// When the provider has no cipher suite for one of the versions.
    pub fn new(provider: Arc<CryptoProvider>) -> Result<Self, rustls::Error> {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::warn!(%error, "some certificate authorities of the system cannot be read");
        }
        let mut system = RootCertStore::empty();
        system.add_parsable_certificates(found.certs);
        Self { provider, system: Arc::new(system), versions: [].into() }.with_versions(DEFAULT_VERSIONS)
    }

    /// The same in these versions.
    ///
    /// # Errors
    /// When the provider has a cipher suite for none of them.
    pub fn with_versions(
        self,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Result<Self, rustls::Error> {
        ClientConfig::builder_with_provider(Arc::clone(&self.provider)).with_protocol_versions(versions)?;
        Ok(Self { versions: versions.into(), ..self })
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
    pub(crate) fn versions(&self) -> &[&'static SupportedProtocolVersion] {
        &self.versions
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
