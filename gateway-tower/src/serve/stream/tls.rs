//! TLS handshakes by the table in use.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use arc_swap::ArcSwap;
use gateway_core::hostname::Host;
use gateway_core::name::{ListenerOwnerKind, ObjectName};
use gateway_core::table::{
    Certificate, FrontendOwner, Listener, ListenerId, ListenerProtocol, RouteTable, Transport,
};
use rustls::server::{Acceptor, ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, ServerConnection};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use super::certificates::Certificates;
use super::tls_options::TlsOptions;
use crate::serve::certificate_problem::CertificateProblem;

/// The bytes within TLS that may wait to be written: two records, so that a client that does not read holds little more than
/// without TLS.
const UNSENT: usize = 32 * 1024;

/// What handshakes need of the table in use. Clones are the same place.
#[derive(Clone, Debug)]
pub(in crate::serve) struct Tls(Arc<ArcSwap<Current>>);

/// Keeps [`Tls`] up with the table.
#[derive(Debug)]
pub(in crate::serve) struct TlsUpdater {
    tls: Tls,
    options: TlsOptions,
}

#[derive(Debug)]
struct Current {
    table: Arc<RouteTable>,
    configs: HashMap<ListenerId, Known>,
    /// Ends handshakes that no listener takes, so that clients get an alert.
    refusing: Arc<ServerConfig>,
}

/// The configuration of a listener, and what it was made from.
#[derive(Clone, Debug)]
struct Known {
    certificates: Arc<[Certificate]>,
    /// Without any certificate that can be used there is none.
    config: Option<Arc<ServerConfig>>,
    /// What is wrong with those that cannot.
    problems: Arc<[String]>,
}

/// Why a handshake came to nothing.
#[derive(Debug, thiserror::Error)]
pub(in crate::serve) enum HandshakeError {
    /// No listener with a certificate takes the server name.
    #[error("no listener takes the server name: {0}")]
    NoListener(#[source] io::Error),
    /// The client broke it off, or does not speak what the server does.
    #[error(transparent)]
    Failed(io::Error),
}

/// Has no certificate for anyone.
#[derive(Debug)]
struct NoCertificate;

// === impl Tls ===

impl Tls {
    /// Takes a handshake. Returns the server name with the stream.
    pub(in crate::serve) async fn accept<T: AsyncRead + AsyncWrite + Unpin>(
        &self,
        gateway: &ObjectName,
        port: u16,
        io: T,
    ) -> Result<(TlsStream<T>, Option<Arc<str>>), HandshakeError> {
        let start = LazyConfigAcceptor::new(Acceptor::default(), io).await.map_err(HandshakeError::Failed)?;
        let hello = start.client_hello();
        let host = hello.server_name().and_then(|name| Host::of_name(name).ok());
        let config = self.0.load().config(gateway, port, host.as_ref());
        let is_refused = config.is_err();
        let config = config.unwrap_or_else(|refusing| refusing);
        let server_name = host.map(|host| Arc::from(host.as_str()));
        let limited = |connection: &mut ServerConnection| connection.set_buffer_limit(Some(UNSENT));
        match start.into_stream_with(config, limited).await {
            Ok(stream) => Ok((stream, server_name)),
            Err(error) if is_refused => Err(HandshakeError::NoListener(error)),
            Err(error) => Err(HandshakeError::Failed(error)),
        }
    }
}

// === impl Current ===

impl Current {
    /// The configuration of the listener that the server name leads to; the one that refuses, if there is none.
    ///
    /// # Spec
    /// HST-22
    fn config(
        &self,
        gateway: &ObjectName,
        port: u16,
        host: Option<&Host<'_>>,
    ) -> Result<Arc<ServerConfig>, Arc<ServerConfig>> {
        let port = self.table.frontend(FrontendOwner::Gateway(gateway), Transport::Tcp, port);
        let listener = port.and_then(|port| self.table.listener_by_server_name(port, host));
        let known = listener.and_then(|listener| self.configs.get(&listener));
        known.and_then(|known| known.config.clone()).ok_or_else(|| Arc::clone(&self.refusing))
    }
}

// === impl TlsUpdater ===

impl TlsUpdater {
    pub(in crate::serve) fn new(options: TlsOptions) -> Self {
        let current = Current {
            table: Arc::default(),
            configs: HashMap::new(),
            refusing: config(&options, Arc::new(NoCertificate)),
        };
        Self { tls: Tls(Arc::new(ArcSwap::from_pointee(current))), options }
    }

    pub(in crate::serve) fn tls(&self) -> Tls {
        self.tls.clone()
    }

    /// Whether there are certificates in `table` that [`update`](Self::update) will have to read.
    pub(in crate::serve) fn must_read(&self, table: &RouteTable) -> bool {
        let current = self.tls.0.load();
        let known = current.by_name();
        table.listeners().any(|(_, listener)| match &listener.protocol {
            ListenerProtocol::Http => false,
            ListenerProtocol::Https(tls) => {
                known.get(&name(listener)).is_none_or(|known| known.certificates != tls.certificates)
            }
        })
    }

    /// Goes on to `table`; reads only certificates that were not there before. Returns the listeners with problems.
    pub(in crate::serve) fn update(&self, table: Arc<RouteTable>) -> Vec<CertificateProblem> {
        let before = self.tls.0.load();
        let mut known = before.by_name();
        let mut configs = HashMap::new();
        let mut problems = Vec::new();
        for (id, listener) in table.listeners() {
            let certificates = match &listener.protocol {
                ListenerProtocol::Http => continue,
                ListenerProtocol::Https(tls) => &tls.certificates,
            };
            let known = match known.remove(&name(listener)) {
                Some(known) if known.certificates == *certificates => known.clone(),
                Some(_) | None => {
                    let known = self.read(certificates);
                    for problem in &*known.problems {
                        tracing::warn!(%listener, problem, "a certificate cannot be used");
                    }
                    known
                }
            };
            let problem = |problem: &String| CertificateProblem {
                listener: listener.to_string(),
                problem: problem.clone(),
            };
            problems.extend(known.problems.iter().map(problem));
            configs.insert(id, known);
        }
        let refusing = Arc::clone(&before.refusing);
        self.tls.0.store(Arc::new(Current { table, configs, refusing }));
        problems
    }

    fn read(&self, certificates: &Arc<[Certificate]>) -> Known {
        let (usable, bad) = Certificates::read(certificates, &self.options.provider);
        let mut problems: Vec<_> =
            bad.iter().map(|(position, error)| format!("certificate {position}: {error}")).collect();
        if certificates.is_empty() {
            problems.push("there is none".to_owned());
        }
        Known {
            certificates: Arc::clone(certificates),
            config: (!usable.is_empty()).then(|| config(&self.options, Arc::new(usable))),
            problems: problems.into(),
        }
    }
}

impl Current {
    fn by_name(&self) -> HashMap<ListenerName<'_>, &Known> {
        self.configs.iter().map(|(id, known)| (name(self.table.listener(*id)), known)).collect()
    }
}

/// What stays the same about a listener from table to table.
type ListenerName<'t> = (ListenerOwnerKind, &'t ObjectName, &'t str);

fn name(listener: &Listener) -> ListenerName<'_> {
    (listener.owner_kind, &listener.owner, &listener.name)
}

fn config(options: &TlsOptions, resolver: Arc<dyn ResolvesServerCert>) -> Arc<ServerConfig> {
    let builder = ServerConfig::builder_with_provider(Arc::clone(&options.provider))
        .with_safe_default_protocol_versions()
        .expect("it was tried when the options were made");
    let mut config = builder.with_no_client_auth().with_cert_resolver(resolver);
    // GRP-18
    config.alpn_protocols = vec![b"h2".into(), b"http/1.1".into()];
    // Sessions are kept by the clients, in tickets: what is kept here would grow with the clients.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    if let Some(tickets) = &options.tickets {
        config.ticketer = Arc::clone(tickets);
    }
    Arc::new(config)
}

// === impl NoCertificate ===

impl ResolvesServerCert for NoCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        None
    }
}
