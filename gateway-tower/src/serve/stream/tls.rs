//! TLS handshakes by the table in use.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use gateway_core::hostname::Host;
use gateway_core::name::{ListenerOwnerKind, ObjectName};
use gateway_core::table::{
    ClientValidation, ClientValidationMode, FrontendOwner, Listener, ListenerId, ListenerProtocol,
    ListenerTls, NoStream, RouteTable, Transport,
};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{
    ClientHello as Offered, NoServerSessionStorage, ResolvesServerCert, VerifierBuilderError,
    WebPkiClientVerifier,
};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig, ServerConnection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::StartHandshake;
use tokio_rustls::server::TlsStream;

use super::any_client::AnyClient;
use super::certificates::Certificates;
use super::client_hello::ClientHello;
use super::tls_options::TlsOptions;
use crate::connect::{Maker, TlsPeer};
use crate::outcome::StreamEnd;
use crate::serve::certificate_problem::CertificateProblem;
use crate::serve::destination::Destination;
use crate::serve::stream_record::StreamRecord;

/// The bytes within TLS that may wait to be written: two records, so that a client that does not read holds little more than
/// without TLS.
const UNSENT: usize = 32 * 1024;

/// How long a client that was refused may go on sending, and how often that is read.
const HEAR_OUT: Duration = Duration::from_secs(1);
const MOST_READS: usize = 128;

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

/// What comes of a connection that began with a ClientHello.
pub(in crate::serve) enum Accepted {
    /// Its TLS is terminated, and what is within are requests.
    Requests {
        /// What is within.
        stream: Box<TlsStream<TcpStream>>,
        /// The server name.
        server_name: Option<Arc<str>>,
    },
    /// Its TLS is terminated, and what is within goes there as it comes.
    Terminated(Box<TlsStream<TcpStream>>, Destination),
    /// It goes there as it comes, these bytes first.
    Passed(TcpStream, Vec<u8>, Destination),
    /// It goes nowhere.
    Rejected {
        /// The connection.
        stream: TcpStream,
        /// The server name.
        server_name: Option<Arc<str>>,
        /// Why.
        why: NoStream,
    },
}

/// How a handshake is made, or refused.
type Configured = Result<Arc<ServerConfig>, Arc<ServerConfig>>;

/// Where a connection goes, by its server name.
enum Way {
    /// To a service for requests, after this handshake.
    Requests(Configured),
    /// There, after this handshake.
    Terminate(Configured, Destination),
    /// There.
    Pass(Destination),
}

/// The configuration of a listener, and what it was made from.
#[derive(Clone, Debug)]
struct Known {
    tls: ListenerTls,
    /// Whether requests are within.
    requests: bool,
    /// Without any certificate that can be used, or when clients cannot be checked as they have to be, there is none.
    config: Option<Arc<ServerConfig>>,
    /// What is wrong with those that cannot.
    problems: Arc<[String]>,
}

/// Why a handshake came to nothing.
#[derive(Debug, thiserror::Error)]
pub(in crate::serve) enum HandshakeError {
    /// No listener with a certificate takes the server name.
    #[error("no listener with a certificate takes {}: {source}", named(.server_name.as_deref()))]
    NoListener {
        /// The server name.
        server_name: Option<Arc<str>>,
        source: io::Error,
    },
    /// The client broke it off, or does not speak what the server does.
    #[error(transparent)]
    Failed(io::Error),
}

fn named(server_name: Option<&str>) -> String {
    server_name.map_or_else(
        || "a client that names no server".to_owned(),
        |name| format!("the server name {name:?}"),
    )
}

/// Has no certificate for any client.
#[derive(Debug)]
struct NoCertificate;

// === impl Tls ===

impl Tls {
    /// Takes a connection, with its handshake where that ends here. A ClientHello may have up to `most` bytes. What is known of the
    /// connection is asked for where it is a stream.
    pub(in crate::serve) async fn accept(
        &self,
        gateway: &ObjectName,
        port: u16,
        most: usize,
        mut stream: TcpStream,
        record: impl FnOnce() -> StreamRecord,
    ) -> Result<Accepted, HandshakeError> {
        let hello = ClientHello::read(&mut stream, most).await.map_err(HandshakeError::failed)?;
        let server_name = hello.host().map(|host| Arc::<str>::from(host.as_str()));
        let record = || record().with_server_name(server_name.clone());
        let way = self.0.load().way(gateway, port, hello.host().as_ref(), record);
        let (config, mut destination) = match way {
            Ok(Way::Requests(config)) => (config, None),
            Ok(Way::Terminate(config, destination)) => {
                (config.map(|config| agreeing(config, &hello)), Some(destination))
            }
            Ok(Way::Pass(destination)) => return Ok(Accepted::Passed(stream, hello.bytes, destination)),
            Err(why) => return Ok(Accepted::Rejected { stream, server_name, why }),
        };
        let ClientHello { accepted, bytes, .. } = hello;
        drop(bytes);
        if let Some(Destination { record, .. }) = &mut destination {
            record.set_end(StreamEnd::HandshakeFailed);
        }
        let is_refused = config.is_err();
        let config = config.unwrap_or_else(|refusing| refusing);
        let start = StartHandshake::from_parts(accepted, stream);
        let limited = |connection: &mut ServerConnection| connection.set_buffer_limit(Some(UNSENT));
        let stream = match start.into_stream_with(config, limited).into_fallible().await {
            Ok(stream) => Box::new(stream),
            Err((error, stream)) => {
                // In a box: what few connections wait for is not to be part of all.
                Box::pin(hear_out(stream)).await;
                return Err(match is_refused {
                    true => HandshakeError::NoListener { server_name, source: error },
                    false => HandshakeError::Failed(error),
                });
            }
        };
        Ok(match destination {
            Some(mut destination) => {
                destination.record.set_end(StreamEnd::Cut);
                Accepted::Terminated(stream, destination)
            }
            None => Accepted::Requests { stream, server_name },
        })
    }
}

// === impl HandshakeError ===

impl HandshakeError {
    fn failed(error: impl Into<io::Error>) -> Self {
        Self::Failed(error.into())
    }
}

// === impl Current ===

impl Current {
    /// Where a connection with this server name goes. It is decided before the handshake, so that what goes nowhere is
    /// closed without.
    ///
    /// # Spec
    /// HST-22, TLR-06, TLR-07, TLR-11; BTP-21: TLS may begin anew where that of the client ends, and nowhere else.
    fn way(
        &self,
        gateway: &ObjectName,
        port: u16,
        host: Option<&Host<'_>>,
        record: impl FnOnce() -> StreamRecord,
    ) -> Result<Way, NoStream> {
        let Self { table, .. } = self;
        let frontend = table.frontend(FrontendOwner::Gateway(gateway), Transport::Tcp, port);
        // Without any, it is gone since the connection was accepted.
        let found = frontend.ok_or(NoStream::NoListener).and_then(|id| table.find_stream(id, host));
        let matched = match found {
            Ok(matched) => matched,
            Err(NoStream::Requests(listener)) => return Ok(Way::Requests(self.config(listener))),
            // A client of requests is told by an alert.
            Err(NoStream::NoListener)
                if frontend.is_some_and(|id| table.frontend_of(id).takes_requests()) =>
            {
                return Ok(Way::Requests(Err(Arc::clone(&self.refusing))));
            }
            Err(why) => return Err(record().refused(why, table)),
        };
        let mut record = record();
        record.matched(table, matched);
        let backend = match table.stream_backend(matched, fastrand::u64(..)) {
            Ok(backend) => table.backend(backend),
            Err(why) => return Err(record.refused(why, table)),
        };
        record.falls_to(backend);
        let endpoints = Arc::clone(&backend.endpoints);
        Ok(match table.listener(matched.listener).protocol {
            ListenerProtocol::TlsTerminate(_) => {
                let certificate = table.certificate_for(backend, Some(gateway));
                let tls = |tls| TlsPeer { tls: Arc::clone(tls), certificate: certificate.cloned() };
                let destination = Destination {
                    endpoints,
                    tls: backend.tls.as_ref().map(tls),
                    maker: Maker::Gateway,
                    record,
                };
                Way::Terminate(self.config(matched.listener), destination)
            }
            _ => Way::Pass(Destination { endpoints, tls: None, maker: Maker::Gateway, record }),
        })
    }

    /// The configuration of a listener that terminates TLS.
    fn config(&self, listener: ListenerId) -> Configured {
        let known = self.configs.get(&listener);
        known.and_then(|known| known.config.clone()).ok_or_else(|| Arc::clone(&self.refusing))
    }
}

// === impl TlsUpdater ===

impl TlsUpdater {
    pub(in crate::serve) fn new(options: TlsOptions) -> Self {
        let current = Current {
            table: Arc::default(),
            configs: HashMap::new(),
            refusing: config(&options, Arc::new(NoCertificate), WebPkiClientVerifier::no_client_auth(), true),
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
        table.listeners().any(|(_, listener)| match listener.protocol.tls() {
            None => false,
            Some(tls) => known.get(&name(listener)).is_none_or(|known| known.tls != *tls),
        })
    }

    /// Goes on to `table`; reads only certificates that were not there before. Returns the listeners with problems.
    pub(in crate::serve) fn update(&self, table: Arc<RouteTable>) -> Vec<CertificateProblem> {
        let before = self.tls.0.load();
        let mut known = before.by_name();
        let mut configs = HashMap::new();
        let mut problems = Vec::new();
        for (id, listener) in table.listeners() {
            let Some(tls) = listener.protocol.tls() else { continue };
            let requests = listener.protocol.takes_requests();
            let known = match known.remove(&name(listener)) {
                Some(known) if known.tls == *tls && known.requests == requests => known.clone(),
                Some(_) | None => {
                    let known = self.read(tls, requests);
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

    fn read(&self, tls: &ListenerTls, requests: bool) -> Known {
        let ListenerTls { certificates, clients } = tls;
        let (usable, bad) = Certificates::read(certificates, &self.options.provider);
        let mut problems: Vec<_> =
            bad.iter().map(|(position, error)| format!("certificate {position}: {error}")).collect();
        if certificates.is_empty() {
            problems.push("there is none".to_owned());
        }
        let verifier = match clients {
            None => Some(WebPkiClientVerifier::no_client_auth()),
            Some(clients) => match self.verifier(clients) {
                Ok(verifier) => Some(verifier),
                Err(error) => {
                    problems.push(format!("clients cannot be checked: {error}"));
                    None
                }
            },
        };
        let verifier = verifier.filter(|_| !usable.is_empty());
        Known {
            tls: tls.clone(),
            requests,
            config: verifier.map(|verifier| config(&self.options, Arc::new(usable), verifier, requests)),
            problems: problems.into(),
        }
    }

    /// How clients are checked.
    ///
    /// # Spec
    /// GWF-07, GWF-09: not at all is no way of doing it.
    fn verifier(
        &self,
        clients: &ClientValidation,
    ) -> Result<Arc<dyn ClientCertVerifier>, VerifierBuilderError> {
        let provider = &self.options.provider;
        if clients.mode == ClientValidationMode::AllowInsecureFallback {
            let schemes = provider.signature_verification_algorithms.supported_schemes();
            return Ok(Arc::new(AnyClient { schemes }));
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(clients.authorities.iter().cloned());
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build()
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

fn config(
    options: &TlsOptions,
    resolver: Arc<dyn ResolvesServerCert>,
    verifier: Arc<dyn ClientCertVerifier>,
    requests: bool,
) -> Arc<ServerConfig> {
    let checks_clients = verifier.offer_client_auth();
    let builder = ServerConfig::builder_with_provider(Arc::clone(&options.provider))
        .with_protocol_versions(&options.versions)
        .expect("it was tried when the options were made");
    let mut config = builder.with_client_cert_verifier(verifier).with_cert_resolver(resolver);
    if requests {
        // GRP-18. What is in a stream is for its two ends to agree on, where there is a choice: see `agreeing`.
        config.alpn_protocols = vec![b"h2".into(), b"http/1.1".into()];
    }
    // Sessions are kept by the clients, in tickets: what is kept here would grow with the clients.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    // A session that is resumed was checked when it began, by what was asked for then and there.
    if let Some(tickets) = options.tickets.as_ref().filter(|_| !checks_clients) {
        config.ticketer = Arc::clone(tickets);
    }
    Arc::new(config)
}

/// Closes a connection whose client has been sent an alert, so that it can read it. With TLS 1.3 a client that has shown no
/// certificate, or a wrong one, takes the handshake for done, and sends its request: to close while that arrives resets the
/// connection, and then most clients say that, in the place of what was wrong.
async fn hear_out(mut stream: TcpStream) {
    let heard = async {
        stream.shutdown().await?;
        let mut buffer = [0; 512];
        for _ in 0..MOST_READS {
            if stream.read(&mut buffer).await? == 0 {
                break;
            }
        }
        Ok::<_, io::Error>(())
    };
    // Whatever comes of it, there is no more to be done.
    let _ = timeout(HEAR_OUT, heard).await;
}

/// The same for a client that knows of one protocol only. What is in a stream is for its two ends to agree on, but there is
/// nothing left to agree on here, and such clients take no for an answer to mean that they are in the wrong place: those of gRPC,
/// and of PostgreSQL where it begins with TLS.
///
/// # Spec
/// TLR-08; RFC 7301 section 3.2.
fn agreeing(config: Arc<ServerConfig>, hello: &ClientHello) -> Arc<ServerConfig> {
    let Some(protocol) = hello.only_protocol() else { return config };
    let mut config = ServerConfig::clone(&config);
    config.alpn_protocols = vec![protocol];
    Arc::new(config)
}

// === impl NoCertificate ===

impl ResolvesServerCert for NoCertificate {
    fn resolve(&self, _: Offered<'_>) -> Option<Arc<CertifiedKey>> {
        None
    }
}
