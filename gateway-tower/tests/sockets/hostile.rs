//! Clients and backends that break off, answer early, or say more than they may.

use std::time::Duration;

use gateway_core::rule::BackendProtocol;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

use crate::world::{
    Body, Client, LONG, Table, World, backend, echo, exchange, full, get, get2, raw_backend, read_head,
};

/// A backend that says everything it was sent on a connection, once that ends.
pub(crate) async fn recorder() -> (std::net::SocketAddr, mpsc::UnboundedReceiver<String>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let backend = raw_backend(move |mut stream| {
        let sender = sender.clone();
        async move {
            let mut bytes = Vec::new();
            let _ = stream.read_to_end(&mut bytes).await;
            let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
        }
    })
    .await;
    (backend, receiver)
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LONG, future).await.expect("it happens in time")
}

fn broken_body() -> Body {
    let frames = [Ok(Frame::data("abc".into())), Err("broken".into())];
    let paused = futures_util::stream::unfold(frames.into_iter(), async |mut frames| {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Some((frames.next()?, frames))
    });
    StreamBody::new(paused).boxed_unsync()
}

#[tokio::test]
async fn half_a_request_never_looks_whole_to_the_backend() {
    let (backend, mut received) = recorder().await;
    let world = World::start(&Table::new(1, backend)).await;
    for length in ["content-length: 10", "transfer-encoding: chunked"] {
        let mut stream = world.connect().await;
        let piece = if length.starts_with('t') { "3\r\nabc\r\n" } else { "abc" };
        let part = format!("POST / HTTP/1.1\r\nhost: a\r\n{length}\r\n\r\n{piece}");
        stream.write_all(part.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        drop(stream);
        let received = within(received.recv()).await.unwrap();
        assert!(received.contains("abc") && !received.contains("\r\n0\r\n"), "{length}: {received}");
    }
    for length in [None, Some("10")] {
        let mut client = Client::http2(world.connect().await).await;
        let mut request = Request::post("http://a/").body(broken_body()).unwrap();
        if let Some(length) = length {
            request.headers_mut().insert("content-length", HeaderValue::from_static(length));
        }
        assert!(within(client.begin(request)).await.is_err());
        let received = within(received.recv()).await.unwrap();
        assert!(received.contains("abc") && !received.contains("\r\n0\r\n"), "{length:?}: {received}");
    }
}

#[tokio::test]
async fn an_answer_that_comes_before_the_end_of_the_request_arrives() {
    let backend = raw_backend(|mut stream| async move {
        read_head(&mut stream).await;
        let answer = "HTTP/1.1 413 Content Too Large\r\ncontent-length: 4\r\nconnection: close\r\n\r\nlong";
        let _ = stream.write_all(answer.as_bytes()).await;
    })
    .await;
    let world = World::start(&Table::new(1, backend)).await;
    for _ in 0..10 {
        let mut client = Client::http2(world.connect().await).await;
        let request = Request::post("http://a/").body(full(vec![b'x'; 4 << 20])).unwrap();
        let response = within(client.begin(request)).await.unwrap();
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
}

#[tokio::test]
async fn what_a_backend_sends_unasked_answers_nobody() {
    let backend = raw_backend(|mut stream| async move {
        while read_head(&mut stream).await.starts_with("GET ") {
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ngoodHTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nbad";
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    })
    .await;
    let world = World::start(&Table::new(1, backend)).await;
    for _ in 0..20 {
        let answer = world.send(get("/")).await;
        assert_eq!((answer.status, answer.text()), (StatusCode::OK, "good"));
    }
}

#[tokio::test]
async fn answers_without_bodies_have_none_whatever_their_heads_say() {
    for head in ["304 Not Modified", "204 No Content"] {
        let backend = raw_backend(move |mut stream| async move {
            while read_head(&mut stream).await.contains("HTTP/1.1") {
                let answer = format!("HTTP/1.1 {head}\r\ncontent-length: 7\r\netag: \"1\"\r\n\r\n");
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        })
        .await;
        let world = World::start(&Table::new(1, backend)).await;
        let mut http1 = Client::http1(world.connect().await).await;
        let mut http2 = Client::http2(world.connect().await).await;
        for _ in 0..2 {
            assert_eq!(http1.send(get("/")).await.headers["etag"], "\"1\"");
            assert_eq!(http2.send(get2("a", "/")).await.headers["etag"], "\"1\"");
        }
    }
}

#[tokio::test]
async fn a_body_after_an_answer_to_head_answers_nobody() {
    let backend = raw_backend(|mut stream| async move {
        while read_head(&mut stream).await.contains("HTTP/1.1") {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 38\r\n\r\nHTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n").await;
        }
    })
    .await;
    let world = World::start(&Table::new(1, backend)).await;
    for _ in 0..10 {
        let mut request = get("/");
        *request.method_mut() = Method::HEAD;
        assert_eq!(world.send(request).await.status, StatusCode::OK);
    }
}

// AMB-05
#[tokio::test]
async fn the_whole_server_can_be_asked_for_its_options() {
    for protocol in [BackendProtocol::Http1, BackendProtocol::H2c] {
        let world = World::start(&Table::new(1, echo().await).protocol(protocol)).await;
        let request = b"OPTIONS * HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
        let answer = exchange(world.address(80), request).await;
        assert!(answer.contains("\nOPTIONS "), "{answer}");
    }
}

#[tokio::test]
async fn odd_targets_are_answered_and_harm_nobody() {
    for protocol in [BackendProtocol::Http1, BackendProtocol::H2c] {
        let world = World::start(&Table::new(1, echo().await).protocol(protocol)).await;
        for target in [
            "http://a?x=1",
            "http://a/",
            "https://a:443/x",
            "http://u:p@a/",
            "http://u@a:80@b/",
            "a:80",
            "a",
            "//a/b",
            "/a#b",
            "/%",
            "/%zz",
            "/\\..\\x",
            "/;x/../y",
            "http://[::1]:80/",
            "http://a:/",
            "http://a:99999/",
            "ftp://a/x",
            "/\u{e9}",
            "*",
            "*x",
            "?",
            "?x",
        ] {
            let request = format!("GET {target} HTTP/1.1\r\nhost: b\r\nconnection: close\r\n\r\n");
            let answer = exchange(world.address(80), request.as_bytes()).await;
            assert!(
                answer.starts_with("HTTP/1.1 200 ")
                    || answer.starts_with("HTTP/1.1 400 ")
                    || answer.starts_with("HTTP/1.1 404 "),
                "{target}: {answer}"
            );
        }
    }
}

#[tokio::test]
async fn trailers_say_nothing_about_connections_lengths_and_clients() {
    /// As they are written, and as they arrive.
    const TRAILERS: &str = "x-sum: 7\r\nconnection: close\r\ncontent-length: 1\r\nhost: b\r\nupgrade: h2c\r\n\
        x-forwarded-for: 1.1.1.1\r\ntransfer-encoding: x\r\nkeep-alive: 1\r\nx-real-ip: 1.1.1.1\r\nforwarded: for=1.1.1.1\r\n\
        x_forwarded_for: 1.1.1.1\r\nx-forwarded-port: 1\r\n\r\n";
    const NAMES: &str = "x-sum, connection, content-length, host, upgrade, x-forwarded-for, transfer-encoding, keep-alive, x-real-ip, \
         forwarded, x_forwarded_for, x-forwarded-port";
    let telling = backend(|request| async move {
        let body = request.into_body().collect().await.unwrap();
        let trailers = body.trailers().cloned().unwrap_or_default();
        let names: Vec<_> = trailers.keys().map(ToString::to_string).collect();
        Response::new(full(format!("trailers: {}", names.join(" "))))
    })
    .await;
    for protocol in [BackendProtocol::Http1, BackendProtocol::H2c] {
        let world = World::start(&Table::new(1, telling).protocol(protocol)).await;
        let request = format!(
            "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\nconnection: close\r\ntrailer: {NAMES}\r\n\r\n\
             0\r\n{TRAILERS}"
        );
        let answer = exchange(world.address(80), request.as_bytes()).await;
        assert!(answer.ends_with("\r\n\r\ntrailers: x-sum"), "{protocol:?}: {answer}");
    }

    let sending = raw_backend(|mut stream| async move {
        while read_head(&mut stream).await.contains("HTTP/1.1") {
            let answer = format!(
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: {NAMES}\r\n\r\n1\r\nx\r\n0\r\n{TRAILERS}"
            );
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    })
    .await;
    let world = World::start(&Table::new(1, sending)).await;
    let mut http1 = Client::http1(world.connect().await).await;
    let mut http2 = Client::http2(world.connect().await).await;
    for (client, mut request) in [(&mut http1, get("/")), (&mut http2, get2("a", "/"))] {
        request.headers_mut().insert("te", HeaderValue::from_static("trailers"));
        let trailers = client.send(request).await.trailers.expect("trailers");
        assert_eq!(trailers.keys().collect::<Vec<_>>(), ["x-sum"]);
    }
}

/// A frame of HTTP/2 on the first stream of a client.
fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    let stream = u32::from(kind != 4).to_be_bytes();
    [&length[1..], &[kind, flags], &stream, payload].concat()
}

/// A field of HPACK that no table has.
fn field(name: &str, value: &str) -> Vec<u8> {
    [&[0, name.len() as u8], name.as_bytes(), &[value.len() as u8], value.as_bytes()].concat()
}

// MSG-12
#[tokio::test]
async fn a_pseudo_header_in_trailers_reaches_no_backend() {
    const END_STREAM: u8 = 1;
    const END_HEADERS: u8 = 4;
    let telling = backend(|request| async move {
        let target = request.uri().to_string();
        let body = request.into_body().collect().await.unwrap();
        let trailers = body.trailers().cloned().unwrap_or_default();
        Response::new(full(format!("{target} {:?} end", trailers.keys().collect::<Vec<_>>())))
    })
    .await;
    let world = World::start(&Table::new(1, telling)).await;
    let mut stream = world.connect().await;
    // POST, http, / of the static table, and the authority.
    let head = [&[0x83, 0x86, 0x84][..], &field(":authority", "a"), &field("trailer", "x-sum")].concat();
    let trailers = [field(":path", "/admin"), field("x-sum", "7")].concat();
    let bytes = [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        frame(4, 0, &[]),
        frame(1, END_HEADERS, &head),
        frame(0, 0, b"body"),
        frame(1, END_HEADERS | END_STREAM, &trailers),
    ];
    stream.write_all(&bytes.concat()).await.unwrap();
    let mut answer = Vec::new();
    let told = async {
        while !answer.ends_with(b" end") && !answer.windows(4).any(|end| end == b" end") {
            assert_ne!(
                stream.read_buf(&mut answer).await.unwrap(),
                0,
                "{:?}",
                answer.escape_ascii().to_string()
            );
        }
    };
    within(told).await;
    let answer = answer.escape_ascii().to_string();
    assert!(answer.contains(r#"/ [\"x-sum\"] end"#), "{answer}");
}
