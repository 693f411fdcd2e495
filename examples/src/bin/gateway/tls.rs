//! The cryptography of the program, by which certificates are judged and served.

use std::sync::Arc;

use gateway_tower::client::BackendTlsOptions;
use gateway_tower::serve::TlsOptions;
use rustls::crypto::ring;

/// TLS by ring, every handshake a full one.
pub(crate) fn options() -> TlsOptions {
    TlsOptions::new(Arc::new(ring::default_provider())).expect("ring has all that TLS needs")
}

/// TLS with backends, by ring and the certificate authorities of the system.
pub(crate) fn backend_options() -> BackendTlsOptions {
    BackendTlsOptions::new(Arc::new(ring::default_provider())).expect("ring has all that TLS needs")
}
