//! WebSockets and other upgrades.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use gateway_core::rule::{BackendProtocol, Timeouts};
use gateway_tower::serve::ServeOptions;
use gateway_tower::tunnel::TunnelOptions;
use gateway_tower::upstream::UpstreamOptions;
use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_async, client_async};

use std::net::SocketAddr;

use crate::world::{LONG, Table, World, echo, exchange, raw_backend, read_head};

/// A backend whose WebSockets send every message back.
pub(crate) async fn websocket_backend() -> SocketAddr {
    raw_backend(|stream| async move {
        let Ok(mut socket) = accept_async(stream).await else { return };
        while let Some(Ok(message)) = socket.next().await {
            if (message.is_text() || message.is_binary()) && socket.send(message).await.is_err() {
                return;
            }
        }
    })
    .await
}

pub(crate) async fn open(world: &World) -> Result<WebSocketStream<TcpStream>, Error> {
    client_async("ws://example.com/socket", world.connect().await).await.map(|(socket, _)| socket)
}

pub(crate) async fn comes_back(socket: &mut WebSocketStream<TcpStream>, text: &str) {
    socket.send(Message::text(text)).await.expect("the socket is open");
    let echoed = tokio::time::timeout(LONG, socket.next()).await.expect("a message comes back");
    assert_eq!(echoed.unwrap().unwrap(), Message::text(text));
}

// BPR-01, BPR-04, BPR-07
#[tokio::test]
async fn a_websocket_goes_through_to_backends_with_and_without_app_protocol() {
    for protocol in [BackendProtocol::WebSocket, BackendProtocol::Http1] {
        let world = World::start(&Table::new(1, websocket_backend().await).protocol(protocol)).await;
        let mut socket = open(&world).await.unwrap();
        for text in ["hello", "", &"long ".repeat(100_000)] {
            comes_back(&mut socket, text).await;
        }
        socket.close(None).await.unwrap();
        while socket.next().await.is_some() {}
    }
}

// AMB-55
#[tokio::test]
async fn the_timeouts_of_a_rule_end_with_the_upgrade() {
    let mut table = Table::new(1, websocket_backend().await);
    let limit = Some(Duration::from_millis(200));
    table.timeouts = Timeouts::new(limit, limit);
    let world = World::start(&table).await;
    let mut socket = open(&world).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    comes_back(&mut socket, "still there").await;
}

// BPR-07
#[tokio::test]
async fn bytes_that_follow_the_switch_at_once_are_not_lost() {
    let backend = raw_backend(|mut stream| async move {
        let head = read_head(&mut stream).await;
        assert!(
            head.contains("\r\nupgrade: websocket\r\n") && head.contains("\r\nconnection: upgrade\r\n"),
            "{head}"
        );
        let switch =
            b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nfirst";
        stream.write_all(switch).await.unwrap();
        let (mut read, mut write) = stream.split();
        let _ = tokio::io::copy(&mut read, &mut write).await;
    })
    .await;
    let world = World::start(&Table::new(1, backend)).await;
    let mut stream = world.connect().await;
    let head =
        b"GET / HTTP/1.1\r\nhost: example.com\r\nconnection: keep-alive, Upgrade\r\nupgrade: websocket\r\n\r\n";
    stream.write_all(head).await.unwrap();
    let head = read_head(&mut stream).await;
    assert!(head.starts_with("HTTP/1.1 101 ") && head.contains("upgrade: websocket\r\n"), "{head}");
    let mut bytes = [0; 10];
    stream.read_exact(&mut bytes[..5]).await.unwrap();
    stream.write_all(b"again").await.unwrap();
    stream.read_exact(&mut bytes[5..]).await.unwrap();
    assert_eq!(&bytes, b"firstagain");
    // Half closed: what the backend still has to say arrives.
    stream.shutdown().await.unwrap();
    assert_eq!(stream.read(&mut bytes).await.unwrap(), 0);
}

#[tokio::test]
async fn a_backend_may_answer_without_switching() {
    let world = World::start(&Table::new(1, echo().await)).await;
    match open(&world).await {
        Err(Error::Http(response)) => assert_eq!(response.status(), StatusCode::OK),
        other => panic!("no switch: {other:?}"),
    }
}

// MSG-07
#[tokio::test]
async fn a_wish_for_a_protocol_that_is_not_carried_goes_no_further() {
    let world = World::start(&Table::new(1, echo().await)).await;
    let ask = |version: &str, connection: &str, upgrade: &str| {
        format!("GET / {version}\r\nhost: a\r\nconnection: {connection}\r\nupgrade: {upgrade}\r\n\r\n")
    };
    for request in [
        ask("HTTP/1.1", "close, Upgrade", "foo"),
        ask("HTTP/1.1", "close, Upgrade", "TLS/1.2"),
        ask("HTTP/1.0", "Upgrade", "websocket"),
    ] {
        let answer = exchange(world.address(80), request.as_bytes()).await;
        assert!(answer.contains(" 200 OK\r\n") && !answer.contains("upgrade"), "{request}: {answer}");
    }
    let both = ask("HTTP/1.1", "close, Upgrade", "foo, websocket");
    let answer = exchange(world.address(80), both.as_bytes()).await;
    assert!(answer.contains("\nupgrade: websocket\n"), "{answer}");
}

#[tokio::test]
async fn nothing_is_upgraded_to_http_2() {
    let world = World::start(&Table::new(1, echo().await)).await;
    let request =
        b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close, Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\n\
        http2-settings: AAMAAABkAAQAAP__\r\n\r\n";
    let answer = exchange(world.address(80), request).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(
        !answer.contains("upgrade") && !answer.contains("http2"),
        "the backend hears nothing of it: {answer}"
    );
}

#[tokio::test]
async fn a_switch_that_nobody_asked_for_is_an_error() {
    let backend = raw_backend(|mut stream| async move {
        read_head(&mut stream).await;
        let switch = b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";
        let _ = stream.write_all(switch).await;
    })
    .await;
    let world = World::start(&Table::new(1, backend)).await;
    assert_eq!(world.send(crate::world::get("/")).await.status, StatusCode::BAD_GATEWAY);
}

#[tokio::test]
async fn a_drain_waits_for_tunnels_and_then_closes_them() {
    let world = World::start(&Table::new(1, websocket_backend().await)).await;
    let mut socket = open(&world).await.unwrap();
    comes_back(&mut socket, "before").await;
    let drain = tokio::spawn(world.server.drain(Duration::from_millis(500)));
    comes_back(&mut socket, "while it drains").await;
    assert_eq!(drain.await.unwrap().cut, 1);
    let end = tokio::time::timeout(LONG, socket.next()).await.expect("the tunnel ends");
    assert!(!matches!(end, Some(Ok(_))), "{end:?}");
}

#[tokio::test]
async fn a_tunnel_counts_among_the_connections_until_it_ends() {
    let options = ServeOptions { max_connections: 1, ..ServeOptions::default() };
    let table = Table::new(1, websocket_backend().await);
    let world = World::with(&table, options, UpstreamOptions::default()).await;
    let mut first = open(&world).await.unwrap();
    comes_back(&mut first, "first").await;
    let waiting = tokio::time::timeout(Duration::from_millis(300), open(&world)).await;
    assert!(waiting.is_err(), "there is no room");
    drop(first);
    let mut second = tokio::time::timeout(LONG, open(&world)).await.expect("there is room again").unwrap();
    comes_back(&mut second, "second").await;
}

#[tokio::test]
async fn a_tunnel_without_traffic_is_closed() {
    let tunnel = TunnelOptions { idle: Some(Duration::from_millis(300)), ..TunnelOptions::default() };
    let upstream = UpstreamOptions { tunnel, ..UpstreamOptions::default() };
    let world =
        World::with(&Table::new(1, websocket_backend().await), ServeOptions::default(), upstream).await;
    let mut socket = open(&world).await.unwrap();
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        comes_back(&mut socket, "busy").await;
    }
    let end = tokio::time::timeout(LONG, socket.next()).await.expect("the tunnel ends");
    assert!(!matches!(end, Some(Ok(_))), "{end:?}");
}

#[tokio::test]
async fn a_tunnel_that_is_half_closed_is_soon_closed_where_nothing_more_comes() {
    let backend = raw_backend(|mut stream| async move {
        read_head(&mut stream).await;
        let switch = b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
        stream.write_all(switch).await.unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
        for _ in 0..5 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            stream.write_all(b"more").await.unwrap();
        }
        std::future::pending::<()>().await;
    })
    .await;
    let tunnel = TunnelOptions { half_close_timeout: Duration::from_millis(300), ..TunnelOptions::default() };
    let upstream = UpstreamOptions { tunnel, ..UpstreamOptions::default() };
    let world = World::with(&Table::new(1, backend), ServeOptions::default(), upstream).await;
    let mut stream = world.connect().await;
    let head = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
    stream.write_all(head).await.unwrap();
    read_head(&mut stream).await;
    stream.shutdown().await.unwrap();
    let mut rest = String::new();
    let end = tokio::time::timeout(LONG, stream.read_to_string(&mut rest)).await;
    end.expect("the tunnel ends").unwrap();
    assert_eq!(rest, "more".repeat(5), "as long as something comes, it is waited for");
}
