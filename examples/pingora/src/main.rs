//! Pingora as a gateway: the core decides, Pingora does the rest.
//!
//! What Pingora's callbacks must do is little: [`decide`](gateway_core::table::RouteTable::decide) when the request is there, send
//! what it says, [`finish`](Forward::finish) what comes back. Attempts and timeouts are Pingora's, by the rule's numbers.
//!
//! ```text
//! gateway-pingora-example <folder with manifests> <address> <port offset>
//! ```
//!
//! The folder is read again as it changes. What Pingora cannot do, or not in a few lines:
//! - Sockets are bound once, so the ports are fixed; one Gateway has each of them.
//! - TLS: certificates by server name need another backend than rustls.
//! - A timeout covers the time to each read, not to the end of the answer.
//! - Copies for mirrors go without the body.
//!
//! It passes the conformance cases of the features that it claims, as the layers of gateway-tower do, but for those on TLS:
//! `examples/pingora/cases` runs them, and says which they are.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use async_trait::async_trait;
use bytes::Bytes;
use gateway_core::exchange::forwarded::{self, Client};
use gateway_core::exchange::{Arrival, Decision, Forward};
use gateway_core::feature::Feature;
use gateway_core::manifest::{self, Collection};
use gateway_core::options::Options;
use gateway_core::rule::{Backend, BackendProtocol};
use gateway_core::table::RouteTable;
use gateway_core::translate::translate;
use http::{Response, StatusCode, Version, header, request, response};
use pingora::ErrorType::{self, ConnectTimedout, HTTPStatus, ReadTimedout, WriteTimedout};
use pingora::apps::HttpServerOptions;
use pingora::connectors::http::Connector;
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::prelude::{Error, HttpPeer, Result, Server};
use pingora::proxy::{FailToProxy, ProxyHttp, ProxyServiceBuilder, Session};

/// The ports of listeners that are served.
const PORTS: [u16; 6] = [80, 81, 82, 8000, 8080, 8090];

/// How long a connection to a backend may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// How often the folder is read.
const READ_EVERY: Duration = Duration::from_millis(20);

/// One port of a Gateway.
struct Gateway {
    tables: Arc<ArcSwap<RouteTable>>,
    port: u16,
    mirrors: Arc<Connector>,
}

/// One request.
struct Context {
    arrived: Instant,
    forward: Option<Box<Forward>>,
    /// Where the attempts begin among the endpoints.
    first: usize,
    retries: u32,
}

// === impl Context ===

impl Context {
    fn forward(&self) -> Result<&Forward> {
        self.forward.as_deref().ok_or_else(|| Error::new(ErrorType::InternalError))
    }

    /// Marks what ended an attempt, for Pingora to make another if the rule allows that.
    fn again(&mut self, mut error: Box<Error>) -> Box<Error> {
        let most =
            self.forward.as_ref().and_then(|forward| forward.retry()).map_or(0, |retry| retry.attempts);
        error.set_retry(self.retries < most);
        self.retries += 1;
        error
    }

    /// The endpoint for this attempt.
    fn peer(&self, backend: &Backend) -> Box<HttpPeer> {
        let endpoint =
            &backend.endpoints[self.first.wrapping_add(self.retries as usize) % backend.endpoints.len()];
        let mut peer = HttpPeer::new(endpoint.address(), false, String::new());
        if backend.protocol == BackendProtocol::H2c {
            peer.options.set_http_version(2, 2);
        }
        Box::new(peer)
    }
}

// === impl Gateway ===

#[async_trait]
impl ProxyHttp for Gateway {
    type CTX = Context;

    fn new_ctx(&self) -> Context {
        Context { arrived: Instant::now(), forward: None, first: fastrand::usize(..), retries: 0 }
    }

    async fn request_filter(&self, session: &mut Session, context: &mut Context) -> Result<bool> {
        let table = self.tables.load_full();
        let Some((_, frontend)) = table.frontends().find(|(_, frontend)| frontend.port() == self.port) else {
            return answer(session, status(StatusCode::NOT_FOUND)).await;
        };
        let peer = session.client_addr().and_then(|address| address.as_inet());
        let address = peer.map(|peer| forwarded::address(peer.ip()));
        let arrival = Arrival {
            client: Client { address: address.as_ref(), secure: false },
            ..Arrival::new(frontend.owner().name(), self.port)
        };
        let parts = request::Parts::from(session.req_header().clone());
        match table.decide(&arrival, parts, &mut || fastrand::u64(..)) {
            Decision::Answer(response) => answer(session, response).await,
            // The options say that no service is asked, so no filter does.
            Decision::Ask(_) => answer(session, status(StatusCode::SERVICE_UNAVAILABLE)).await,
            Decision::Forward(forward) => {
                // Filters run once, here: however many attempts follow, all send what came out.
                self.mirror(context, &forward);
                context.forward = Some(forward);
                Ok(false)
            }
        }
    }

    async fn upstream_peer(&self, _: &mut Session, context: &mut Context) -> Result<Box<HttpPeer>> {
        let forward = context.forward()?;
        let timeouts = forward.timeouts();
        let left = || timeouts.request().map(|time| time.saturating_sub(context.arrived.elapsed()));
        if let Some(retry) = forward.retry().filter(|_| context.retries > 0) {
            let delay = retry.delay(context.retries);
            tokio::time::sleep(left().map_or(delay, |left| delay.min(left))).await;
        }
        let left = left();
        if left == Some(Duration::ZERO) {
            return Err(Error::new(ReadTimedout));
        }
        let mut peer = context.peer(forward.backend());
        let attempt = [left, timeouts.backend_request()].into_iter().flatten().min();
        peer.options.connection_timeout = Some(attempt.unwrap_or(CONNECT_WITHIN).min(CONNECT_WITHIN));
        peer.options.read_timeout = attempt;
        Ok(peer)
    }

    async fn upstream_request_filter(
        &self,
        _: &mut Session,
        upstream: &mut RequestHeader,
        context: &mut Context,
    ) -> Result<()> {
        // The version is the backend's, and what frames the body of HTTP/1.1 means nothing in another.
        let version = upstream.version;
        *upstream = RequestHeader::from(context.forward()?.request_parts().clone());
        upstream.set_version(version);
        if version == Version::HTTP_2 {
            upstream.remove_header(&header::TRANSFER_ENCODING);
        }
        Ok(())
    }

    async fn upstream_response_filter(
        &self,
        _: &mut Session,
        upstream: &mut ResponseHeader,
        context: &mut Context,
    ) -> Result<()> {
        let retry = context.forward()?.retry();
        if retry.is_some_and(|retry| retry.retries(upstream.status) && context.retries < retry.attempts) {
            return Err(context.again(Error::new(HTTPStatus(upstream.status.as_u16()))));
        }
        Ok(())
    }

    async fn response_filter(
        &self,
        _: &mut Session,
        upstream: &mut ResponseHeader,
        context: &mut Context,
    ) -> Result<()> {
        let mut parts = response::Parts::from(upstream.clone());
        context.forward()?.finish(&mut parts);
        *upstream = ResponseHeader::from(parts);
        Ok(())
    }

    fn fail_to_connect(
        &self,
        _: &mut Session,
        _: &HttpPeer,
        context: &mut Context,
        error: Box<Error>,
    ) -> Box<Error> {
        context.again(error)
    }

    fn error_while_proxy(
        &self,
        _: &HttpPeer,
        session: &mut Session,
        mut error: Box<Error>,
        context: &mut Context,
        _: bool,
    ) -> Box<Error> {
        let again = !session.as_ref().retry_buffer_truncated() && session.req_header().method.is_idempotent();
        match error.etype() {
            // An answer that is tried again is counted where it is seen.
            HTTPStatus(_) => error,
            ReadTimedout if again => context.again(error),
            // The backend may have processed the request, or its body cannot be sent again.
            _ => {
                error.set_retry(false);
                error
            }
        }
    }

    async fn fail_to_proxy(
        &self,
        session: &mut Session,
        error: &Error,
        context: &mut Context,
    ) -> FailToProxy {
        let status_of = |error: &Error| match error.etype() {
            ConnectTimedout | ReadTimedout | WriteTimedout => StatusCode::GATEWAY_TIMEOUT,
            ErrorType::ConnectRefused | ErrorType::ConnectError | ErrorType::ConnectNoRoute => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            _ => StatusCode::BAD_GATEWAY,
        };
        let (mut parts, body) = status(status_of(error)).into_parts();
        let error_code = parts.status.as_u16();
        if let Some(forward) = &context.forward {
            forward.finish_local(&mut parts);
        }
        // A client that has gone gets none.
        let _gone = answer(session, Response::from_parts(parts, body)).await;
        FailToProxy { error_code, can_reuse_downstream: false }
    }
}

impl Gateway {
    /// Sends the copies of a request; what becomes of them makes no difference.
    fn mirror(&self, context: &Context, forward: &Forward) {
        for copy in forward.mirrors() {
            let backend = forward.mirror_backend(copy);
            if backend.endpoints.is_empty() {
                continue;
            }
            let (peer, connector) = (context.peer(backend), Arc::clone(&self.mirrors));
            let mut head = RequestHeader::from(copy.parts.clone());
            head.remove_header(&header::CONTENT_LENGTH);
            head.remove_header(&header::TRANSFER_ENCODING);
            head.set_version(Version::HTTP_11);
            tokio::spawn(async move {
                let (mut session, _) = connector.get_http_session(&*peer).await?;
                session.write_request_header(Box::new(head)).await?;
                session.finish_request_body().await?;
                session.read_response_header().await
            });
        }
    }
}

/// Answers without a backend.
async fn answer(session: &mut Session, response: Response<Bytes>) -> Result<bool> {
    let (mut parts, body) = response.into_parts();
    parts.headers.insert(header::CONTENT_LENGTH, body.len().into());
    session.write_response_header(Box::new(ResponseHeader::from(parts)), body.is_empty()).await?;
    if !body.is_empty() {
        session.write_response_body(Some(body), true).await?;
    }
    Ok(true)
}

fn status(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

/// The manifests in a folder.
fn read(folder: &Path) -> io::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        // A file that has gone since is one that is not there.
        if let Ok(text) = fs::read_to_string(&path) {
            files.push((path.display().to_string(), text));
        }
    }
    files.sort();
    Ok(files)
}

/// The table of these manifests. Whatever is wrong with them is told.
fn table(files: &[(String, String)], generation: u64) -> RouteTable {
    let manifests = files.iter().map(|(name, text)| manifest::read(text, name));
    let Collection { resources, problems, .. } = manifests.collect();
    problems.iter().for_each(|problem| eprintln!("{problem}"));
    let mut options = Options {
        any_class: true,
        generation,
        external_auth: false,
        session_persistence: false,
        backend_traffic_policies: false,
        ..Options::default()
    };
    // It speaks no TLS with backends: what should go within TLS fails rather than go in plain text.
    options.features.remove(&Feature::BackendTlsPolicy);
    translate(&resources, &options).table
}

/// Keeps the table true to the folder.
fn follow(folder: &Path, tables: &ArcSwap<RouteTable>, mut seen: Vec<(String, String)>) {
    for generation in 2.. {
        thread::sleep(READ_EVERY);
        match read(folder) {
            Ok(files) if files != seen => {
                tables.store(Arc::new(table(&files, generation)));
                seen = files;
            }
            Ok(_) => {}
            Err(error) => eprintln!("{}: {error}", folder.display()),
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, address, offset] = &arguments[..] else {
        return Err("usage: gateway-pingora-example <folder with manifests> <address> <port offset>".into());
    };
    let (folder, offset) = (Path::new(folder).to_owned(), offset.parse::<u16>()?);
    let files = read(&folder)?;
    let tables = Arc::new(ArcSwap::from_pointee(table(&files, 1)));
    let mut server = Server::new(None)?;
    server.bootstrap();
    let mirrors = Arc::new(Connector::new(None));
    for port in PORTS {
        let gateway = Gateway { tables: Arc::clone(&tables), port, mirrors: Arc::clone(&mirrors) };
        let mut options = HttpServerOptions::default();
        options.h2c = true;
        let builder = ProxyServiceBuilder::new(&server.configuration, gateway).server_options(options);
        let mut service = builder.build();
        service.add_tcp(&format!("{address}:{}", port + offset));
        server.add_service(service);
    }
    thread::spawn(move || follow(&folder, &tables, files));
    server.run_forever()
}
