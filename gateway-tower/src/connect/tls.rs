//! TLS with backends.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use foldhash::fast::RandomState;
use gateway_core::rule::Authorities;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::stream::Io;
use super::verifier::Verifier;
use super::{Application, BackendIo, Connected, Maker, Peer, TlsPeer, tcp};
use crate::body::BoxError;
use crate::client::{BackendTlsOptions, ConnectError};
use crate::span;

/// The bytes within TLS that may wait to be written: two records, so that a backend that does not read holds little more than
/// without TLS.
const UNSENT: usize = 32 * 1024;

/// How many configurations there may be before those that no table asks for any more are looked for.
const FIRST_SWEEP: usize = 64;

/// Makes connections.
#[derive(Debug)]
pub(crate) struct Connector {
    options: Option<BackendTlsOptions>,
    configs: Mutex<Configs>,
}

/// The configurations that were made, each with the sessions that can be resumed by it.
#[derive(Debug)]
struct Configs {
    known: HashMap<(TlsPeer, Application), Arc<ClientConfig>, RandomState>,
    sweep_at: usize,
}

// === impl Connector ===

impl Connector {
    /// Without options there is no TLS, and what should go within TLS goes nowhere.
    pub(crate) fn new(options: Option<BackendTlsOptions>) -> Self {
        let configs = Configs { known: HashMap::default(), sweep_at: FIRST_SWEEP };
        Self { options, configs: Mutex::new(configs) }
    }

    /// Connects, with the handshake where there is one, within `limit`.
    #[cfg_attr(not(feature = "client"), allow(dead_code, reason = "the client uses it"))]
    pub(crate) async fn connect(
        &self,
        peer: &Peer,
        application: Application,
        limit: Duration,
    ) -> Result<BackendIo, ConnectError> {
        let deadline = span::from_now(limit);
        let stream = tcp(Maker::Gateway, peer.address, limit).await?;
        self.secure(peer, application, deadline, stream).await
    }

    /// Makes the handshake over a connection, where there is one to be made.
    pub(crate) async fn secure(
        &self,
        peer: &Peer,
        application: Application,
        deadline: Instant,
        Connected { stream, to_self }: Connected,
    ) -> Result<BackendIo, ConnectError> {
        let Some(tls) = &peer.tls else { return Ok(BackendIo::new(Io::Plain(stream), to_self)) };
        // Boxed, since most connections have none.
        let handshake = Box::pin(timeout_at(deadline, self.handshake(tls, application, stream)));
        let stream = handshake.await.unwrap_or_else(|_| Err("no TLS handshake in time".into()));
        let failed = |cause| ConnectError { endpoint: peer.address, cause };
        stream.map(|stream| BackendIo::new(Io::Tls(stream), to_self)).map_err(failed)
    }

    async fn handshake(
        &self,
        peer: &TlsPeer,
        application: Application,
        stream: TcpStream,
    ) -> Result<Box<TlsStream<TcpStream>>, BoxError> {
        let config = self.config(peer, application)?;
        let name = ServerName::try_from(peer.tls.server_name.to_string())?;
        let limited = |connection: &mut ClientConnection| connection.set_buffer_limit(Some(UNSENT));
        let stream = TlsConnector::from(config).connect_with(name, stream, limited).await?;
        let agreed = stream.get_ref().1.alpn_protocol();
        // RFC 9113 section 3.3: there is no prior knowledge within TLS.
        if application == Application::Http2 && agreed != Some(b"h2") {
            return Err("it does not speak HTTP/2 within TLS".into());
        }
        Ok(Box::new(stream))
    }

    /// The configuration for such connections.
    fn config(&self, peer: &TlsPeer, application: Application) -> Result<Arc<ClientConfig>, BoxError> {
        let Some(options) = &self.options else {
            return Err("its backend is spoken to within TLS, and no options say how; set `tls` of UpstreamOptions, and \
                        `backend_tls` of ServeOptions for streams"
                .into());
        };
        let key = (peer.clone(), application);
        let mut configs = self.configs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = configs.known.get(&key) {
            return Ok(Arc::clone(known));
        }
        let config = Arc::new(config(options, peer, application)?);
        configs.sweep();
        configs.known.insert(key, Arc::clone(&config));
        Ok(config)
    }
}

// === impl Configs ===

impl Configs {
    /// Forgets what no table and no connection asks for: each is looked at once for every time that their number doubles.
    fn sweep(&mut self) {
        if self.known.len() >= self.sweep_at {
            self.known.retain(|(peer, _), _| Arc::strong_count(&peer.tls) > 1);
            self.sweep_at = FIRST_SWEEP.max(2 * self.known.len());
        }
    }
}

fn config(
    options: &BackendTlsOptions,
    peer: &TlsPeer,
    application: Application,
) -> Result<ClientConfig, BoxError> {
    let roots = match &peer.tls.authorities {
        Authorities::System => options.system(),
        Authorities::Certificates(certificates) => {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(certificates.iter().cloned());
            Arc::new(roots)
        }
    };
    if roots.is_empty() {
        return Err("no certificate authority is known that it could be checked by".into());
    }
    let provider = options.provider();
    let algorithms = provider.signature_verification_algorithms;
    // Without a share in the policy, by which it is known whether any table still has it.
    let verifier = Verifier { identities: peer.tls.identities.clone(), roots, algorithms };
    let builder = ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_protocol_versions(options.versions())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match &peer.certificate {
        None => builder.with_no_client_auth(),
        Some(certificate) => {
            builder.with_client_auth_cert(certificate.chain().to_vec(), certificate.key().clone_key())?
        }
    };
    config.alpn_protocols = match application {
        Application::Http1 => vec![b"http/1.1".into()],
        Application::Http2 => vec![b"h2".into()],
        Application::Stream => Vec::new(),
    };
    Ok(config)
}
