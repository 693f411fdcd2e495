//! Sockets that come and go, and connections that end.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use gateway_core::name::ObjectName;
use gateway_core::table::{Listener, ListenerProtocol, RouteTable, UnboundCause};
use gateway_tower::serve::{Addresses, Drained, NotBound, ServeOptions, Server};
use gateway_tower::upstream::{Upstream, UpstreamOptions};
use gateway_tower::{Connection, Gateway, TableHandle};
use http::{Response, StatusCode};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};

use crate::stream_table::Streams;
use crate::tls::handshake;
use crate::world::{
    Client, LONG, Table, World, backend, certificate, echo, full, gateway_name, get, get2, loopback,
    read_head,
};

/// A backend that says when a request has come, and answers it when it may.
struct SlowBackend {
    address: std::net::SocketAddr,
    arrived: mpsc::UnboundedReceiver<()>,
    may_answer: Arc<Semaphore>,
}

impl SlowBackend {
    async fn start() -> Self {
        let (sender, arrived) = mpsc::unbounded_channel();
        let may_answer = Arc::new(Semaphore::new(0));
        let answering = Arc::clone(&may_answer);
        let address = backend(move |_| {
            let (sender, answering) = (sender.clone(), Arc::clone(&answering));
            async move {
                sender.send(()).expect("the test listens");
                answering.acquire().await.expect("not closed").forget();
                Response::new(full("slow"))
            }
        })
        .await;
        Self { address, arrived, may_answer }
    }

    async fn arrival(&mut self) {
        tokio::time::timeout(LONG, self.arrived.recv()).await.expect("the request arrives");
    }
}

// GWL-11, GWL-16
#[tokio::test]
async fn ports_come_and_go_and_what_was_begun_is_finished() {
    let mut slow = SlowBackend::start().await;
    let world = World::start(&Table::new(1, slow.address).http(81)).await;
    let (port_80, port_81) = (world.address(80), world.address(81));
    let mut staying = Client::http1(TcpStream::connect(port_80).await.unwrap()).await;
    let mut going = Client::http1(TcpStream::connect(port_81).await.unwrap()).await;
    let mut going2 = Client::http2(TcpStream::connect(port_81).await.unwrap()).await;
    let mut idle = Client::http1(TcpStream::connect(port_81).await.unwrap()).await;
    slow.may_answer.add_permits(1);
    assert_eq!(idle.send(get("/")).await.text(), "slow");
    slow.arrival().await;

    let requests = tokio::spawn(async move {
        let answers =
            tokio::join!(staying.send(get("/")), going.send(get("/")), going2.send(get2("example.com", "/")));
        (answers, staying, going, going2)
    });
    for _ in 0..3 {
        slow.arrival().await;
    }
    // Port 81 goes, port 82 comes.
    world.swap(&Table::new(2, slow.address).http(82)).await;
    assert_eq!(world.address(80), port_80, "what stays is not touched");
    assert!(TcpStream::connect(port_81).await.is_err(), "nobody listens there any more");
    idle.closed().await;
    slow.may_answer.add_permits(4);
    let mut new = Client::http1(TcpStream::connect(world.address(82)).await.unwrap()).await;
    assert_eq!(new.send(get("/")).await.status, StatusCode::OK);

    let (answers, mut staying, mut going, mut going2) = requests.await.unwrap();
    for answer in [&answers.0, &answers.1, &answers.2] {
        assert_eq!((answer.status, answer.text()), (StatusCode::OK, "slow"));
    }
    assert_eq!(answers.1.headers["connection"], "close");
    assert!(!answers.0.headers.contains_key("connection"));
    going.closed().await;
    going2.closed().await;
    slow.may_answer.add_permits(1);
    assert_eq!(staying.send(get("/")).await.status, StatusCode::OK);
}

// GWL-11
#[tokio::test]
async fn a_port_that_turns_to_tls_is_bound_anew() {
    let backend = echo().await;
    let world = World::start(&Table::new(1, backend)).await;
    assert_eq!(world.send(get("/")).await.status, StatusCode::OK);
    let secure = Table::without_listener(2, backend).https(80, None, &certificate(&["example.com"]));
    world.swap(&secure).await;
    let answer =
        crate::world::exchange(world.address(80), b"GET / HTTP/1.1\r\nhost: example.com\r\n\r\n").await;
    assert!(!answer.contains("HTTP/1.1"), "{answer:?}");
    world.swap(&Table::new(3, backend)).await;
    assert_eq!(world.send(get("/")).await.status, StatusCode::OK);
}

async fn start_on(addresses: Addresses, table: &Table) -> (TableHandle, Server) {
    let tables = TableHandle::new(table.build());
    let gateway = Gateway::new(tables.clone(), Upstream::new(UpstreamOptions::default()));
    let services = move |connection: Arc<Connection>| gateway.clone().on(connection);
    let server = Server::start(&tables, addresses, ServeOptions::default(), services).await;
    (tables, server.unwrap_or_else(NotBound::into_server))
}

#[tokio::test]
async fn without_cryptography_a_port_with_tls_is_not_bound_and_the_server_says_so() {
    let table = Table::new(1, echo().await).https(443, None, &certificate(&["example.com"]));
    let (_tables, server) = start_on(loopback(), &table).await;
    let sockets = server.reached(1).await;
    let bound = |port| sockets.address(&gateway_name(), port).is_some();
    assert!(bound(80) && !bound(443), "{sockets:?}");
    let why = sockets.sockets.iter().find_map(|socket| socket.bound.as_ref().err());
    assert_eq!(why.unwrap().to_string(), "the server was started without TLS: set ServeOptions::tls");
}

// GWL-16
#[tokio::test]
async fn every_address_of_the_gateway_is_bound() {
    let addresses: Vec<IpAddr> = vec![
        Ipv4Addr::new(127, 0, 0, 1).into(),
        Ipv4Addr::new(127, 0, 0, 2).into(),
        Ipv6Addr::LOCALHOST.into(),
    ];
    let mut all = loopback();
    all.gateways.insert(gateway_name(), addresses.clone());
    all.others = Vec::new();
    let (_tables, server) = start_on(all, &Table::new(1, echo().await)).await;
    let sockets = server.reached(1).await;
    let bound: Vec<_> = sockets.sockets.iter().map(|socket| *socket.bound.as_ref().expect("bound")).collect();
    assert_eq!(bound.iter().map(|address| address.ip()).collect::<Vec<_>>(), addresses);
    for address in bound {
        let mut client = Client::http1(TcpStream::connect(address).await.unwrap()).await;
        assert_eq!(client.send(get("/")).await.status, StatusCode::OK);
    }
}

// GWL-13
#[tokio::test]
async fn a_server_that_cannot_bind_says_so_when_it_starts() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut addresses = loopback();
    addresses.ports.insert(81, taken.local_addr().unwrap().port());
    addresses.gateways.insert(gateway_name(), vec![Ipv4Addr::LOCALHOST.into(), "192.0.2.1".parse().unwrap()]);
    let tables = TableHandle::new(Table::new(1, echo().await).http(81).build());
    let gateway = Gateway::new(tables.clone(), Upstream::default());
    let services = move |connection: Arc<Connection>| gateway.clone().on(connection);
    let error = Server::start(&tables, addresses, ServeOptions::default(), services).await.unwrap_err();
    let causes: Vec<_> = error.sockets().unbound().into_iter().map(|it| (it.port, it.cause)).collect();
    let expected = [(81, UnboundCause::Port), (80, UnboundCause::Address), (81, UnboundCause::Address)];
    assert_eq!(causes, expected);
    let text = error.to_string();
    assert!(text.contains("port 81 of Gateway default/gateway cannot be bound at 127.0.0.1: "), "{text}");
    let server = error.into_server();
    let address = server.sockets().borrow().address(&gateway_name(), 80).expect("it is served nevertheless");
    let mut client = Client::http1(TcpStream::connect(address).await.unwrap()).await;
    assert_eq!(client.send(get("/")).await.status, StatusCode::OK);
}

// GWL-13
#[tokio::test]
async fn a_socket_that_serves_is_not_given_up_for_another_port() {
    let backend = echo().await;
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let mut addresses = loopback();
    addresses.ports.extend([(81, free), (82, free)]);
    let table = Table::without_listener(1, backend).http(82);
    let (tables, server) = start_on(addresses, &table).await;
    let address = server.sockets().borrow().address(&gateway_name(), 82).expect("it is bound");
    let mut client = Client::http1(TcpStream::connect(address).await.unwrap()).await;
    client.send(get("/")).await;

    // Port 81 goes before 82 in every other respect.
    let sockets = server.reached(tables.store(table.http(81).build())).await;
    assert_eq!(sockets.address(&gateway_name(), 82), Some(address));
    assert_eq!(sockets.address(&gateway_name(), 81), None);
    assert_eq!(client.send(get("/")).await.status, StatusCode::OK, "connections stay too");
}

// GWA-01, GWL-16
#[tokio::test]
async fn a_gateway_is_bound_at_the_addresses_that_it_has_in_the_table() {
    let mut table = RouteTable::builder(1);
    for name in ["first", "second", "third"] {
        let name = ObjectName::new("default", name);
        table.listener(Listener::new(name, "http", 80, ListenerProtocol::Http));
    }
    let own = |address: &str| vec![address.parse().unwrap()];
    let addresses = [("first", own("127.0.0.2")), ("second", own("127.0.0.3"))];
    table.addresses(addresses.map(|(name, own)| (ObjectName::new("default", name), own)).into());
    let tables = TableHandle::new(table.build());
    let gateway = Gateway::new(tables.clone(), Upstream::default());
    let services = move |connection: Arc<Connection>| gateway.clone().on(connection);
    let server = Server::start(&tables, loopback(), ServeOptions::default(), services).await.unwrap();
    let sockets = server.sockets().borrow().clone();
    let bound = |name| sockets.address(&ObjectName::new("default", name), 80).unwrap().ip().to_string();
    assert_eq!(["first", "second", "third"].map(bound), ["127.0.0.2", "127.0.0.3", "127.0.0.1"]);
}

// GWL-13, GWL-16
#[tokio::test]
async fn a_port_that_is_taken_is_reported_and_bound_when_it_is_free() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let mut addresses = loopback();
    addresses.ports.insert(81, port);
    let (_tables, server) = start_on(addresses, &Table::new(1, echo().await).http(81)).await;
    let sockets = server.reached(1).await;
    assert!(sockets.address(&gateway_name(), 80).is_some(), "the other port is served");
    assert_eq!(sockets.address(&gateway_name(), 81), None);
    let failed = sockets.sockets.iter().find(|socket| socket.port == 81).expect("it is listed");
    assert!(failed.bound.as_ref().is_err_and(|error| error.message.contains("in use")), "{failed:?}");

    drop(taken);
    let mut watch = server.sockets();
    tokio::time::timeout(LONG, watch.wait_for(gateway_tower::serve::Sockets::all_good))
        .await
        .expect("it is tried again")
        .expect("the server runs");
}

// GWL-16
#[tokio::test]
async fn two_ports_at_one_address_are_not_both_bound() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let mut addresses = loopback();
    addresses.ports.extend([(81, free), (82, free)]);
    let (_tables, server) = start_on(addresses, &Table::new(1, echo().await).http(81).http(82)).await;
    let sockets = server.reached(1).await;
    let bound =
        |port| sockets.sockets.iter().find(|socket| socket.port == port).expect("listed").bound.clone();
    assert!(bound(81).is_ok());
    assert_eq!(bound(82).unwrap_err().to_string(), "another port is bound there");
}

// GWL-16
#[tokio::test]
async fn a_gateway_can_move_to_another_address() {
    let (_tables, server) = start_on(loopback(), &Table::new(1, echo().await)).await;
    let before = server.reached(1).await.address(&gateway_name(), 80).unwrap();
    let mut addresses = loopback();
    addresses.others = vec![Ipv4Addr::new(127, 0, 0, 2).into()];
    server.rebind(addresses);
    let moved = |sockets: &gateway_tower::serve::Sockets| {
        sockets.address(&gateway_name(), 80).is_some_and(|address| address.ip().to_string() == "127.0.0.2")
    };
    tokio::time::timeout(LONG, server.sockets().wait_for(moved))
        .await
        .expect("it moves")
        .expect("the server runs");
    assert!(TcpStream::connect(before).await.is_err());
}

#[tokio::test]
async fn a_drain_finishes_what_was_begun_and_takes_nothing_new() {
    let mut slow = SlowBackend::start().await;
    let world = World::start(&Table::new(1, slow.address)).await;
    let address = world.address(80);
    let mut http1 = Client::http1(world.connect().await).await;
    let mut http2 = Client::http2(world.connect().await).await;
    let silent = world.connect().await;
    let requests = tokio::spawn(async move {
        let answers = tokio::join!(http1.send(get("/")), http2.send(get2("example.com", "/")));
        (answers, http1, http2)
    });
    slow.arrival().await;
    slow.arrival().await;
    let drain = tokio::spawn(world.server.drain(LONG));
    // The connection without a request is closed first; then no socket listens.
    let mut silent = silent;
    assert_eq!(silent.read(&mut [0; 1]).await.unwrap_or(0), 0);
    assert!(TcpStream::connect(address).await.is_err());
    assert!(!drain.is_finished());
    slow.may_answer.add_permits(2);
    let (answers, mut http1, mut http2) = requests.await.unwrap();
    assert_eq!((answers.0.text(), answers.1.text()), ("slow", "slow"));
    assert_eq!(answers.0.headers["connection"], "close");
    http1.closed().await;
    http2.closed().await;
    assert_eq!(drain.await.unwrap(), Drained { cut: 0 });
}

#[tokio::test]
async fn clients_are_asked_to_go_elsewhere_and_served_meanwhile() {
    let world = World::start(&Table::new(1, echo().await)).await;
    let mut http1 = Client::http1(world.connect().await).await;
    let mut http2 = Client::http2(world.connect().await).await;
    assert!(http1.send(get("/")).await.headers.get("connection").is_none());
    assert_eq!(http2.send(get2("example.com", "/")).await.status, StatusCode::OK);
    world.server.wind_down();
    http2.closed().await;
    // A connection of HTTP/1.1 goes on until its next answer, which says so; and those that come are served alike.
    for mut client in [http1, Client::http1(world.connect().await).await] {
        let answer = client.send(get("/")).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.headers["connection"], "close");
        client.closed().await;
    }
    assert_eq!(world.server.drain(LONG).await, Drained { cut: 0 });
}

#[tokio::test]
async fn a_drain_cuts_off_what_takes_too_long() {
    let mut slow = SlowBackend::start().await;
    let world = World::start(&Table::new(1, slow.address)).await;
    let mut client = Client::http1(world.connect().await).await;
    let request = tokio::spawn(async move { client.begin(get("/")).await.map(|response| response.status()) });
    slow.arrival().await;
    assert_eq!(world.server.drain(Duration::from_millis(200)).await, Drained { cut: 1 });
    assert!(request.await.unwrap().is_err());
}

#[tokio::test]
async fn dropping_the_server_closes_everything() {
    let mut slow = SlowBackend::start().await;
    let world = World::start(&Table::new(1, slow.address)).await;
    let address = world.address(80);
    let mut client = Client::http1(world.connect().await).await;
    let request = tokio::spawn(async move { client.begin(get("/")).await.map(|response| response.status()) });
    slow.arrival().await;
    drop(world.server);
    assert!(tokio::time::timeout(LONG, request).await.expect("it is closed").unwrap().is_err());
    assert!(TcpStream::connect(address).await.is_err());
}

fn quick(change: impl FnOnce(&mut ServeOptions)) -> ServeOptions {
    let mut options = ServeOptions {
        idle_timeout: None,
        head_timeout: None,
        stall_timeout: None,
        ..ServeOptions::default()
    };
    change(&mut options);
    options
}

const SECOND: Option<Duration> = Some(Duration::from_secs(1));

#[tokio::test]
async fn connections_without_requests_are_closed() {
    let options = quick(|options| options.idle_timeout = SECOND);
    let world = World::with(&Table::new(1, echo().await), options, UpstreamOptions::default()).await;
    let mut http1 = Client::http1(world.connect().await).await;
    let mut http2 = Client::http2(world.connect().await).await;
    http1.send(get("/")).await;
    http2.send(get2("example.com", "/")).await;
    http1.closed().await;
    http2.closed().await;
    let mut silent = world.connect().await;
    assert_eq!(tokio::time::timeout(LONG, silent.read(&mut [0; 1])).await.expect("closed").unwrap_or(0), 0);
}

#[tokio::test]
async fn a_head_that_does_not_end_closes_the_connection() {
    let options = quick(|options| options.head_timeout = SECOND);
    let world = World::with(&Table::new(1, echo().await), options, UpstreamOptions::default()).await;
    let mut stream = world.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: example.com\r\n\r\n").await.unwrap();
    read_head(&mut stream).await;
    let (mut read, mut write) = stream.into_split();
    let trickle = tokio::spawn(async move {
        // A byte now and then does not help.
        while write.write_all(b"G").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let mut rest = Vec::new();
    let _ = tokio::time::timeout(LONG, read.read_to_end(&mut rest)).await.expect("the server closes it");
    tokio::time::timeout(LONG, trickle).await.expect("in both directions").unwrap();
}

#[tokio::test]
async fn a_client_of_http_2_that_says_nothing_is_sent_away() {
    let options = quick(|options| options.head_timeout = SECOND);
    let table = Table::new(1, echo().await).https(443, None, &certificate(&["example.com"]));
    let world = World::with(&table, options, UpstreamOptions::default()).await;
    let closed = async |stream: &mut (dyn AsyncRead + Send + Unpin)| {
        let read = tokio::time::timeout(LONG, stream.read_to_end(&mut Vec::new())).await;
        let _ = read.expect("the server closes it");
    };
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    for said in [&b""[..], PREFACE, &[PREFACE, &[0, 0, 6, 4, 0, 0, 0, 0, 0]].concat()] {
        let mut secure = handshake(&world, "example.com", &["h2"]).await.unwrap();
        secure.write_all(said).await.unwrap();
        closed(&mut secure).await;
    }
    // Without TLS, it is HTTP/2 by what is said.
    for said in [&PREFACE[..3], PREFACE] {
        let mut stream = world.connect().await;
        stream.write_all(said).await.unwrap();
        closed(&mut stream).await;
    }
    // One that has said what it has to may take its time.
    let mut client = Client::http2(world.connect().await).await;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(client.send(get2("example.com", "/")).await.status, 200);
}

#[tokio::test]
async fn a_body_that_does_not_come_closes_the_connection() {
    let options = quick(|options| options.stall_timeout = SECOND);
    let world = World::with(&Table::new(1, echo().await), options, UpstreamOptions::default()).await;
    let mut stream = world.connect().await;
    stream.write_all(b"POST / HTTP/1.1\r\nhost: example.com\r\ncontent-length: 9\r\n\r\nhalf").await.unwrap();
    let mut rest = Vec::new();
    let _ = tokio::time::timeout(LONG, stream.read_to_end(&mut rest)).await.expect("the server closes it");
}

#[tokio::test]
async fn more_connections_than_allowed_wait() {
    let options = quick(|options| options.max_connections = 2);
    let world = World::with(&Table::new(1, echo().await), options, UpstreamOptions::default()).await;
    let mut first = Client::http1(world.connect().await).await;
    let mut second = Client::http1(world.connect().await).await;
    first.send(get("/")).await;
    second.send(get("/")).await;
    let mut third = Client::http1(world.connect().await).await;
    let waiting = tokio::time::timeout(Duration::from_millis(300), third.begin(get("/"))).await;
    assert!(waiting.is_err(), "it waits in the backlog");
    drop(first);
    let mut fourth = Client::http1(world.connect().await).await;
    drop(third);
    fourth.send(get("/")).await;
}

#[tokio::test]
async fn a_port_can_be_shared_where_that_is_wanted() {
    let backend = echo().await;
    let share = || ServeOptions { reuse_port: true, ..ServeOptions::default() };
    let start = async |addresses: Addresses| {
        let tables = TableHandle::new(Table::new(1, backend).build());
        let gateway = Gateway::new(tables.clone(), Upstream::default());
        let services = move |connection: Arc<Connection>| gateway.clone().on(connection);
        let server = Server::start(&tables, addresses, share(), services).await.expect("all is bound");
        let address = server.reached(1).await.address(&gateway_name(), 80);
        (server, address.expect("it is bound"))
    };
    let (_first, address) = start(loopback()).await;
    let mut same = loopback();
    same.ports.insert(80, address.port());
    let (second, shared) = start(same).await;
    assert_eq!(shared, address);
    // The connections that are left in the backlog of the second go with it; those that come then, to the first.
    second.drain(LONG).await;
    let mut client = Client::http1(TcpStream::connect(address).await.unwrap()).await;
    assert_eq!(client.send(get("/")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn all_sockets_together_take_no_more_connections_than_they_may() {
    let options = ServeOptions { max_connections_in_all: 2, ..ServeOptions::default() };
    let table = Table::new(1, echo().await).http(81);
    let world = World::with(&table, options, UpstreamOptions::default()).await;
    let mut idle = Vec::new();
    for port in [80, 81] {
        let mut client = Client::http1(TcpStream::connect(world.address(port)).await.unwrap()).await;
        assert_eq!(client.send(get("/")).await.status, StatusCode::OK);
        idle.push(client);
    }
    let mut waiting = world.connect().await;
    waiting.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    let early = tokio::time::timeout(Duration::from_millis(300), waiting.read_to_string(&mut answer)).await;
    assert!(early.is_err(), "there is no room for it: {answer}");
    idle.pop();
    tokio::time::timeout(LONG, waiting.read_to_string(&mut answer)).await.expect("there is room").unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

/// A tenant who may write Gateways can ask for any number of ports.
#[tokio::test]
async fn there_is_room_for_so_many_sockets_and_what_is_bound_stays() {
    let table = |generation, ports: &[u16]| {
        let mut table = Streams::new(generation);
        ports.iter().for_each(|port| _ = table.listener(*port, "", ListenerProtocol::Http));
        table
    };
    // Half of it for one namespace.
    let options = ServeOptions { max_sockets: 4, ..ServeOptions::default() };
    let world = table(1, &[81, 82]).start(options).await;
    let stored = world.tables.store(table(2, &[80, 81, 82]).builder.build());
    let sockets = tokio::time::timeout(LONG, world.server.reached(stored)).await.unwrap();
    let unbound = sockets.unbound();
    assert_eq!(unbound.iter().map(|it| it.port).collect::<Vec<_>>(), [80]);
    assert!(unbound[0].message.contains("no room"), "{unbound:?}");
    let stored = world.tables.store(table(3, &[80, 82]).builder.build());
    let sockets = tokio::time::timeout(LONG, world.server.reached(stored)).await.unwrap();
    assert!(sockets.all_good(), "{sockets:?}");
}
