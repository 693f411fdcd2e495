//! The certificate that proxies show to clients, made anew each time.

use std::sync::Arc;

use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

/// The host that requests are for.
pub(crate) const HOST: &str = "beside.example";

/// A certificate that clients trust.
pub(crate) struct Certificate {
    /// Both as PEM.
    pub(crate) chain: String,
    pub(crate) key: String,
    connector: TlsConnector,
}

// === impl Certificate ===

impl Certificate {
    pub(crate) fn new() -> Self {
        let made = rcgen::generate_simple_self_signed([HOST.to_owned()]).expect("a hostname");
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).expect("a certificate that was just made");
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has all of them");
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let connector = TlsConnector::from(Arc::new(config));
        Self { chain: made.cert.pem(), key: made.signing_key.serialize_pem(), connector }
    }

    /// Connects clients, with HTTP/2.
    pub(crate) fn connector(&self) -> TlsConnector {
        self.connector.clone()
    }
}
