//! Connections, with TLS or without.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::{fmt, io};

use gateway_core::api::Kind;
use rustls::client::ResolvesClientCert;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::failure::failure;
use super::verifier::Verifier;
use crate::case::{ClientTls, ObjectRef};
use crate::certificate::certificates;
use crate::engine::EngineError;
use crate::exchange::Failure;

/// A connection.
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Connects without TLS.
pub(super) async fn connect(address: SocketAddr) -> Result<TcpStream, Failure> {
    let stream = TcpStream::connect(address).await;
    let stream = stream.map_err(|error| match error.kind() {
        // It was made, and ended before it could be used.
        io::ErrorKind::ConnectionReset => Failure::Closed(error.to_string()),
        _ => Failure::Connect(format!("{address}: {error}")),
    })?;
    // Only slower without it.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// How to speak TLS as a case asks for it.
pub(super) struct Tls {
    connector: TlsConnector,
    server_name: ServerName<'static>,
    identity: Arc<Identity>,
}

/// The certificate of the client, and whether it was asked for.
struct Identity {
    certificate: Option<Arc<CertifiedKey>>,
    requested: AtomicBool,
}

// === impl Tls ===

impl Tls {
    /// Prepares TLS.
    pub(super) fn new(tls: &ClientTls, protocols: &[&str]) -> Result<Self, EngineError> {
        let provider = rustls::crypto::ring::default_provider();
        let algorithms = provider.signature_verification_algorithms;
        let certificate = match &tls.certificate {
            None => None,
            Some(secret) => {
                let of = |error: &dyn fmt::Display| EngineError::failed(format!("{secret}: {error}"));
                let chain: Result<Vec<_>, _> =
                    CertificateDer::pem_slice_iter(pem(secret, "tls.crt")?.as_bytes()).collect();
                let key = PrivateKeyDer::from_pem_slice(pem(secret, "tls.key")?.as_bytes());
                let key = provider.key_provider.load_private_key(key.map_err(|error| of(&error))?);
                let chain = chain.map_err(|error| of(&error))?;
                Some(Arc::new(CertifiedKey::new(chain, key.map_err(|error| of(&error))?)))
            }
        };
        let key = if tls.trust.kind == Kind::ConfigMap { "ca.crt" } else { "tls.crt" };
        let of = |error: &dyn fmt::Display| EngineError::failed(format!("{}: {error}", tls.trust));
        let trusted: Result<Vec<_>, _> =
            CertificateDer::pem_slice_iter(pem(&tls.trust, key)?.as_bytes()).collect();
        let verifier = Verifier::new(trusted.map_err(|error| of(&error))?, algorithms);
        let verifier = Arc::new(verifier.map_err(|error| of(&error))?);
        let server_name = ServerName::try_from(tls.server_name.clone()).map_err(|error| {
            EngineError::failed(format!("{:?} is no server name: {error}", tls.server_name))
        })?;

        let identity = Arc::new(Identity { certificate, requested: AtomicBool::new(false) });
        let builder = ClientConfig::builder_with_provider(Arc::new(provider));
        let builder = builder.with_safe_default_protocol_versions().map_err(EngineError::failed)?;
        let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
        let mut config = builder.with_client_cert_resolver(identity.clone());
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), server_name, identity })
    }

    /// Connects, and shakes hands.
    pub(super) async fn connect(&self, address: SocketAddr) -> Result<TlsStream<TcpStream>, Failure> {
        let stream = connect(address).await?;
        let handshake = self.connector.connect(self.server_name.clone(), stream).await;
        handshake.map_err(|error| failure(&error))
    }

    /// Whether the server asked for a certificate.
    pub(super) fn certificate_requested(&self) -> bool {
        self.identity.requested.load(Ordering::Relaxed)
    }
}

fn pem(object: &ObjectRef, key: &str) -> Result<String, EngineError> {
    certificates().pem(object, key).ok_or_else(|| {
        EngineError::failed(format!("there is no {object} with {key} among the certificates made"))
    })
}

// === impl Identity ===

impl ResolvesClientCert for Identity {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.requested.store(true, Ordering::Relaxed);
        self.certificate.clone()
    }

    fn has_certs(&self) -> bool {
        // Otherwise it would not be heard that the server asks.
        true
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("requested", &self.requested).finish_non_exhaustive()
    }
}

// === impl Stream ===

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
