//! Many connections and flows at once, and what each holds on to.
//!
//! Counted as bytes allocated by the thread of the gateway; clients and backends have threads of their own. `GATEWAY_MANY` says
//! how many there are, of the files that the system lets a process open four for each connection.

#[path = "sockets/world.rs"]
#[allow(dead_code, reason = "these tests need little of it")]
mod world;
#[path = "sockets/stream_table.rs"]
#[allow(dead_code, reason = "these tests need little of it")]
mod stream_table;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::thread;
use std::time::Duration;

use gateway_core::table::{ListenerProtocol, Transport};
use gateway_tower::serve::{DatagramOptions, ServeOptions};
use tokio::runtime::Runtime;

use crate::stream_table::{Streams, tcp};
use crate::world::gateway_name;

fn many() -> usize {
    std::env::var("GATEWAY_MANY").ok().and_then(|text| text.parse().ok()).unwrap_or(300)
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// The memory of this process, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default()
}

/// Lets `work` be done by another thread while this one runs the gateway; the bytes that the gateway holds afterwards.
fn held<T: Send + 'static>(runtime: &Runtime, work: impl FnOnce() -> T + Send + 'static) -> (u64, T) {
    let mut done = None;
    let info = allocation_counter::measure(|| {
        let working = thread::spawn(work);
        runtime.block_on(async {
            while !working.is_finished() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        });
        done = Some(working.join().unwrap());
    });
    (u64::try_from(info.bytes_current).unwrap_or_default(), done.unwrap())
}

/// A backend that answers each byte with itself.
fn echo() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let mut open = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut byte = [0];
            if stream.read_exact(&mut byte).is_ok() {
                stream.write_all(&byte).unwrap();
            }
            open.push(stream);
        }
    });
    address
}

/// A client that has had an answer and is quiet now.
fn ask(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"x").unwrap();
    stream.read_exact(&mut [0]).unwrap();
    stream
}

#[test]
fn a_quiet_connection_holds_no_buffers() {
    let count = many();
    let runtime = runtime();
    let world = runtime.block_on(tcp(&[echo()], ServeOptions::default()));
    let address = world.address(81);
    let (_, first) = held(&runtime, move || [ask(address), ask(address)]);
    let before = resident();
    let (bytes, open) = held(&runtime, move || (0..count).map(|_| ask(address)).collect::<Vec<_>>());
    let each = bytes / count as u64;
    eprintln!(
        "{count} connections: {each} bytes each, {} KiB more resident with clients and backend",
        resident().saturating_sub(before)
    );
    assert!(each <= 4 * 1024, "{each} bytes are held for each");
    drop((first, open));
}

#[test]
fn a_connection_that_is_not_read_holds_little() {
    let deaf = || {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || listener.incoming().map(Result::unwrap).collect::<Vec<_>>());
        address
    };
    let runtime = runtime();
    let world = runtime.block_on(tcp(&[deaf()], ServeOptions::default()));
    let address = world.address(81);
    let fill = move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_write_timeout(Some(Duration::from_millis(100))).unwrap();
        while stream.write(&[0; 64 * 1024]).is_ok() {}
        stream
    };
    let (_, first) = held(&runtime, fill);
    let (bytes, open) = held(&runtime, move || [fill(), fill(), fill(), fill()]);
    assert!(bytes / 4 <= 128 * 1024, "{} bytes are held for each", bytes / 4);
    drop((first, open));
}

#[test]
fn a_flow_of_datagrams_costs_little() {
    let count = many();
    let backend = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let endpoint = backend.local_addr().unwrap();
    thread::spawn(move || {
        let mut buffer = [0; 2048];
        while let Ok((length, from)) = backend.recv_from(&mut buffer) {
            let _ = backend.send_to(&buffer[..length], from);
        }
    });
    let runtime = runtime();
    let mut table = Streams::new(1);
    let listener = table.listener(82, "", ListenerProtocol::Udp);
    let backend = table.backend(&[endpoint]);
    table.route(listener, &[], &[(backend, 1)]);
    let datagrams = DatagramOptions { max_flows_per_client: count + 2, ..DatagramOptions::default() };
    let world = runtime.block_on(table.start(ServeOptions { datagrams, ..ServeOptions::default() }));
    let sockets = world.server.sockets();
    let address = sockets.borrow().address_for(Transport::Udp, &gateway_name(), 82).unwrap();
    let ask = move || {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.connect(address).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        // What is lost is sent again.
        while socket.send(b"x").is_err() || socket.recv(&mut [0; 8]).is_err() {}
        socket
    };
    let (_, first) = held(&runtime, move || [ask(), ask()]);
    let before = resident();
    let (bytes, open) = held(&runtime, move || (0..count).map(|_| ask()).collect::<Vec<_>>());
    let each = bytes / count as u64;
    eprintln!(
        "{count} flows: {each} bytes each, {} KiB more resident with clients",
        resident().saturating_sub(before)
    );
    assert!(each <= 4 * 1024, "{each} bytes are held for each");
    drop((first, open));
}
