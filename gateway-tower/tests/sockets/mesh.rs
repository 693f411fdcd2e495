//! The server of a mesh: what some Route is for, what goes on to where it was addressed, and whose the clients are.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use gateway_core::filter::{HeaderModifier, HttpFilter};
use gateway_core::matching::{HttpMatch, PathMatch};
use gateway_core::name::{Age, ListenerOwnerKind, ObjectName, RouteKey, RouteKind};
use gateway_core::rule::{Backend, BackendProtocol, BackendRef, BackendTarget, Backends, HttpRule, RuleName};
use gateway_core::table::{FrontendOwner, Listener, ListenerProtocol, RouteTable};
use gateway_tower::serve::{
    ClientNamespaces, MeshOptions, MeshServer, NamespacesInTable, OneNamespace, OriginalDestination,
    ProxyHeader, ProxyHeaderVersion, ResolveDestination, ServeOptions,
};
use gateway_tower::upstream::Upstream;
use gateway_tower::{Connection, Gateway, TableHandle};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::streams::all;
use crate::world::{Client, LONG, echo, get, get2, raw_backend};

/// The address of the Service `shop/cart`.
const CART: Ipv4Addr = Ipv4Addr::new(10, 96, 0, 1);

/// The address of a pod of the namespace `desk`.
const DESK: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 7);

/// A table with the Service `shop/cart`, whose port 80 has a Route in each of these namespaces for the clients of the namespace, or
/// of all if it is `shop`: it sends to the backend what begins with `/a`, and says whose it is.
fn table(backend: SocketAddr, routes: &[&str]) -> RouteTable {
    table_at(backend, routes, CART, Some("desk"))
}

/// The same, with another address of the Service, or with another namespace that the pod is in, as far as it is known.
fn table_at(
    backend: SocketAddr,
    routes: &[&str],
    address: impl Into<IpAddr>,
    namespace: Option<&str>,
) -> RouteTable {
    let mut table = RouteTable::builder(1);
    let cart = ObjectName::new("shop", "cart");
    let backend = table.backend(Backend {
        service: ObjectName::new("shop", "echo"),
        port: 80,
        protocol: BackendProtocol::Http1,
        endpoints: [backend.into()].into(),
        ..Backend::default()
    });
    for namespace in routes {
        let listener = table.listener(Listener {
            frontend: match *namespace {
                "shop" => FrontendOwner::Service(cart.clone()),
                other => FrontendOwner::ServiceFor(cart.clone(), other.into()),
            },
            owner_kind: ListenerOwnerKind::Service,
            owner: cart.clone(),
            name: "http".into(),
            port: 80,
            protocol: ListenerProtocol::Http,
            hostname: None,
        });
        let name = ObjectName::new(*namespace, "cart");
        let by = HeaderModifier::new([("by", *namespace)], [], []).expect("a header");
        let rule = HttpRule {
            filters: [HttpFilter::RequestHeaderModifier(by)].into(),
            backends: Backends::new([BackendRef { target: BackendTarget::Backend(backend), weight: 1 }]),
            ..HttpRule::new(RuleName {
                route: Arc::new(RouteKey::new(RouteKind::Http, name.clone())),
                index: 0,
                name: None,
            })
        };
        let matches = HttpMatch { path: PathMatch::prefix("/a"), ..HttpMatch::default() };
        let route = table.http_route(Age::new(None, &name), [([matches].into(), rule)]);
        table.attach(route, listener, &[]);
    }
    if !routes.is_empty() {
        table.services([(address.into(), cart)].into());
    }
    table.workloads([(DESK.into(), namespace.map(Into::into))]);
    table.build()
}

struct World {
    tables: TableHandle,
    server: MeshServer,
}

impl World {
    /// A mesh behind something that says by PROXY headers who goes where.
    fn start(table: RouteTable) -> Self {
        let tables = TableHandle::new(table);
        let clients = Arc::new(NamespacesInTable(tables.clone()));
        Self::with(tables, OriginalDestination::ProxyHeader, clients)
    }

    fn with(
        tables: TableHandle,
        destination: OriginalDestination,
        clients: Arc<dyn ClientNamespaces>,
    ) -> Self {
        let address = (Ipv4Addr::LOCALHOST, 0).into();
        let mesh = MeshOptions { destination, clients, max_connections_of_client: usize::MAX };
        Self::at(&[address], ServeOptions::default(), tables, mesh)
    }

    fn at(addresses: &[SocketAddr], options: ServeOptions, tables: TableHandle, mesh: MeshOptions) -> Self {
        let gateway = Gateway::new(tables.clone(), Upstream::default());
        let services = move |connection: Arc<Connection>| gateway.clone().on(connection);
        let server = MeshServer::start(&tables, addresses, options, mesh, services);
        Self { tables, server: server.expect("there is a free port") }
    }

    fn address(&self) -> SocketAddr {
        self.server.addresses()[0]
    }

    /// A connection of a client that dials an address.
    async fn dial(&self, client: impl Into<IpAddr>, dialled: SocketAddr) -> TcpStream {
        let mut stream = TcpStream::connect(self.address()).await.expect("the server accepts");
        let header = ProxyHeader { peer: SocketAddr::new(client.into(), 4000), local: dialled };
        stream.write_all(&header.written(ProxyHeaderVersion::V2)).await.expect("it is taken");
        stream
    }
}

fn cart(port: u16) -> SocketAddr {
    (CART, port).into()
}

/// A backend that says its name, and then what it reads, in upper case.
async fn shouting() -> SocketAddr {
    raw_backend(|mut stream| async move {
        let _ = stream.write_all(b"name ").await;
        if let Ok(text) = all(&mut stream).await {
            let _ = stream.write_all(text.to_uppercase().as_bytes()).await;
        }
    })
    .await
}

// MSH-01, MSH-02, MSH-08; GRP-18 for the version.
#[tokio::test]
async fn requests_to_a_service_with_a_route_are_decided_about() {
    let world = World::start(table(echo().await, &["shop"]));
    let mut client = Client::http1(world.dial(DESK, cart(80)).await).await;
    let answer = client.send(get("/a/b")).await;
    assert!(answer.text().starts_with("GET /a/b HTTP/1.1\nby: shop\n"), "{}", answer.text());
    assert!(answer.text().contains("host: example.com\n"), "whatever host it names");
    assert!(answer.text().contains("x-forwarded-for: 10.0.0.7\n"), "{}", answer.text());
    assert_eq!(client.send(get("/b")).await.status, 404, "where there is a Route, all else is refused");
    let mut client = Client::http2(world.dial(DESK, cart(80)).await).await;
    assert!(client.send(get2("other.test", "/a")).await.text().contains("by: shop\n"));
    assert_eq!(world.server.drain(LONG).await.cut, 0);
}

#[cfg(feature = "metrics")]
#[tokio::test]
async fn connections_of_workloads_are_counted() {
    use gateway_tower::metrics::Metrics;
    use gateway_tower::metrics::prometheus_client::encoding::text::encode;
    use gateway_tower::metrics::prometheus_client::registry::Registry;

    let tables = TableHandle::new(table(echo().await, &["shop"]));
    let metrics = Metrics::new(tables.clone());
    let mut registry = Registry::default();
    registry.register_collector(Box::new(metrics.clone()));
    let gateway = Gateway::new(tables.clone(), Upstream::default());
    let services = move |connection: Arc<Connection>| gateway.clone().on(connection);
    let clients = Arc::new(NamespacesInTable(tables.clone()));
    let mesh = MeshOptions {
        destination: OriginalDestination::ProxyHeader,
        clients,
        max_connections_of_client: usize::MAX,
    };
    let options = ServeOptions { observer: Some(Arc::new(metrics)), ..ServeOptions::default() };
    let address = (Ipv4Addr::LOCALHOST, 0).into();
    let server = MeshServer::start(&tables, &[address], options, mesh, services);
    let world = World { tables, server: server.expect("there is a free port") };
    let mut client = Client::http1(world.dial(DESK, cart(80)).await).await;
    assert_eq!(client.send(get("/a")).await.status, 200);
    let mut text = String::new();
    encode(&mut text, &registry).unwrap();
    let place = r#"{gateway="mesh",network_transport="tcp",port="0"}"#;
    for counted in ["gateway_connections_open", "gateway_connections_accepted_total"] {
        assert!(text.contains(&format!("{counted}{place} 1\n")), "{text}");
    }
    drop(client);
    assert_eq!(world.server.drain(LONG).await.cut, 0);
}

// MSH-08
#[tokio::test]
async fn what_no_route_is_for_goes_on_to_where_it_was_addressed() {
    let backend = shouting().await;
    let world = World::start(table(echo().await, &["shop"]));
    let mut client = world.dial(DESK, backend).await;
    let mut name = [0; 5];
    client.read_exact(&mut name).await.expect("the other side may speak first");
    client.write_all(b"GET / HTTP").await.unwrap();
    client.shutdown().await.unwrap();
    assert_eq!(all(&mut client).await.unwrap(), "GET / HTTP");
    // No backend is there.
    let gone = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    let mut client = world.dial(DESK, gone).await;
    assert_eq!(all(&mut client).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
}

// MSH-04, MSH-05, MSH-06
#[tokio::test]
async fn a_route_of_another_namespace_is_for_the_clients_there() {
    let world = World::start(table(echo().await, &["shop", "desk"]));
    for (client, by) in [(DESK, "desk"), (Ipv4Addr::new(10, 0, 0, 8), "shop")] {
        let mut client = Client::http1(world.dial(client, cart(80)).await).await;
        let answer = client.send(get("/a")).await;
        assert!(answer.text().contains(&format!("by: {by}\n")), "{}", answer.text());
    }
    let tables = world.tables.clone();
    let one = Arc::new(OneNamespace("desk".into()));
    let beside_a_pod = World::with(tables, OriginalDestination::ProxyHeader, one);
    let mut client = Client::http1(beside_a_pod.dial(Ipv4Addr::new(10, 0, 0, 8), cart(80)).await).await;
    assert!(client.send(get("/a")).await.text().contains("by: desk\n"));
}

// MSH-08
#[tokio::test]
async fn a_connection_ends_when_no_route_is_for_it_any_more() {
    let backend = echo().await;
    let world = World::start(table(backend, &["shop", "desk"]));
    let mut client = Client::http1(world.dial(DESK, cart(80)).await).await;
    assert!(client.send(get("/a")).await.text().contains("by: desk\n"));
    // There is another one still.
    world.tables.store(table(backend, &["shop"]));
    assert!(client.send(get("/a")).await.text().contains("by: shop\n"));
    world.tables.store(table(backend, &[]));
    client.closed().await;
    // What was passed on stays so when a Route comes.
    let shouting = shouting().await;
    let mut passed = world.dial(DESK, shouting).await;
    world.tables.store(table(backend, &["shop"]));
    passed.write_all(b"x").await.unwrap();
    passed.shutdown().await.unwrap();
    assert_eq!(all(&mut passed).await.unwrap(), "name X");
}

#[tokio::test]
async fn connections_to_the_mesh_itself_are_reset_and_do_not_go_round() {
    let world = World::start(table(echo().await, &[]));
    let mut client = world.dial(DESK, world.address()).await;
    assert!(all(&mut client).await.is_err());
    // Nothing has redirected this one.
    let tables = world.tables.clone();
    let one = Arc::new(OneNamespace("desk".into()));
    let redirected = World::with(tables, OriginalDestination::Redirected, one);
    let mut client = TcpStream::connect(redirected.address()).await.unwrap();
    assert!(all(&mut client).await.is_err());
}

#[derive(Debug)]
struct ToCart;

impl ResolveDestination for ToCart {
    fn destination(&self, client: SocketAddr, local: SocketAddr) -> io::Result<SocketAddr> {
        assert!(client.ip().is_loopback() && local.ip().is_loopback());
        Ok(cart(80))
    }
}

#[tokio::test]
async fn an_embedding_may_know_by_itself_where_connections_go() {
    let tables = TableHandle::new(table(echo().await, &["shop"]));
    let resolver = OriginalDestination::Resolver(Arc::new(ToCart));
    let clients = Arc::new(NamespacesInTable(tables.clone()));
    let world = World::with(tables, resolver, clients);
    let mut client = Client::http1(TcpStream::connect(world.address()).await.unwrap()).await;
    assert!(client.send(get("/a")).await.text().contains("by: shop\n"));
}

#[tokio::test]
async fn what_is_under_way_is_finished_when_the_server_drains() {
    let world = World::start(table(echo().await, &["shop"]));
    let mut client = Client::http1(world.dial(DESK, cart(80)).await).await;
    assert_eq!(client.send(get("/a")).await.status, 200);
    let address = world.address();
    world.server.wind_down();
    assert_eq!(world.server.drain(Duration::from_secs(5)).await.cut, 0);
    timeout(LONG, client.closed()).await.expect("an idle connection is closed");
    assert!(TcpStream::connect(address).await.is_err());
}

/// A mesh at these addresses behind something that says by PROXY headers who goes where, each with so many connections at most.
fn behind_proxy(addresses: &[SocketAddr], options: ServeOptions, most: usize, table: RouteTable) -> World {
    let tables = TableHandle::new(table);
    let clients = Arc::new(NamespacesInTable(tables.clone()));
    let destination = OriginalDestination::ProxyHeader;
    World::at(
        addresses,
        options,
        tables,
        MeshOptions { destination, clients, max_connections_of_client: most },
    )
}

// MSH-08
#[tokio::test]
async fn workloads_reach_a_gateway_of_the_same_process_whatever_many_they_are() {
    // More than there may be of the gateway's own connections to itself.
    const WORKLOADS: usize = 300;
    let gateway = crate::world::World::start(&crate::world::Table::new(1, echo().await)).await;
    let mesh = World::start(table(echo().await, &["shop"]));
    let mut clients = Vec::new();
    for _ in 0..WORKLOADS {
        let mut client = Client::http1(mesh.dial(DESK, gateway.address(80)).await).await;
        assert_eq!(client.send(get("/")).await.status, 200);
        clients.push(client);
    }
}

// MSH-05: a workload that dials the mesh itself would be believed whatever it says about its namespace.
#[tokio::test]
async fn no_workload_reaches_a_socket_of_the_mesh_through_the_mesh() {
    let forged = ProxyHeader { peer: SocketAddr::from((DESK, 4000)), local: cart(80) };
    let addresses = [[127, 0, 0, 1], [127, 0, 0, 2], [0, 0, 0, 0]].map(|ip| SocketAddr::from((ip, 0)));
    let table = table(echo().await, &["desk"]);
    let world = behind_proxy(&addresses, ServeOptions::default(), usize::MAX, table);
    let [_, other, everywhere] = world.server.addresses() else { panic!("three were bound") };
    for dialled in [*other, SocketAddr::from(([127, 0, 0, 3], everywhere.port()))] {
        let mut client = world.dial(Ipv4Addr::new(10, 0, 0, 8), dialled).await;
        let _ = client.write_all(&forged.written(ProxyHeaderVersion::V2)).await;
        let _ = client.write_all(b"GET /a HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
        let read = all(&mut client).await;
        assert!(read.is_err(), "{dialled}: {read:?}");
    }
}

// MSH-02, MSH-05
#[tokio::test]
async fn an_address_that_is_written_in_ipv6_is_that_of_ipv4() {
    let world = World::start(table(echo().await, &["shop", "desk"]));
    let dialled = SocketAddr::from((CART.to_ipv6_mapped(), 80));
    let mut client = Client::http1(world.dial(DESK.to_ipv6_mapped(), dialled).await).await;
    let answer = client.send(get("/a")).await;
    assert!(answer.text().contains("by: desk\n"), "{}", answer.text());
}

// MSH-02, MSH-05, MSH-06
#[tokio::test]
async fn a_connection_ends_when_it_would_be_decided_about_otherwise() {
    let backend = echo().await;
    let both = &["shop", "desk"];
    let moved = Ipv4Addr::new(10, 96, 0, 2);
    for other in [table_at(backend, both, moved, Some("desk")), table_at(backend, both, CART, None)] {
        let world = World::start(table(backend, both));
        let mut client = Client::http1(world.dial(DESK, cart(80)).await).await;
        assert!(client.send(get("/a")).await.text().contains("by: desk\n"));
        world.tables.store(other);
        timeout(LONG, client.closed()).await.expect("its client comes again");
    }
}

// MSH-03, MSH-08: of a Service with a Route for one port.
#[tokio::test]
async fn another_port_of_the_service_goes_on() {
    let backend = shouting().await;
    let world = World::start(table_at(echo().await, &["shop"], backend.ip(), Some("desk")));
    let mut client = world.dial(DESK, backend).await;
    client.write_all(b"x").await.unwrap();
    client.shutdown().await.unwrap();
    assert_eq!(all(&mut client).await.unwrap(), "name X");
}

// MSH-08
#[tokio::test]
async fn a_client_that_does_not_say_what_it_speaks_is_not_waited_for_for_ever() {
    let second = Some(Duration::from_secs(1));
    let options = ServeOptions { head_timeout: second, idle_timeout: second, ..ServeOptions::default() };
    let world =
        behind_proxy(&[(Ipv4Addr::LOCALHOST, 0).into()], options, usize::MAX, table(echo().await, &["shop"]));
    for begun in [&b""[..], b"P", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET /a HTTP/1.1\r\n"] {
        let mut client = world.dial(DESK, cart(80)).await;
        client.write_all(begun).await.unwrap();
        let ended = timeout(LONG, client.read_to_end(&mut Vec::new())).await;
        assert!(ended.is_ok(), "{begun:?}");
    }
}

#[tokio::test]
async fn a_client_with_any_number_of_connections_leaves_room_to_the_others() {
    let (passing, table) = (shouting().await, table(echo().await, &["shop"]));
    let addresses = [[127, 0, 0, 1], [127, 0, 0, 2]].map(|ip| SocketAddr::from((ip, 0)));
    let world = behind_proxy(&addresses, ServeOptions::default(), 2, table);
    let mut routed = Client::http1(world.dial(DESK, cart(80)).await).await;
    assert_eq!(routed.send(get("/a")).await.status, 200);
    let mut passed = world.dial(DESK, passing).await;
    passed.read_exact(&mut [0; 5]).await.expect("its name");
    for dialled in [passing, cart(80)] {
        let mut third = world.dial(DESK, dialled).await;
        assert!(all(&mut third).await.is_err(), "it is reset");
    }
    let mut other = Client::http1(world.dial(Ipv4Addr::new(10, 0, 0, 8), cart(80)).await).await;
    assert_eq!(other.send(get("/a")).await.status, 200);
    drop(passed);
    let again = async {
        loop {
            let mut next = world.dial(DESK, passing).await;
            if next.read_exact(&mut [0; 5]).await.is_ok() {
                return;
            }
        }
    };
    timeout(LONG, again).await.expect("what has ended is given back");
    assert_eq!(routed.send(get("/a")).await.status, 200);
}
