//! Datagrams, from clients to endpoints and back.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gateway_core::rule::BackendTarget;
use gateway_core::table::{ListenerProtocol, Transport, UnboundCause};
use gateway_tower::serve::{Addresses, DatagramOptions, NotBound, ServeOptions, Server};
use gateway_tower::upstream::Upstream;
use gateway_tower::{Connection, Gateway, TableHandle};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::time::timeout;

use crate::stream_table::Streams;
use crate::world::{LONG, World, gateway_name};

/// A server that passes datagrams to port 82 on to these, by their weights.
async fn udp(to: &[(SocketAddr, u32)], options: DatagramOptions) -> World {
    let options = ServeOptions { datagrams: options, ..ServeOptions::default() };
    table(1, to).start(options).await
}

pub(crate) fn table(generation: u64, to: &[(SocketAddr, u32)]) -> Streams {
    let mut table = Streams::new(generation);
    let listener = table.listener(82, "", ListenerProtocol::Udp);
    let to: Vec<_> = to.iter().map(|(endpoint, weight)| (table.backend(&[*endpoint]), *weight)).collect();
    table.route(listener, &[], &to);
    table
}

fn address(world: &World) -> SocketAddr {
    let sockets = world.server.sockets();
    let address = sockets.borrow().address_for(Transport::Udp, &gateway_name(), 82);
    address.unwrap_or_else(|| panic!("port 82 is bound: {sockets:?}"))
}

pub(crate) async fn client(world: &World) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(address(world)).await.unwrap();
    socket
}

/// A backend that answers each datagram as often as `times` says with its name, the datagram and the port that it came from.
pub(crate) async fn backend(name: &'static str, times: usize) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = vec![0; 65_535];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            for _ in 0..times {
                let _ = socket.send_to(format!("{name} {} {text}", from.port()).as_bytes(), from).await;
            }
        }
    });
    address
}

/// The next answer; nothing if none comes.
async fn next(client: &UdpSocket) -> Option<String> {
    let mut buffer = vec![0; 65_535];
    let length = timeout(Duration::from_millis(300), client.recv(&mut buffer)).await.ok()?.ok()?;
    Some(String::from_utf8_lossy(&buffer[..length]).into_owned())
}

pub(crate) async fn ask(client: &UdpSocket, text: &str) -> Option<String> {
    client.send(text.as_bytes()).await.unwrap();
    next(client).await
}

/// The backend and the port of the gateway that an answer names.
fn flow(answer: &str) -> (String, String) {
    let mut words = answer.split(' ').map(str::to_owned);
    (words.next().unwrap(), words.next().unwrap())
}

// UDR-03, UDR-06
#[tokio::test]
async fn what_comes_from_one_port_goes_to_one_endpoint_and_back() {
    let world =
        udp(&[(backend("a", 2).await, 1), (backend("b", 2).await, 1)], DatagramOptions::default()).await;
    let mut flows = BTreeSet::new();
    // Kept, or the next client may get the port of one that has gone, and with it its flow.
    let mut clients = Vec::new();
    for _ in 0..20 {
        let client = client(&world).await;
        let first = ask(&client, "one").await.expect("an answer");
        assert!(first.ends_with(" one"), "{first}");
        // Several answers to one question are passed on, also when the next comes before.
        assert_eq!(ask(&client, "two").await.expect("an answer"), first);
        let rest = [next(&client).await.unwrap(), next(&client).await.unwrap()];
        assert!(
            rest.iter().all(|answer| answer.ends_with(" two") && flow(answer) == flow(&first)),
            "{rest:?}"
        );
        flows.insert(flow(&first));
        clients.push(client);
    }
    assert_eq!(flows.len(), 20, "each has a port of its own");
    assert_eq!(flows.into_iter().map(|(name, _)| name).collect::<BTreeSet<_>>().len(), 2);
}

#[tokio::test]
async fn the_longest_and_the_shortest_datagram_pass() {
    let world = udp(&[(backend("a", 1).await, 1)], DatagramOptions::default()).await;
    let client = client(&world).await;
    for length in [0, 1, 1_472, 65_000] {
        let answer = ask(&client, &"x".repeat(length)).await.expect("an answer");
        assert_eq!(answer.matches('x').count(), length);
    }
}

// UDR-04
#[tokio::test]
async fn what_no_backend_can_take_is_dropped() {
    let mut table = Streams::new(1);
    let listener = table.listener(82, "", ListenerProtocol::Udp);
    let nothing = table.backend(&[]);
    table.route(listener, &[], &[(BackendTarget::Unresolved, 1), (nothing, 1)]);
    let world = table.start(ServeOptions::default()).await;
    let client = client(&world).await;
    for _ in 0..4 {
        assert_eq!(ask(&client, "x").await, None);
    }
}

/// AMB-71: only the endpoint of a flow is heard, and only by who began it.
#[tokio::test]
async fn nothing_comes_back_from_others() {
    let backend = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let world = udp(&[(backend.local_addr().unwrap(), 1)], DatagramOptions::default()).await;
    let client = client(&world).await;
    client.send(b"question").await.unwrap();
    let mut buffer = [0; 100];
    let (_, flow) = timeout(LONG, backend.recv_from(&mut buffer)).await.unwrap().unwrap();
    let stranger = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    stranger.send_to(b"forged", flow).await.unwrap();
    backend.send_to(b"answer", flow).await.unwrap();
    assert_eq!(next(&client).await.as_deref(), Some("answer"));
    assert_eq!(next(&client).await, None);
    // Without a datagram of its own a client gets nothing, whatever is sent to the port.
    backend.send_to(b"unasked", address(&world)).await.unwrap();
    assert_eq!(next(&client).await, None);
}

#[tokio::test]
async fn a_flow_ends_when_it_is_quiet_and_begins_anew() {
    let options = DatagramOptions { idle_timeout: Duration::from_secs(1), ..DatagramOptions::default() };
    let world = udp(&[(backend("a", 1).await, 1)], options).await;
    let client = client(&world).await;
    let first = flow(&ask(&client, "x").await.unwrap());
    assert_eq!(flow(&ask(&client, "x").await.unwrap()), first);
    tokio::time::sleep(Duration::from_millis(3_500)).await;
    assert_ne!(flow(&ask(&client, "x").await.unwrap()), first);
}

#[tokio::test]
async fn a_flow_stays_with_its_endpoint_for_as_long_as_that_is_in_the_table() {
    let (a, b) = (backend("a", 1).await, backend("b", 1).await);
    let world = udp(&[(a, 1)], DatagramOptions::default()).await;
    let client = client(&world).await;
    let first = flow(&ask(&client, "x").await.unwrap());
    let swap = async |generation, to: &[(SocketAddr, u32)]| {
        let stored = world.tables.store(table(generation, to).builder.build());
        world.server.reached(stored).await;
    };
    swap(2, &[(a, 1), (b, 1_000)]).await;
    assert_eq!(flow(&ask(&client, "x").await.unwrap()), first);
    swap(3, &[(a, 0), (b, 1)]).await;
    assert_eq!(flow(&ask(&client, "x").await.unwrap()).0, "b");
    swap(4, &[]).await;
    assert_eq!(ask(&client, "x").await, None);
}

#[tokio::test]
async fn there_is_room_for_so_many_flows_and_each_client_has_its_share() {
    let options = DatagramOptions { max_flows_per_client: 3, ..DatagramOptions::default() };
    let world = udp(&[(backend("a", 1).await, 1)], options).await;
    let mut clients = Vec::new();
    for i in 0..5 {
        let client = client(&world).await;
        assert_eq!(ask(&client, "x").await.is_some(), i < 3, "{i}");
        clients.push(client);
    }
    assert!(ask(&clients[0], "x").await.is_some(), "what is there stays");

    // Who never answered an answer makes room for others.
    let options = DatagramOptions { max_flows: 2, ..DatagramOptions::default() };
    let world = udp(&[(backend("a", 1).await, 1)], options).await;
    let (kept, probed) = (client(&world).await, client(&world).await);
    for _ in 0..2 {
        assert!(ask(&kept, "x").await.is_some());
    }
    assert!(ask(&probed, "x").await.is_some());
    let other = client(&world).await;
    for _ in 0..2 {
        assert!(ask(&other, "x").await.is_some());
    }
    assert!(ask(&kept, "x").await.is_some());
    assert_eq!(ask(&client(&world).await, "x").await, None, "both are in use");
}

#[tokio::test]
async fn a_backend_that_refuses_is_left_for_another() {
    let gone = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let world = udp(&[(gone, 1)], DatagramOptions::default()).await;
    let client = client(&world).await;
    assert_eq!(ask(&client, "x").await, None);
    let stored = world.tables.store(table(2, &[(gone, 1), (backend("a", 1).await, 1_000)]).builder.build());
    world.server.reached(stored).await;
    // The first finds out, if it has not been told yet.
    let answers = [ask(&client, "x").await, ask(&client, "x").await];
    assert!(answers[1].is_some(), "{answers:?}");
}

#[tokio::test]
async fn a_server_that_drains_waits_for_answers_that_are_due_and_not_for_quiet_flows() {
    let backend = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let options = DatagramOptions { drain_timeout: Duration::from_secs(2), ..DatagramOptions::default() };
    let world = udp(&[(backend.local_addr().unwrap(), 1)], options).await;
    let client = client(&world).await;
    client.send(b"question").await.unwrap();
    let mut buffer = [0; 100];
    let (_, flow) = timeout(LONG, backend.recv_from(&mut buffer)).await.unwrap().unwrap();
    let draining = tokio::spawn(world.server.drain(LONG));
    tokio::time::sleep(Duration::from_millis(200)).await;
    backend.send_to(b"answer", flow).await.unwrap();
    assert_eq!(next(&client).await.as_deref(), Some("answer"));
    let drained = timeout(Duration::from_secs(2), draining).await.expect("it does not wait on").unwrap();
    assert_eq!(drained.cut, 0);
}

// GWL-05, GWL-13
#[tokio::test]
async fn tcp_and_udp_are_bound_beside_each_other_and_what_is_taken_is_told() {
    let (taken, port) = loop {
        let taken = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = taken.local_addr().unwrap();
        // The connections of other tests have ports, too.
        if TcpListener::bind(address).await.is_ok() {
            break (taken, address.port());
        }
    };
    let mut table = Streams::new(1);
    table.listener(port, "", ListenerProtocol::Udp);
    table.listener(port, "", ListenerProtocol::Tcp);
    let tables = TableHandle::new(table.builder.build());
    let gateway = Gateway::new(tables.clone(), Upstream::default());
    let services = move |connection: Arc<Connection>| gateway.clone().on(connection);
    let addresses = Addresses::all_on("127.0.0.1".parse().unwrap());
    let error = Server::start(&tables, addresses, ServeOptions::default(), services).await.unwrap_err();
    let unbound = error.sockets().unbound();
    let [only] = &unbound[..] else { panic!("{unbound:?}") };
    assert_eq!((only.transport, only.port, only.cause), (Transport::Udp, port, UnboundCause::Port));
    assert!(error.sockets().address(&gateway_name(), port).is_some(), "TCP has ports of its own");
    let server = NotBound::into_server(error);
    drop(taken);
    let mut sockets = server.sockets();
    let bound = sockets.wait_for(|sockets| sockets.all_good());
    timeout(LONG, bound).await.expect("it is tried again").unwrap();
}

/// A client that sends under addresses of others has no connection, and takes the room of none.
// UDR-06
#[tokio::test]
async fn flows_leave_room_for_connections_and_for_each_other() {
    let options = ServeOptions { max_connections_in_all: 8, ..ServeOptions::default() };
    let mut table = table(1, &[(backend("a", 1).await, 1)]);
    table.listener(80, "", ListenerProtocol::Http);
    let world = table.start(options).await;
    let mut clients = Vec::new();
    for _ in 0..12 {
        let client = client(&world).await;
        ask(&client, "x").await.expect("the flow takes the place of one that did not answer");
        clients.push(client);
    }
    let mut connections = Vec::new();
    for _ in 0..4 {
        let connection = TcpStream::connect(world.address(80)).await.unwrap();
        connections.push(connection);
    }
    for connection in &mut connections {
        connection.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let mut start = [0; 12];
        timeout(LONG, connection.read_exact(&mut start)).await.expect("there is room").unwrap();
        assert_eq!(&start, b"HTTP/1.1 404");
    }
}
