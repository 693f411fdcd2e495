//! A gateway with a server before it and backends behind it, for tests to set up as they need.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gateway_core::filter::{HttpFilter, RequestMirror, Share};
use gateway_core::matching::{GrpcMatch, HttpMatch, PathMatch};
use gateway_core::name::{Age, ObjectName, RouteKey, RouteKind};
use gateway_core::rule::{
    Backend, BackendProtocol, BackendRef, BackendTarget, BackendTls, Backends, HttpRule, RetryBudget,
    RuleName, Timeouts,
};
use gateway_core::table::{
    Certificate, ClientValidation, Listener, ListenerProtocol, ListenerTls, RouteTable,
};
use gateway_tower::client::BackendTlsOptions;
use gateway_tower::serve::{
    Addresses, ConnectionService, NotBound, ServeOptions, Server, Sockets, TlsOptions,
};
use gateway_tower::upstream::{Upstream, UpstreamOptions};
use gateway_tower::{BoxError, Connection, Gateway, TableHandle};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::crypto::ring;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Longer than anything takes that works.
pub(crate) const LONG: Duration = Duration::from_secs(20);

pub(crate) type Body = UnsyncBoxBody<Bytes, BoxError>;

pub(crate) fn full(text: impl Into<Bytes>) -> Body {
    Full::new(text.into()).map_err(|never| match never {}).boxed_unsync()
}

pub(crate) fn gateway_name() -> ObjectName {
    ObjectName::new("default", "gateway")
}

/// A table in the making: listeners, and one route for all hosts and paths.
#[derive(Clone)]
pub(crate) struct Table {
    generation: u64,
    /// Ports and hostnames; those with certificates terminate TLS.
    listeners: Vec<(u16, Option<&'static str>, Vec<Certificate>)>,
    endpoints: Vec<SocketAddr>,
    /// The port of the backend, and its name outside the cluster.
    hostname: Option<(u16, &'static str)>,
    /// How the clients of a port are checked.
    clients: Vec<(u16, ClientValidation)>,
    protocol: BackendProtocol,
    tls: Option<Arc<BackendTls>>,
    /// What the Gateway shows to its backend.
    certificate: Option<Certificate>,
    /// Another backend, which gets a copy of every request within TLS.
    mirror: Option<(SocketAddr, Arc<BackendTls>)>,
    /// Whether it is a GRPCRoute.
    for_calls: bool,
    pub(crate) timeouts: Timeouts,
    pub(crate) retry_budget: Option<Arc<RetryBudget>>,
}

impl Table {
    /// One HTTP listener on port 80, and a backend that speaks HTTP/1.1.
    pub(crate) fn new(generation: u64, backend: SocketAddr) -> Self {
        Self::without_listener(generation, backend).http(80)
    }

    pub(crate) fn without_listener(generation: u64, backend: SocketAddr) -> Self {
        Self {
            generation,
            listeners: Vec::new(),
            endpoints: vec![backend],
            hostname: None,
            clients: Vec::new(),
            protocol: BackendProtocol::Http1,
            tls: None,
            certificate: None,
            mirror: None,
            for_calls: false,
            timeouts: Timeouts::default(),
            retry_budget: None,
        }
    }

    pub(crate) fn http(mut self, port: u16) -> Self {
        self.listeners.push((port, None, Vec::new()));
        self
    }

    pub(crate) fn https(
        mut self,
        port: u16,
        hostname: Option<&'static str>,
        certificate: &Certificate,
    ) -> Self {
        self.listeners.push((port, hostname, vec![certificate.clone()]));
        self
    }

    /// A listener on port 443 with all these.
    pub(crate) fn certificates(mut self, certificates: &[&Certificate]) -> Self {
        let certificates = certificates.iter().map(|certificate| (*certificate).clone());
        self.listeners.push((443, None, certificates.collect()));
        self
    }

    pub(crate) fn protocol(mut self, protocol: BackendProtocol) -> Self {
        self.protocol = protocol;
        self
    }

    /// The backend is spoken to within TLS.
    pub(crate) fn within_tls(mut self, tls: BackendTls) -> Self {
        self.tls = Some(tls.into());
        self
    }

    /// The Gateway shows this certificate to its backend.
    pub(crate) fn client_certificate(mut self, certificate: &Certificate) -> Self {
        self.certificate = Some(certificate.clone());
        self
    }

    /// The clients of HTTPS on this port are asked for a certificate.
    pub(crate) fn checking_clients(mut self, port: u16, validation: ClientValidation) -> Self {
        self.clients.push((port, validation));
        self
    }

    /// This backend gets a copy of every request within TLS.
    pub(crate) fn mirrored(mut self, address: SocketAddr, tls: BackendTls) -> Self {
        self.mirror = Some((address, tls.into()));
        self
    }

    /// A GRPCRoute for all calls, to a backend that speaks HTTP/2.
    pub(crate) fn for_calls(mut self) -> Self {
        self.for_calls = true;
        self.protocol(BackendProtocol::H2c)
    }

    /// The backend is a name outside the cluster.
    pub(crate) fn named(mut self, port: u16, hostname: &'static str) -> Self {
        self.hostname = Some((port, hostname));
        self.without_endpoints()
    }

    pub(crate) fn without_endpoints(mut self) -> Self {
        self.endpoints.clear();
        self
    }

    pub(crate) fn build(&self) -> RouteTable {
        let mut table = RouteTable::builder(self.generation);
        let backend = table.backend(Backend {
            service: ObjectName::new("default", "backend"),
            port: self.hostname.map_or(80, |(port, _)| port),
            hostname: self.hostname.map(|(_, hostname)| hostname.into()),
            protocol: self.protocol,
            tls: self.tls.clone(),
            retry_budget: self.retry_budget.clone(),
            endpoints: self.endpoints.iter().copied().map(Into::into).collect(),
            ..Backend::default()
        });
        let mirrors = self.mirror.iter().map(|(address, tls)| {
            let backend = table.backend(Backend {
                service: ObjectName::new("default", "mirror"),
                port: 443,
                tls: Some(Arc::clone(tls)),
                endpoints: std::iter::once(*address).map(Into::into).collect(),
                ..Backend::default()
            });
            HttpFilter::RequestMirror(RequestMirror { backend, share: Share::all() })
        });
        let filters = mirrors.collect();
        let shown = self.certificate.iter().map(|shown| (gateway_name(), shown.clone()));
        table.client_certificates(shown.collect());
        let name = ObjectName::new("default", "route");
        let kind = if self.for_calls { RouteKind::Grpc } else { RouteKind::Http };
        let rule = HttpRule {
            filters,
            backends: Backends::new([BackendRef { target: BackendTarget::Backend(backend), weight: 1 }]),
            timeouts: self.timeouts,
            ..HttpRule::new(RuleName {
                route: Arc::new(RouteKey::new(kind, name.clone())),
                index: 0,
                name: None,
            })
        };
        let age = Age::new(None, &name);
        let route = if self.for_calls {
            table.grpc_route(age, [([GrpcMatch::default()].into(), rule)])
        } else {
            let matches = HttpMatch { path: PathMatch::prefix("/"), ..HttpMatch::default() };
            table.http_route(age, [([matches].into(), rule)])
        };
        for (i, (port, hostname, certificates)) in self.listeners.iter().enumerate() {
            let protocol = match &certificates[..] {
                [] => ListenerProtocol::Http,
                all => {
                    let clients = self.clients.iter().find(|(of, _)| of == port);
                    let clients = clients.map(|(_, clients)| clients.clone());
                    ListenerProtocol::Https(ListenerTls { certificates: all.into(), clients })
                }
            };
            let listener = table.listener(Listener {
                hostname: hostname.map(|hostname| hostname.parse().expect("a hostname")),
                ..Listener::new(gateway_name(), format!("{port}-{i}"), *port, protocol)
            });
            table.attach(route, listener, &[]);
        }
        table.build()
    }
}

/// How servers and clients of tests speak TLS with backends.
fn backend_options() -> BackendTlsOptions {
    BackendTlsOptions::new(Arc::new(ring::default_provider())).expect("a usable provider")
}

/// A server with a gateway, on ports that the kernel chooses.
pub(crate) struct World {
    pub(crate) tables: TableHandle,
    pub(crate) server: Server,
}

impl World {
    pub(crate) async fn start(table: &Table) -> Self {
        Self::with(table, ServeOptions::default(), UpstreamOptions::default()).await
    }

    pub(crate) async fn with(table: &Table, options: ServeOptions, upstream: UpstreamOptions) -> Self {
        let tables = TableHandle::new(table.build());
        let upstream = UpstreamOptions { tls: Some(backend_options()), ..upstream };
        let gateway = Gateway::new(tables.clone(), Upstream::new(upstream));
        Self::serving(tables, options, move |connection: Arc<Connection>| gateway.clone().on(connection))
            .await
    }

    /// The same with a gateway, or another service, of one's own.
    pub(crate) async fn serving(
        tables: TableHandle,
        options: ServeOptions,
        services: impl ConnectionService,
    ) -> Self {
        let tls = TlsOptions::new(Arc::new(ring::default_provider())).expect("a usable provider");
        let tls = tls.with_tickets(ring::Ticketer::new().expect("random numbers"));
        let options = ServeOptions { tls: Some(tls), backend_tls: Some(backend_options()), ..options };
        let server = tokio::time::timeout(LONG, Server::start(&tables, loopback(), options, services)).await;
        let server = server.expect("the server starts").unwrap_or_else(NotBound::into_server);
        Self { tables, server }
    }

    /// Swaps the table, and waits until the sockets follow.
    pub(crate) async fn swap(&self, table: &Table) -> Sockets {
        let stored = self.tables.store(table.build());
        self.reached(stored).await
    }

    async fn reached(&self, generation: u64) -> Sockets {
        let reached = tokio::time::timeout(LONG, self.server.reached(generation)).await;
        reached.expect("the server follows the table")
    }

    /// Where the port is bound.
    pub(crate) fn address(&self, port: u16) -> SocketAddr {
        let sockets = self.server.sockets();
        let address = sockets.borrow().address(&gateway_name(), port);
        address.unwrap_or_else(|| panic!("port {port} is bound: {sockets:?}"))
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address(80)).await.expect("the server accepts")
    }

    /// One request over a connection of its own, HTTP/1.1.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        Client::http1(self.connect().await).await.send(request).await
    }
}

/// All ports that tests use, on ports that the kernel chooses.
pub(crate) fn loopback() -> Addresses {
    let mut addresses = Addresses::all_on(Ipv4Addr::LOCALHOST.into());
    addresses.ports.extend([80, 81, 82, 443, 444].map(|port| (port, 0)));
    addresses
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) trailers: Option<HeaderMap>,
}

impl Answer {
    pub(crate) async fn read(response: Response<Incoming>) -> hyper::Result<Self> {
        let (parts, body) = response.into_parts();
        let body = body.collect().await?;
        let trailers = body.trailers().cloned();
        Ok(Self { status: parts.status, headers: parts.headers, body: body.to_bytes(), trailers })
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }
}

/// One connection of a client.
pub(crate) enum Client {
    Http1(http1::SendRequest<Body>),
    Http2(http2::SendRequest<Body>),
}

impl Client {
    pub(crate) async fn http1<T>(io: T) -> Self
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (sender, connection) = http1::handshake(TokioIo::new(io)).await.expect("a handshake");
        tokio::spawn(connection.with_upgrades());
        Self::Http1(sender)
    }

    pub(crate) async fn http2<T>(io: T) -> Self
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(io)).await;
        let (sender, connection) = handshake.expect("a handshake");
        tokio::spawn(connection);
        Self::Http2(sender)
    }

    pub(crate) async fn begin(&mut self, request: Request<Body>) -> hyper::Result<Response<Incoming>> {
        match self {
            Self::Http1(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
            Self::Http2(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
        }
    }

    pub(crate) async fn send(&mut self, request: Request<Body>) -> Answer {
        let answered = async { Answer::read(self.begin(request).await.expect("an answer")).await };
        let answer = tokio::time::timeout(LONG, answered).await.expect("an answer in time");
        answer.expect("a whole body")
    }

    /// Whether the server has closed the connection, or told the client to go.
    pub(crate) async fn closed(&mut self) {
        let closed = async {
            loop {
                let closed = match self {
                    Self::Http1(sender) => sender.is_closed(),
                    Self::Http2(sender) => sender.is_closed(),
                };
                if closed {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(LONG, closed).await.expect("the server ends the connection");
    }
}

/// A GET over HTTP/1.1.
pub(crate) fn get(path: &str) -> Request<Body> {
    Request::get(path).header("host", "example.com").body(full("")).expect("a request")
}

/// A GET over HTTP/2.
pub(crate) fn get2(host: &str, path: &str) -> Request<Body> {
    Request::get(format!("http://{host}{path}")).body(full("")).expect("a request")
}

/// A backend that speaks both versions of HTTP and answers with `handle`.
pub(crate) async fn backend<F, R>(handle: F) -> SocketAddr
where
    F: Fn(Request<Incoming>) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Response<Body>> + Send + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let handle = handle.clone();
            let service = service_fn(move |request| {
                let answer = handle(request);
                async move { Ok::<_, Infallible>(answer.await) }
            });
            tokio::spawn(async move {
                let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                let _ = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
            });
        }
    });
    address
}

/// A backend that answers with the head of the request, as text, and then its body.
pub(crate) async fn echo() -> SocketAddr {
    backend(|request| async move {
        let (parts, body) = request.into_parts();
        let mut head = format!("{} {} {:?}\n", parts.method, parts.uri, parts.version);
        let mut lines: Vec<_> = parts
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap()))
            .collect();
        lines.sort();
        head.extend(lines);
        head.push('\n');
        let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        Response::new(full([head.as_bytes(), &body].concat()))
    })
    .await
}

/// A backend at the level of bytes: each connection is given to `serve`.
pub(crate) async fn raw_backend<F, R>(serve: F) -> SocketAddr
where
    F: Fn(TcpStream) -> R + Send + Sync + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    address
}

/// Reads the head of a message.
pub(crate) async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).expect("a head is text")
}

/// Writes `bytes` on a new connection and reads until the server closes it.
pub(crate) async fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.expect("the server accepts");
    // The server may close before it has read everything.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let read = tokio::time::timeout(LONG, stream.read_to_end(&mut answer)).await;
    // A reset after the answer is an end too.
    let _ = read.expect("the server closes the connection");
    String::from_utf8_lossy(&answer).into_owned()
}

/// A certificate for these names, signed by itself.
pub(crate) fn certificate(names: &[&str]) -> Certificate {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let signed = rcgen::generate_simple_self_signed(names).expect("a certificate");
    Certificate::new(vec![signed.cert.into()], signed.signing_key.into())
}
