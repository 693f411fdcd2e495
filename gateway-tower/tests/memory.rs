//! The memory of connections while nothing happens on them.
//!
//! Counted as bytes allocated by the thread of the gateway; clients and backends have threads of their own.

#[path = "sockets/world.rs"]
#[allow(dead_code, reason = "these tests need little of it")]
mod world;

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::Duration;

use gateway_core::rule::BackendProtocol;
use gateway_core::table::Certificate;
use rustls::crypto::ring;
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use crate::world::{Table, World, certificate};

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

/// The same with a body that comes later than the head.
fn post(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"POST / HTTP/1.1\r\nhost: example.com\r\ncontent-length: 4\r\n\r\n").unwrap();
    thread::sleep(Duration::from_millis(20));
    stream.write_all(b"body").unwrap();
    stream
}

/// The bytes that the gateway holds for each connection that `open` has made, when `taken` has stopped changing.
fn held(backend: SocketAddr, taken: &AtomicU64, open: fn(SocketAddr) -> TcpStream) -> u64 {
    held_with(backend, BackendProtocol::Http1, taken, open)
}

fn held_with(
    backend: SocketAddr,
    protocol: BackendProtocol,
    taken: &AtomicU64,
    open: fn(SocketAddr) -> TcpStream,
) -> u64 {
    held_at(80, &Table::new(1, backend).protocol(protocol), taken, open)
}

fn held_at(port: u16, table: &Table, taken: &AtomicU64, open: fn(SocketAddr) -> TcpStream) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let world = runtime.block_on(World::start(table));
    let address = world.address(port);
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
    for (method, ask) in [("GET", ask as fn(_) -> _), ("POST", post)] {
        let bytes = held(backend, &taken, ask);
        assert!(bytes <= STALLED, "{method}: {bytes} bytes are held");
    }
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

/// A stalled connection may hold so much in all, and a little more within TLS, whose records are held too, and of an answer over HTTP/2 in
/// small frames, for each of which h2 holds some 260 bytes of its own.
const STALLED: u64 = 128 * 1024;
const MORE_WITHIN_TLS: u64 = 16 * 1024;
const MORE_IN_FRAMES: u64 = 16 * 1024;

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// What a client of HTTP/2 with windows of this size sends that asks for `http://a/`.
fn get_http2(window: u32) -> Vec<u8> {
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    let settings = frame(4, 0, 0, &[&[0, 4], &window.to_be_bytes()[..]].concat());
    let update = frame(8, 0, 0, &(1_u32 << 30).to_be_bytes());
    let get = frame(1, 5, 1, &[0x82, 0x84, 0x86, 0x41, 1, b'a']);
    [preface, settings, update, get].concat()
}

/// The same, with its answer not read.
fn ask_http2(address: SocketAddr, window: u32) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(&get_http2(window)).unwrap();
    stream
}

/// The buffers that h2 makes for a connection, whatever its options: of what is written, of what is read, and of what is decoded.
const BUFFERS_OF_HTTP_2: u64 = (16 + 8 + 4) * 1024;

/// Reads a frame: its kind, its stream, and what is in it.
fn read_frame(stream: &mut TcpStream) -> io::Result<(u8, u32, Vec<u8>)> {
    let mut head = [0; 9];
    stream.read_exact(&mut head)?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let id = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
    let mut payload = vec![0; length as usize];
    stream.read_exact(&mut payload)?;
    Ok((head[3], id, payload))
}

#[test]
fn an_idle_connection_of_http_2_costs_little_more_than_its_buffers() {
    /// Reads until a frame of this kind has come, whole.
    fn read_until(stream: &mut TcpStream, kind: u8) {
        while read_frame(stream).unwrap().0 != kind {}
    }
    let (backend, taken) = backend("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n", 4);
    let opened = held(backend, &taken, |address| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(&[b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &frame(4, 0, 0, &[])[..]].concat()).unwrap();
        read_until(&mut stream, 4);
        stream
    });
    assert!(opened <= BUFFERS_OF_HTTP_2 + 6 * 1024, "{opened} bytes are held before the first request");
    let served = held(backend, &taken, |address| {
        let mut stream = ask_http2(address, 1 << 16);
        read_until(&mut stream, 0);
        stream
    });
    assert!(served <= BUFFERS_OF_HTTP_2 + 11 * 1024, "{served} bytes are held after the first request");
}

const LARGE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 67108864\r\n\r\n";

#[test]
fn a_client_of_http_2_that_opens_no_window_holds_little_of_its_answer() {
    let (backend, taken) = backend(LARGE, 64 * 1024 * 1024);
    let bytes = held(backend, &taken, |address| ask_http2(address, 0));
    assert!(bytes <= STALLED, "{bytes} bytes are held");
}

/// A backend of HTTP/2 whose answers have no end, as long as they are taken, in such frames.
fn backend_http2(frame: &'static [u8]) -> (SocketAddr, Arc<AtomicU64>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let taken = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&taken);
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            listener.set_nonblocking(true).unwrap();
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let counter = Arc::clone(&counter);
                tokio::spawn(async move {
                    let mut connection = h2::server::handshake(stream).await.unwrap();
                    while let Some(Ok((_, mut respond))) = connection.accept().await {
                        let counter = Arc::clone(&counter);
                        let mut answer = respond.send_response(http::Response::new(()), false).unwrap();
                        tokio::spawn(async move {
                            loop {
                                answer.reserve_capacity(frame.len());
                                while answer.capacity() < frame.len() {
                                    let more = std::future::poll_fn(|cx| answer.poll_capacity(cx)).await;
                                    let Some(Ok(_)) = more else { return };
                                }
                                answer.send_data(frame.into(), false).unwrap();
                                counter.fetch_add(frame.len() as u64, Ordering::Relaxed);
                            }
                        });
                    }
                });
            }
        });
    });
    (address, taken)
}

static CERTIFICATE: LazyLock<Certificate> = LazyLock::new(|| certificate(&["example.com"]));

/// What sends a request to this address, and reads nothing.
type Ask = fn(SocketAddr) -> TcpStream;

/// Sends a request within TLS, and reads nothing of the answer.
fn ask_within_tls(address: SocketAddr, protocol: &str, request: &[u8]) -> TcpStream {
    let mut roots = RootCertStore::empty();
    roots.add(CERTIFICATE.chain()[0].clone()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.into()];
    let mut tls = ClientConnection::new(Arc::new(config), "example.com".try_into().unwrap()).unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    while tls.is_handshaking() {
        tls.complete_io(&mut stream).unwrap();
    }
    tls.writer().write_all(request).unwrap();
    while tls.wants_write() {
        tls.write_tls(&mut stream).unwrap();
    }
    stream
}

#[test]
fn a_client_that_does_not_read_holds_little_whatever_is_spoken() {
    const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: example.com\r\n\r\n";
    let (http1, taken1) = backend(LARGE, 64 * 1024 * 1024);
    let (http2, taken2) = backend_http2(&[0; 16 * 1024]);
    let (frames, taken_frames) = backend_http2(&[0; 100]);
    let (messages, taken_messages) = backend_http2(&[0; 1029]);
    let clients: [(&str, u16, Ask); 4] = [
        ("HTTP/1.1", 80, ask),
        ("HTTP/2", 80, |address| ask_http2(address, 1 << 30)),
        ("HTTP/1.1 within TLS", 443, |address| ask_within_tls(address, "http/1.1", GET)),
        ("HTTP/2 within TLS", 443, |address| ask_within_tls(address, "h2", &get_http2(1 << 30))),
    ];
    for (client, port, ask) in clients {
        for (name, protocol, backend, taken) in [
            ("HTTP/1.1", BackendProtocol::Http1, http1, &taken1),
            ("HTTP/2", BackendProtocol::H2c, http2, &taken2),
            ("HTTP/2 in small frames", BackendProtocol::H2c, frames, &taken_frames),
            ("HTTP/2 in frames of 1 KiB", BackendProtocol::H2c, messages, &taken_messages),
        ] {
            let table = Table::new(1, backend).https(443, None, &CERTIFICATE).protocol(protocol);
            let bytes = held_at(port, &table, taken, ask);
            let within_tls = if port == 443 { MORE_WITHIN_TLS } else { 0 };
            let in_frames = if name.contains("frames") { MORE_IN_FRAMES } else { 0 };
            let most = STALLED + within_tls + in_frames;
            assert!(bytes <= most, "{client} to {name}: {bytes} bytes are held");
        }
    }
}

/// The bytes of a large answer of [`backend_between`].
const LARGE_BETWEEN: usize = 8 * 1024 * 1024;

/// A backend of HTTP/2 that takes two requests on each connection. The answer to the first comes in frames of one byte, each before
/// one of the usual length of the answer to the second.
fn backend_between() -> SocketAddr {
    fn serve(mut stream: TcpStream) -> io::Result<()> {
        const USUAL: usize = 16 * 1024;
        stream.read_exact(&mut [0; 24])?;
        stream.write_all(&[frame(4, 0, 0, &[]), frame(4, 1, 0, &[])].concat())?;
        let (mut requests, mut left) = (Vec::new(), LARGE_BETWEEN);
        let (mut window, mut of_connection) = (44 * 1024, 65_535);
        loop {
            if let [small, large] = requests[..]
                && left > 0
                && window.min(of_connection) > USUAL
            {
                stream.write_all(&[frame(0, 0, small, b"x"), frame(0, 0, large, &[0; USUAL])].concat())?;
                window -= USUAL;
                of_connection -= USUAL + 1;
                left -= USUAL;
                continue;
            }
            match read_frame(&mut stream)? {
                (1, id, _) => {
                    requests.push(id);
                    stream.write_all(&frame(1, 4, id, &[0x88]))?;
                }
                (8, id, more) => {
                    let more = u32::from_be_bytes(more.try_into().unwrap()) as usize;
                    if id == 0 {
                        of_connection += more;
                    } else {
                        window += more;
                    }
                }
                _ => {}
            }
        }
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            // Ends with an error when the gateway closes the connection.
            thread::spawn(move || serve(stream));
        }
    });
    address
}

#[test]
fn small_frames_between_those_of_others_hold_none_of_these() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let table = Table::new(1, backend_between()).protocol(BackendProtocol::H2c);
    let world = runtime.block_on(World::start(&table));
    let address = world.address(80);
    let (read, is_read) = tokio::sync::oneshot::channel();
    let mut reading = None;
    let info = allocation_counter::measure(|| {
        reading = Some(thread::spawn(move || {
            let mut stalled = ask_http2(address, 0);
            while read_frame(&mut stalled).unwrap().0 != 1 {}
            let mut other = ask(address);
            assert!(read_head(&mut other));
            other.read_exact(&mut vec![0; LARGE_BETWEEN]).unwrap();
            read.send(()).unwrap();
            (stalled, other)
        }));
        runtime.block_on(is_read).unwrap();
    });
    drop(reading.unwrap().join().unwrap());
    // What the other client and the connection to the backend take is no more than that.
    let most = 3 * STALLED;
    assert!(info.bytes_max <= most, "{} bytes were held at a time", info.bytes_max);
}

/// A backend of either protocol that takes connections and reads nothing.
fn deaf(first: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let mut open = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream.write_all(first).unwrap();
            open.push(stream);
        }
    });
    address
}

/// The bytes that clients have sent of what the gateway cannot pass on.
static SENT: AtomicU64 = AtomicU64::new(0);

/// Sends as much as the gateway takes.
fn fill(mut stream: TcpStream, piece: &[u8]) -> TcpStream {
    stream.set_write_timeout(Some(Duration::from_millis(100))).unwrap();
    while let Ok(written) = stream.write(piece) {
        SENT.fetch_add(written as u64, Ordering::Relaxed);
    }
    stream
}

fn upload(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 67108864\r\n\r\n").unwrap();
    fill(stream, &[0; 64 * 1024])
}

/// An upload over HTTP/2, as far as the window of a stream lets it go.
fn upload_http2(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    let post = frame(1, 4, 1, &[0x83, 0x84, 0x86, 0x41, 1, b'a']);
    stream.write_all(&[preface, frame(4, 0, 0, &[]), post].concat()).unwrap();
    for _ in 0..4 {
        stream.write_all(&frame(0, 0, 1, &[0; 16 * 1000])).unwrap();
        SENT.fetch_add(16 * 1000, Ordering::Relaxed);
    }
    stream
}

#[test]
fn a_backend_that_does_not_read_holds_little_of_a_request() {
    /// Empty settings.
    const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
    for (name, open) in [("HTTP/1.1", upload as fn(_) -> _), ("HTTP/2", upload_http2)] {
        let bytes = held(deaf(b""), &SENT, open);
        assert!(bytes <= STALLED, "{name} to HTTP/1.1: {bytes} bytes are held");
        let bytes = held_with(deaf(SETTINGS), BackendProtocol::H2c, &SENT, open);
        assert!(bytes <= STALLED, "{name} to HTTP/2: {bytes} bytes are held");
    }
}
