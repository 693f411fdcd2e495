//! The PROXY protocol, before connections of clients and of the gateway.

use std::net::SocketAddr;
use std::time::Duration;

use gateway_core::table::ListenerProtocol;
use gateway_tower::serve::{ProxyHeaderVersion, ServeOptions, StreamOptions};
use gateway_tower::upstream::UpstreamOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::stream_table::{Streams, tcp};
use crate::streams::all;
use crate::tls::handshake;
use crate::world::{Table, World, certificate, echo, exchange, raw_backend};

/// A backend that answers with all that it has read.
async fn mirror() -> SocketAddr {
    raw_backend(|mut stream| async move {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes).await;
        let _ = stream.write_all(&bytes).await;
    })
    .await
}

const V1: &str = "PROXY TCP4 198.51.100.7 203.0.113.1 4000 80\r\n";

fn accepting() -> ServeOptions {
    ServeOptions {
        accept_proxy_header: true,
        handshake_timeout: Duration::from_millis(500),
        ..ServeOptions::default()
    }
}

#[tokio::test]
async fn requests_come_from_the_client_that_the_header_names() {
    let table = Table::new(1, echo().await).https(443, None, &certificate(&["a.example"]));
    let world = World::with(&table, accepting(), UpstreamOptions::default()).await;
    let get = "GET / HTTP/1.1\r\nhost: a.example\r\nconnection: close\r\n\r\n";
    let answer = exchange(world.address(80), format!("{V1}{get}").as_bytes()).await;
    assert!(answer.contains("x-forwarded-for: 198.51.100.7\n"), "{answer}");
    let local = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";
    let answer = exchange(world.address(80), &[&local[..], get.as_bytes()].concat()).await;
    assert!(answer.contains("x-forwarded-for: 127.0.0.1\n"), "{answer}");
    // Without a header there is no answer, of whatever form the connection is.
    for bytes in ["", get, "PROXY TCP4 198.51", &format!("PROXY TCP9 {get}")] {
        assert_eq!(exchange(world.address(80), bytes.as_bytes()).await, "", "{bytes}");
    }
    assert!(handshake(&world, "a.example", &[]).await.is_err());
}

#[tokio::test]
async fn backends_are_told_the_client_in_the_version_that_is_asked_for() {
    for (version, accepts) in
        [(ProxyHeaderVersion::V1, false), (ProxyHeaderVersion::V1, true), (ProxyHeaderVersion::V2, true)]
    {
        let streams = StreamOptions { proxy_header: Some(version), ..StreamOptions::default() };
        let options = if accepts { accepting() } else { ServeOptions::default() };
        let world = tcp(&[mirror().await], ServeOptions { streams, ..options }).await;
        let mut client = TcpStream::connect(world.address(81)).await.unwrap();
        let (own, gateway) = (client.local_addr().unwrap(), client.peer_addr().unwrap());
        if accepts {
            client.write_all(V1.as_bytes()).await.unwrap();
        }
        client.write_all(b"hello").await.unwrap();
        client.shutdown().await.unwrap();
        let mut received = Vec::new();
        client.read_to_end(&mut received).await.unwrap();
        let expected = match (version, accepts) {
            (ProxyHeaderVersion::V1, false) => {
                let ports = format!("{} {}", own.port(), gateway.port());
                format!("PROXY TCP4 127.0.0.1 127.0.0.1 {ports}\r\nhello").into_bytes()
            }
            (ProxyHeaderVersion::V1, true) => format!("{V1}hello").into_bytes(),
            (ProxyHeaderVersion::V2, _) => {
                let addresses = b"\x21\x11\0\x0c\xc6\x33\x64\x07\xcb\0\x71\x01\x0f\xa0\0\x50";
                [&b"\r\n\r\n\0\r\nQUIT\n"[..], addresses, b"hello"].concat()
            }
        };
        assert_eq!(received, expected, "{version:?} {accepts}");
    }
}

#[tokio::test]
async fn the_header_goes_before_the_hello_that_is_passed_through() {
    let mut table = Streams::new(1);
    let listener = table.listener(443, "", ListenerProtocol::TlsPassthrough);
    let backend = raw_backend(|mut stream| async move {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes).await;
        let _ = stream.write_all(&bytes[..16]).await;
    });
    let backend = table.backend(&[backend.await]);
    table.route(listener, &["a.example"], &[(backend, 1)]);
    let streams = StreamOptions { proxy_header: Some(ProxyHeaderVersion::V2), ..StreamOptions::default() };
    let world = table.start(ServeOptions { streams, ..accepting() }).await;
    let mut client = TcpStream::connect(world.address(443)).await.unwrap();
    client.write_all(V1.as_bytes()).await.unwrap();
    let mut session = {
        let config = std::sync::Arc::new(crate::tls::any_certificate());
        rustls::ClientConnection::new(config, "a.example".try_into().unwrap()).unwrap()
    };
    let mut hello = Vec::new();
    session.write_tls(&mut hello).unwrap();
    client.write_all(&hello).await.unwrap();
    client.shutdown().await.unwrap();
    assert_eq!(all(&mut client).await.unwrap().as_bytes()[..12], *b"\r\n\r\n\0\r\nQUIT\n");
}
