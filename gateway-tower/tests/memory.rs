//! What connections hold on to while nothing happens on them.
//!
//! Counted as bytes allocated by the thread of the gateway; clients and backends have threads of their own.

#[path = "sockets/world.rs"]
#[allow(dead_code, reason = "these tests need little of it")]
mod world;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::world::{Table, World};

/// The clients of one measurement.
const CLIENTS: usize = 20;

/// A backend that answers everything with `head` and then `body`, as long as it is taken. Returns the count of what was.
fn backend(head: &'static str, body: usize) -> (SocketAddr, Arc<AtomicU64>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let taken = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&taken);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, counter) = (stream.unwrap(), Arc::clone(&counter));
            thread::spawn(move || {
                while read_head(&mut stream) {
                    stream.write_all(head.as_bytes()).unwrap();
                    let piece = [0; 64 * 1024];
                    let mut left = body;
                    while left > 0 {
                        let Ok(written) = stream.write(&piece[..left.min(piece.len())]) else { return };
                        left -= written;
                        counter.fetch_add(written as u64, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    (address, taken)
}

/// Reads the head of a message; false at the end of the stream.
fn read_head(stream: &mut TcpStream) -> bool {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if !matches!(stream.read(&mut byte), Ok(1)) {
            return false;
        }
        head.push(byte[0]);
    }
    true
}

fn ask(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: example.com\r\naccept: */*\r\n\r\n").unwrap();
    stream
}

/// The bytes that the gateway holds for each connection that `open` has made, when `taken` has stopped changing.
fn held(backend: SocketAddr, taken: &AtomicU64, open: fn(SocketAddr) -> TcpStream) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let world = runtime.block_on(World::start(&Table::new(1, backend)));
    let address = world.address(80);
    let clients = |count: usize| thread::spawn(move || (0..count).map(|_| open(address)).collect::<Vec<_>>());
    let quiet = async || {
        let mut before = None;
        loop {
            let now = taken.load(Ordering::Relaxed);
            if before.replace(now) == Some(now) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    };
    // What the first connections bring about stays for those that come later.
    let first = clients(2);
    runtime.block_on(quiet());
    let mut all = Vec::new();
    let info = allocation_counter::measure(|| {
        let opening = clients(CLIENTS);
        runtime.block_on(quiet());
        runtime.block_on(quiet());
        all.extend(opening.join().unwrap());
    });
    drop((first.join().unwrap(), all));
    u64::try_from(info.bytes_current).unwrap() / CLIENTS as u64
}

#[test]
fn a_client_that_does_not_read_holds_little_of_its_answer() {
    const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-length: 67108864\r\n\r\n";
    let (backend, taken) = backend(HEAD, 64 * 1024 * 1024);
    let bytes = held(backend, &taken, ask);
    assert!(bytes <= 128 * 1024, "{bytes} bytes are held");
}

/// The buffers that hyper keeps for a connection of HTTP/1.1, one for each direction.
const BUFFERS: u64 = 2 * 8 * 1024;

#[test]
fn an_idle_connection_costs_little_more_than_its_buffers() {
    let (backend, taken) = backend("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", 0);
    let opened = held(backend, &taken, |address| TcpStream::connect(address).unwrap());
    assert!(opened <= 2 * 1024, "{opened} bytes are held before the first request");
    let served = held(backend, &taken, |address| {
        let mut stream = ask(address);
        assert!(read_head(&mut stream));
        stream
    });
    assert!(served <= BUFFERS + 5 * 1024, "{served} bytes are held after the first request");
}
