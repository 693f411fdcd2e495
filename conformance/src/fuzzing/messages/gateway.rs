//! A gateway between a client and backends of a test, without sockets of the network, and without waiting.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use gateway_core::matching::{Conditions, HeaderMatch, HttpMatch, PathMatch, ValueMatch};
use gateway_core::name::{Age, ObjectName, RouteKey, RouteKind};
use gateway_core::rule::{Backend, BackendProtocol, BackendRef, BackendTarget, Backends, HttpRule, RuleName};
use gateway_core::table::{Listener, ListenerProtocol, RouteTable};
use gateway_tower::serve::{ServeOptions, serve_one};
use gateway_tower::upstream::{Upstream, UpstreamOptions, connect_by};
use gateway_tower::{Connection, Gateway, TableHandle};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// The rules: what they ask for beside any host. Each has a backend of its own.
pub(super) const RULES: [(&str, Option<(&str, &str)>); 5] = [
    ("/", None),
    ("/admin", None),
    ("/", Some(("x-user", "root"))),
    ("/gr%C3%BCn", None),
    ("/", Some(("x-forwarded-proto", "https"))),
];

/// A step of the clock, which stands still while there is anything to do.
pub(super) const STEP: Duration = Duration::from_millis(20);

/// The most pieces in which something is sent.
const PIECES: usize = 64;

/// After so many steps without a byte nothing will happen any more: the other side has sent all its [pieces](PIECES), and the
/// gateway waits no longer, for a backend that is to say that it goes on.
const QUIET: u32 = 200;

/// How backends are spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spoken {
    Http1,
    Http2,
}

/// The name of the Gateway, which listens at port 80.
pub(super) fn name() -> ObjectName {
    ObjectName::new("default", "gateway")
}

/// Runs with a clock that stands still while there is anything to do.
pub(super) fn run<T>(future: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().start_paused(true).build();
    runtime.expect("a runtime needs no more than descriptors").block_on(future)
}

/// A connection to a gateway whose backends are made by this: one call for each connection, with the port of the endpoint, which in
/// the [table](table) of rules is the number of the rule.
pub(super) fn gateway<F>(
    table: RouteTable,
    backend: impl Fn(usize, TcpStream) -> F + 'static,
) -> (TcpStream, JoinHandle<()>)
where
    F: Future<Output = ()> + Send + 'static,
{
    connect_by(move |endpoint| {
        let (ours, theirs) = pair()?;
        tokio::spawn(backend(usize::from(endpoint.port()), theirs));
        Ok(ours)
    });
    let gateway = Gateway::new(TableHandle::new(table), Upstream::new(UpstreamOptions::default()));
    let (client, server) = pair().expect("there are descriptors");
    let serving = tokio::spawn(async move {
        let services = move |connection: Arc<Connection>| gateway.clone().on(connection);
        serve_one(server, (name(), 80), &ServeOptions::default(), services).await;
    });
    (client, serving)
}

/// How long the pieces are in which these bytes are sent: as long as a byte of the input says, in two of its bits.
pub(super) fn piece(how: u8, bytes: &[u8]) -> usize {
    let wanted = [usize::MAX, 100, 16, 1][usize::from(how >> 1 & 3)];
    wanted.max(bytes.len().div_ceil(PIECES)).max(1)
}

/// Sends bytes in pieces, closes that side, and reads to the end, or until nothing more happens.
pub(super) async fn sent(client: TcpStream, bytes: &[u8], piece: usize) -> Vec<u8> {
    let (mut from, mut to) = client.into_split();
    let writing = async {
        for piece in bytes.chunks(piece) {
            // The server may close before it has read everything.
            if to.write_all(piece).await.is_err() {
                break;
            }
            sleep(STEP).await;
        }
        let _ = to.shutdown().await;
    };
    let reading = async {
        let (mut answer, mut quiet) = (Vec::new(), 0);
        while quiet < QUIET {
            match timeout(STEP, from.read_buf(&mut answer)).await {
                // A reset is an end too.
                Ok(Ok(0) | Err(_)) => break,
                Ok(Ok(_)) => quiet = 0,
                Err(_) => quiet += 1,
            }
        }
        answer
    };
    tokio::join!(writing, reading).1
}

/// What the task of the server has to say about itself: it must not have panicked.
pub(super) async fn ended(serving: JoinHandle<()>) {
    serving.abort();
    if let Err(error) = serving.await
        && let Ok(panic) = error.try_into_panic()
    {
        std::panic::resume_unwind(panic);
    }
}

/// The two ends of a connection. Sockets of the network would run out of ports.
fn pair() -> io::Result<(TcpStream, TcpStream)> {
    let (one, other) = UnixStream::pair()?;
    Ok((stream(one)?, stream(other)?))
}

fn stream(end: UnixStream) -> io::Result<TcpStream> {
    end.set_nonblocking(true)?;
    TcpStream::from_std(OwnedFd::from(end).into())
}

/// The rules, for all hosts.
pub(super) fn table(spoken: Spoken) -> &'static RouteTable {
    static TABLES: LazyLock<[RouteTable; 2]> =
        LazyLock::new(|| [BackendProtocol::Http1, BackendProtocol::H2c].map(table_of));
    let [http1, http2] = &*TABLES;
    match spoken {
        Spoken::Http1 => http1,
        Spoken::Http2 => http2,
    }
}

fn table_of(protocol: BackendProtocol) -> RouteTable {
    let mut table = RouteTable::builder(1);
    let name = ObjectName::new("default", "route");
    let id = Arc::new(RouteKey::new(RouteKind::Http, name.clone()));
    let mut rules = Vec::new();
    for (index, (path, header)) in RULES.into_iter().enumerate() {
        let endpoint = SocketAddr::from(([10, 0, 0, 1], index as u16));
        let backend = table.backend(Backend {
            service: ObjectName::new("default", "backend"),
            port: 80,
            protocol,
            endpoints: [endpoint.into()].into(),
            ..Backend::default()
        });
        let headers = header.map(|(name, value)| HeaderMatch {
            name: name.parse().expect("a header name"),
            value: ValueMatch::exact(value),
        });
        let matches =
            HttpMatch { path: PathMatch::prefix(path), conditions: Conditions::new(None, headers, []) };
        let rule = HttpRule {
            backends: Backends::new([BackendRef { target: BackendTarget::Backend(backend), weight: 1 }]),
            ..HttpRule::new(RuleName { route: Arc::clone(&id), index: index as u16, name: None })
        };
        rules.push(([matches].into(), rule));
    }
    let route = table.http_route(Age::new(None, &name), rules);
    let listener = table.listener(listener());
    table.attach(route, listener, &[]);
    table.build()
}

/// The listener of the Gateway.
pub(super) fn listener() -> Listener {
    Listener::new(name(), "http", 80, ListenerProtocol::Http)
}
