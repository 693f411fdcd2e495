//! Connections that are passed on as they come: TCP, and TLS that is terminated or not.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gateway_core::rule::BackendTarget;
use gateway_core::table::{Certificate, ListenerProtocol, ListenerTls};
use gateway_tower::serve::{ServeOptions, StreamOptions};
use rustls::ServerConfig;
use rustls::crypto::ring;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::stream_table::{Streams, tcp};
use crate::tls::{any_certificate, handshake};
use crate::world::{Client, LONG, World, certificate, get, raw_backend};

pub(crate) async fn connect(world: &World, port: u16) -> TcpStream {
    TcpStream::connect(world.address(port)).await.expect("the server accepts")
}

/// What comes until the end, within reason.
pub(crate) async fn all(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<String> {
    let mut text = String::new();
    timeout(LONG, stream.read_to_string(&mut text)).await.expect("it ends")?;
    Ok(text)
}

/// A backend that says its name, and then reads to the end and says it in upper case.
pub(crate) async fn shouting(name: &'static str) -> SocketAddr {
    raw_backend(move |stream| shout(stream, name)).await
}

async fn shout(mut stream: impl AsyncRead + AsyncWrite + Unpin, name: &'static str) {
    let _ = stream.write_all(name.as_bytes()).await;
    if let Ok(text) = all(&mut stream).await {
        let _ = stream.write_all(text.to_uppercase().as_bytes()).await;
        let _ = stream.shutdown().await;
    }
}

/// An address at which no socket listens.
pub(crate) async fn nobody() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    listener.local_addr().expect("an address")
}

// TCR-03; the end of one side is told to the other, which may go on.
#[tokio::test]
async fn each_side_of_a_connection_closes_by_itself() {
    let world = tcp(&[shouting("hello ").await], ServeOptions::default()).await;
    let mut client = connect(&world, 81).await;
    let mut greeting = [0; 6];
    client.read_exact(&mut greeting).await.expect("the backend speaks first");
    assert_eq!(&greeting, b"hello ");
    client.write_all(b"question").await.unwrap();
    client.shutdown().await.unwrap();
    assert_eq!(all(&mut client).await.unwrap(), "QUESTION");
}

#[tokio::test]
async fn a_lot_goes_through_in_both_directions() {
    const MUCH: usize = 8 * 1024 * 1024;
    let backend = raw_backend(|stream| async move {
        let (mut read, mut write) = stream.into_split();
        let _ = tokio::io::copy(&mut read, &mut write).await;
    });
    let world = tcp(&[backend.await], ServeOptions::default()).await;
    let (mut read, mut write) = connect(&world, 81).await.into_split();
    let sent: Vec<u8> = (0..MUCH).map(|i| (i / 7) as u8).collect();
    let expected = sent.clone();
    tokio::spawn(async move {
        write.write_all(&sent).await.unwrap();
        write.shutdown().await.unwrap();
    });
    let mut received = Vec::new();
    timeout(LONG, read.read_to_end(&mut received)).await.expect("it ends").unwrap();
    assert!(received == expected);
}

/// Sets a socket so that it is reset when it is dropped.
pub(crate) fn abort(stream: TcpStream) {
    socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
}

#[tokio::test]
async fn a_reset_is_passed_on_in_either_direction() {
    let aborting = raw_backend(|mut stream| async move {
        let _ = stream.read_u8().await;
        abort(stream);
    });
    let world = tcp(&[aborting.await], ServeOptions::default()).await;
    let mut client = connect(&world, 81).await;
    client.write_all(b"x").await.unwrap();
    assert_eq!(all(&mut client).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);

    let (seen, mut results) = tokio::sync::mpsc::unbounded_channel();
    let backend = raw_backend(move |mut stream| {
        let seen = seen.clone();
        async move {
            let _ = stream.write_all(b"x").await;
            let _ = seen.send(all(&mut stream).await.map_err(|error| error.kind()));
        }
    });
    let world = tcp(&[backend.await], ServeOptions::default()).await;
    let mut client = connect(&world, 81).await;
    client.read_u8().await.unwrap();
    abort(client);
    assert_eq!(results.recv().await.unwrap(), Err(io::ErrorKind::ConnectionReset));
}

/// Whether the server rejects the connection: it is reset or closed before anything comes.
async fn is_rejected(mut client: TcpStream) -> bool {
    all(&mut client).await.is_ok_and(|text| text.is_empty()) || client.read_u8().await.is_err()
}

// TCR-06
#[tokio::test]
async fn what_no_backend_can_take_is_rejected() {
    let mut table = Streams::new(1);
    let no_route = table.listener(80, "", ListenerProtocol::Tcp);
    let unresolved = table.listener(81, "", ListenerProtocol::Tcp);
    let empty = table.listener(82, "", ListenerProtocol::Tcp);
    let nothing = table.backend(&[]);
    table.route(unresolved, &[], &[(BackendTarget::Unresolved, 1)]);
    table.route(empty, &["a.example"], &[(nothing, 1)]);
    table.route(empty, &[], &[(nothing, 1)]);
    let _ = no_route;
    let world = table.start(ServeOptions::default()).await;
    for port in [80, 81, 82] {
        assert!(is_rejected(connect(&world, port).await).await, "{port}");
    }
    let world = tcp(&[nobody().await], ServeOptions::default()).await;
    assert!(is_rejected(connect(&world, 81).await).await);
}

#[tokio::test]
async fn an_endpoint_that_cannot_be_reached_leaves_the_connection_to_another() {
    let (dead, live) = (nobody().await, shouting("").await);
    let world = tcp(&[dead, live], ServeOptions::default()).await;
    for _ in 0..20 {
        let mut client = connect(&world, 81).await;
        client.write_all(b"x").await.unwrap();
        client.shutdown().await.unwrap();
        assert_eq!(all(&mut client).await.unwrap(), "X");
    }
}

// TCR-07
#[tokio::test]
async fn each_backend_has_its_share_of_connections() {
    static COUNTS: [AtomicUsize; 3] = [const { AtomicUsize::new(0) }; 3];
    let mut table = Streams::new(1);
    let listener = table.listener(81, "", ListenerProtocol::Tcp);
    let mut to = Vec::new();
    for (i, weight) in [3, 1, 0].into_iter().enumerate() {
        let backend = raw_backend(move |stream| async move {
            COUNTS[i].fetch_add(1, Ordering::Relaxed);
            drop(stream);
        });
        to.push((table.backend(&[backend.await]), weight));
    }
    to.push((BackendTarget::Unresolved, 4));
    table.route(listener, &[], &to);
    let world = table.start(ServeOptions::default()).await;
    for _ in 0..400 {
        is_rejected(connect(&world, 81).await).await;
    }
    let counts = COUNTS.each_ref().map(|count| count.load(Ordering::Relaxed));
    let [three, one, none] = counts;
    assert!((110..190).contains(&three) && (25..80).contains(&one) && none == 0, "{counts:?}");
}

#[tokio::test]
async fn a_connection_that_is_quiet_too_long_is_closed_and_one_that_is_not_stays() {
    let mut streams = StreamOptions::default();
    streams.tunnel.idle = Some(Duration::from_millis(300));
    let options = ServeOptions { streams, idle_timeout: Some(Duration::ZERO), ..ServeOptions::default() };
    let echo = raw_backend(|stream| async move {
        let (mut read, mut write) = stream.into_split();
        let _ = tokio::io::copy(&mut read, &mut write).await;
    });
    let world = tcp(&[echo.await], options).await;
    let mut client = connect(&world, 81).await;
    for _ in 0..16 {
        client.write_all(b"x").await.unwrap();
        assert_eq!(client.read_u8().await.unwrap(), b'x');
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(is_rejected(client).await);
}

#[tokio::test]
async fn connections_have_time_to_end_and_are_cut_after_it() {
    let world = tcp(&[shouting("hello").await], ServeOptions::default()).await;
    let (mut ends, mut stays) = (connect(&world, 81).await, connect(&world, 81).await);
    for client in [&mut ends, &mut stays] {
        client.read_exact(&mut [0; 5]).await.unwrap();
    }
    let draining = tokio::spawn(world.server.drain(Duration::from_millis(500)));
    tokio::time::sleep(Duration::from_millis(50)).await;
    ends.write_all(b"bye").await.unwrap();
    ends.shutdown().await.unwrap();
    assert_eq!(all(&mut ends).await.unwrap(), "BYE");
    assert_eq!(draining.await.unwrap().cut, 1);
    assert!(is_rejected(stays).await);
}

/// A backend of TLS with this certificate.
pub(crate) async fn secure(certificate: &Certificate, name: &'static str) -> SocketAddr {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certificate.chain().to_vec(), certificate.key().clone_key())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    raw_backend(move |stream| {
        let accepting = acceptor.accept(stream);
        async move {
            if let Ok(stream) = accepting.await {
                shout(stream, name).await;
            }
        }
    })
    .await
}

pub(crate) fn terminate(certificate: &Certificate) -> ListenerProtocol {
    ListenerProtocol::TlsTerminate(ListenerTls { certificates: [certificate.clone()].into(), clients: None })
}

// TLR-06, TLR-08, TLR-11, TLR-13, HST-08, HST-22, AMB-44
#[tokio::test]
async fn the_server_name_tells_where_a_connection_goes_and_who_terminates_its_tls() {
    let [of_gateway, of_backend] = [["end.example"], ["pass.example"]].map(|names| certificate(&names));
    let mut table = Streams::new(1);
    let pass = table.listener(443, "*.pass.example", ListenerProtocol::TlsPassthrough);
    let end = table.listener(443, "end.example", terminate(&of_gateway));
    let tls = ListenerTls { certificates: [of_gateway.clone()].into(), clients: None };
    table.listener(443, "web.example", ListenerProtocol::Https(tls));
    let one = table.backend(&[secure(&of_backend, "one").await]);
    let other = table.backend(&[secure(&of_backend, "other").await]);
    let plain = table.backend(&[shouting("plain").await]);
    table.route(pass, &["*.example"], &[(other, 1)]);
    table.route(pass, &["a.pass.example"], &[(one, 1)]);
    table.route(end, &["end.example"], &[(plain, 1)]);
    let world = table.start(ServeOptions::default()).await;
    for (name, certificate, expected) in [
        ("a.pass.example", &of_backend, "one"),
        ("b.pass.example", &of_backend, "other"),
        ("end.example", &of_gateway, "plain"),
    ] {
        let mut stream = handshake(&world, name, &["h2", "some"]).await.expect(name);
        let (_, session) = stream.get_ref();
        assert_eq!(session.peer_certificates().unwrap()[0], certificate.chain()[0], "{name}");
        assert_eq!(session.alpn_protocol(), None, "the gateway chooses no protocol for others");
        stream.write_all(b" hears you").await.unwrap();
        stream.shutdown().await.unwrap();
        assert_eq!(all(&mut stream).await.unwrap(), format!("{expected} HEARS YOU"));
    }
    let web = handshake(&world, "web.example", &["http/1.1"]).await.unwrap();
    let answer = Client::http1(web).await.send(get("/")).await;
    assert_eq!(answer.status, 404, "there are no routes for requests");
    // A client of requests is told with an alert that no listener has the name.
    let error = handshake(&world, "unknown.example", &[]).await.unwrap_err();
    assert!(error.to_string().contains("alert"), "{error}");
}

// TLR-08
#[tokio::test]
async fn a_client_of_a_stream_gets_the_protocol_that_is_the_only_one_it_knows() {
    let mut table = Streams::new(1);
    let end = table.listener(443, "end.example", terminate(&certificate(&["end.example"])));
    let plain = table.backend(&[shouting("plain").await]);
    table.route(end, &["end.example"], &[(plain, 1)]);
    let world = table.start(ServeOptions::default()).await;
    for (offered, expected) in [
        (&["postgresql"][..], Some(&b"postgresql"[..])),
        (&["h2"], Some(b"h2")),
        (&["h2", "http/1.1"], None),
        (&[], None),
    ] {
        let mut stream = handshake(&world, "end.example", offered).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), expected, "{offered:?}");
        stream.write_all(b" hears you").await.unwrap();
        stream.shutdown().await.unwrap();
        assert_eq!(all(&mut stream).await.unwrap(), "plain HEARS YOU");
    }
}

// TLR-06, TLR-07
#[tokio::test]
async fn where_no_requests_are_taken_a_name_that_leads_nowhere_is_reset_without_an_alert() {
    let mut table = Streams::new(1);
    let pass = table.listener(443, "*.pass.example", ListenerProtocol::TlsPassthrough);
    let end = table.listener(443, "end.example", terminate(&certificate(&["end.example"])));
    table.route(pass, &["bad.pass.example"], &[(BackendTarget::Unresolved, 1)]);
    table.route(end, &["end.example"], &[(BackendTarget::Unresolved, 1)]);
    let world = table.start(ServeOptions::default()).await;
    // An address as the name sends no server name.
    for name in ["unknown.example", "no-route.pass.example", "bad.pass.example", "end.example", "127.0.0.1"] {
        let error = handshake(&world, name, &[]).await.unwrap_err();
        let kinds = [io::ErrorKind::ConnectionReset, io::ErrorKind::UnexpectedEof];
        assert!(kinds.contains(&error.kind()), "{name}: {error}");
    }
}

/// What a client sends first that wants this name and speaks so many protocols, in records of one byte each.
fn hello_in_pieces(name: &'static str, protocols: usize) -> Vec<u8> {
    let mut config = any_certificate();
    config.alpn_protocols = vec![vec![b'x'; 255]; protocols];
    let mut client = rustls::ClientConnection::new(Arc::new(config), name.try_into().unwrap()).unwrap();
    let mut bytes = Vec::new();
    client.write_tls(&mut bytes).unwrap();
    let (head, content) = bytes.split_at(5);
    assert_eq!(usize::from(head[3]) << 8 | usize::from(head[4]), content.len(), "it is one record");
    content.iter().flat_map(|byte| [head[0], head[1], head[2], 0, 1, *byte]).collect()
}

// TLR-14
#[tokio::test]
async fn a_hello_arrives_at_the_backend_as_it_was_sent_however_it_is_divided() {
    let hello = hello_in_pieces("a.example", 0);
    let length = hello.len();
    let backend = raw_backend(move |mut stream| async move {
        let mut received = vec![0; length];
        if stream.read_exact(&mut received).await.is_ok() {
            let _ = stream.write_all(&received).await;
        }
    });
    let mut table = Streams::new(1);
    let listener = table.listener(443, "", ListenerProtocol::TlsPassthrough);
    let backend = table.backend(&[backend.await]);
    table.route(listener, &["a.example"], &[(backend, 1)]);
    let world = table.start(ServeOptions::default()).await;
    let mut client = connect(&world, 443).await;
    client.set_nodelay(true).unwrap();
    for piece in hello.chunks(97) {
        client.write_all(piece).await.unwrap();
        tokio::task::yield_now().await;
    }
    let mut echoed = vec![0; length];
    timeout(LONG, client.read_exact(&mut echoed)).await.expect("it is passed on").unwrap();
    assert!(echoed == hello);
}

// TLR-13, TLR-14
#[tokio::test]
async fn a_hello_that_is_late_or_too_long_or_none_costs_its_connection() {
    let mut table = Streams::new(1);
    let listener = table.listener(443, "", ListenerProtocol::TlsPassthrough);
    let backend = table.backend(&[shouting("").await]);
    table.route(listener, &["a.example"], &[(backend, 1)]);
    let streams = StreamOptions { max_client_hello_bytes: 1024, ..StreamOptions::default() };
    let options =
        ServeOptions { handshake_timeout: Duration::from_millis(300), streams, ..ServeOptions::default() };
    let world = table.start(options).await;
    // It is looked at with every 4 KiB.
    let hello = hello_in_pieces("a.example", 20);
    assert!(hello.len() > 20 * 1024);
    for (name, bytes) in [
        ("nothing", &b""[..]),
        ("a part", &hello[..100]),
        ("too long", &hello[..]),
        ("something else", b"GET / HTTP/1.1\r\nhost: a.example\r\n\r\n"),
    ] {
        let mut client = connect(&world, 443).await;
        client.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        let read = timeout(Duration::from_secs(5), client.read_to_end(&mut answer)).await.expect(name);
        // At most an alert.
        assert!(read.is_err() || answer.is_empty() || answer[0] == 21, "{name}: {answer:?}");
    }
}
