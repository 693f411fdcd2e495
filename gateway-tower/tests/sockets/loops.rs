//! Backends that are the gateway itself.

use std::net::SocketAddr;
use std::time::Duration;

use gateway_core::table::{ListenerProtocol, Transport};
use gateway_tower::serve::ServeOptions;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use crate::stream_table::Streams;
use crate::world::{LONG, Table, World, gateway_name, get};

/// What a loop may take, with what other tests have open meanwhile.
const MOST: usize = 900;

fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// How many connections have this as their local address.
fn connections_to(address: SocketAddr) -> usize {
    let port = format!("0100007F:{:04X}", address.port());
    let is_established = |line: &str| {
        let mut words = line.split_whitespace();
        words.nth(1) == Some(port.as_str()) && words.nth(1) == Some("01")
    };
    std::fs::read_to_string("/proc/net/tcp").unwrap().lines().filter(|line| is_established(line)).count()
}

/// The most files that are open at a time until this ends.
async fn most_open<T>(ends: impl Future<Output = T>) -> (T, usize) {
    let mut most = 0;
    let mut ends = std::pin::pin!(timeout(LONG, ends));
    loop {
        most = most.max(open_files());
        tokio::select! {
            ended = &mut ends => return (ended.expect("it ends by itself"), most),
            () = tokio::time::sleep(Duration::from_millis(1)) => {}
        }
    }
}

// FRW-07
#[tokio::test]
async fn a_request_that_leads_back_to_the_gateway_takes_few_connections() {
    let nowhere: SocketAddr = "127.0.0.1:9".parse().unwrap();
    let world = World::start(&Table::new(1, nowhere).http(80)).await;
    let own = world.address(80);
    world.swap(&Table::new(2, own).http(80)).await;
    let (answer, most) = most_open(world.send(get("/"))).await;
    // Known by the addresses that it was told with, unless other loops have all the connections that there may be.
    assert!(answer.status == 508 || answer.status == 503, "{answer:?}");
    assert!(most < MOST, "{most} files were open");
}

#[tokio::test]
async fn a_connection_that_leads_back_to_the_gateway_takes_few() {
    let world = streams(ListenerProtocol::Tcp).await;
    let own = world.address(81);
    world.tables.store(leading_to(2, ListenerProtocol::Tcp, own).builder.build());
    let (read, most) = most_open(async {
        let mut client = TcpStream::connect(own).await.unwrap();
        client.read(&mut [0; 1]).await
    })
    .await;
    assert!(read.is_err(), "it is reset, not closed: {read:?}");
    assert!(most < MOST, "{most} files were open");
    // Nothing goes on when the client is gone.
    let gone = async {
        while connections_to(own) > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(LONG, gone).await.expect("the loop ends");
}

// UDR-06
#[tokio::test]
async fn a_flow_that_leads_back_to_the_gateway_takes_few() {
    let world = streams(ListenerProtocol::Udp).await;
    let own = world.server.sockets().borrow().address_for(Transport::Udp, &gateway_name(), 81).unwrap();
    world.tables.store(leading_to(2, ListenerProtocol::Udp, own).builder.build());
    let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    client.send_to(b"x", own).await.unwrap();
    let ((), most) = most_open(tokio::time::sleep(Duration::from_secs(1))).await;
    assert!(most < MOST, "{most} files were open");
}

async fn streams(protocol: ListenerProtocol) -> World {
    leading_to(1, protocol, "127.0.0.1:9".parse().unwrap()).start(ServeOptions::default()).await
}

fn leading_to(generation: u64, protocol: ListenerProtocol, endpoint: SocketAddr) -> Streams {
    let mut table = Streams::new(generation);
    let listener = table.listener(81, "", protocol);
    let backend = table.backend(&[endpoint]);
    table.route(listener, &[], &[(backend, 1)]);
    table
}
