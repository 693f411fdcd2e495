//! Messages that can be read in two ways: each is passed on in one form, or refused, and never blamed on the other side.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use gateway_core::rule::BackendProtocol;
use gateway_tower::serve::ServeOptions;
use gateway_tower::upstream::UpstreamOptions;
use http::{HeaderValue, Request, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::world::{Client, LONG, Table, World, echo, exchange, full, get, get2, raw_backend, read_head};

/// A backend that gives this answer to every request without body.
async fn answering(answer: &'static str) -> SocketAddr {
    raw_backend(move |mut stream| async move {
        while read_head(&mut stream).await.contains("HTTP/1.1") {
            let _ = stream.write_all(answer.as_bytes()).await;
            if answer.starts_with("HTTP/1.0") {
                return;
            }
        }
    })
    .await
}

/// One request over a connection that is closed after it.
async fn ask(world: &World, line: &str, lines: &str) -> String {
    let request = format!("{line}\r\nhost: b\r\n{lines}connection: close\r\n\r\n");
    exchange(world.address(80), request.as_bytes()).await
}

// MSG-01, MSG-05
#[tokio::test]
async fn a_target_has_one_form_whatever_the_backend_speaks() {
    for protocol in [BackendProtocol::Http1, BackendProtocol::H2c] {
        let world = World::start(&Table::new(1, echo().await).protocol(protocol)).await;
        let sees = match protocol {
            BackendProtocol::H2c => "http://a",
            BackendProtocol::Http1 | BackendProtocol::WebSocket => "",
        };
        for (target, expected) in [
            ("http://a?x=1", "/?x=1"),
            ("http://a", "/"),
            ("http://a/?q=\u{fc}|%7c", "/?q=\u{fc}|%7c"),
            ("http://a/gr\u{fc}n|", "/gr%C3%BCn%7C"),
            ("http://a/a\\b", "/a%5Cb"),
            ("http://a/gr%c3%bcn", "/gr%C3%BCn"),
        ] {
            let answer = ask(&world, &format!("GET {target} HTTP/1.1"), "").await;
            assert!(
                answer.contains(&format!("GET {sees}{expected} HTTP/")),
                "{protocol:?} {target}: {answer}"
            );
        }
        for line in ["GET a:80", "POST a", "GET *", "GET ftp://a/x", "OPTIONS a:80", "GET http://u:p@a/"] {
            let answer = ask(&world, &format!("{line} HTTP/1.1"), "").await;
            assert!(answer.starts_with("HTTP/1.1 400 "), "{protocol:?} {line}: {answer}");
        }
    }
}

// MSG-11
#[tokio::test]
async fn an_answer_of_http_1_0_goes_on_in_the_version_of_the_gateway() {
    let world = World::start(&Table::new(1, answering("HTTP/1.0 200 OK\r\n\r\nbody").await)).await;
    let mut stream = world.connect().await;
    for _ in 0..2 {
        stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        let head = read_head(&mut stream).await;
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(head.contains("transfer-encoding: chunked\r\n") && !head.contains("connection"), "{head}");
        let mut body = [0; 14];
        stream.read_exact(&mut body).await.unwrap();
        assert_eq!(&body, b"4\r\nbody\r\n0\r\n\r\n");
    }
}

// MSG-03
#[tokio::test]
async fn an_answer_says_in_one_way_where_it_ends_or_is_refused() {
    for (answer, expected) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 2, 2\r\n\r\nok", Some("2")),
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nok", Some("2")),
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok", None),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\nconnection: close\r\n\r\nok", None),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", None),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", None),
    ] {
        let world = World::start(&Table::new(1, answering(answer).await)).await;
        let mut http1 = Client::http1(world.connect().await).await;
        let mut http2 = Client::http2(world.connect().await).await;
        for answered in [http1.send(get("/")).await, http2.send(get2("a", "/")).await] {
            match expected {
                Some(length) => {
                    let lengths: Vec<_> = answered.headers.get_all("content-length").iter().collect();
                    assert_eq!(
                        (lengths, answered.text()),
                        (vec![&HeaderValue::from_static(length)], "ok"),
                        "{answer:?}"
                    );
                }
                None => assert_eq!(answered.status, StatusCode::BAD_GATEWAY, "{answer:?}"),
            }
        }
    }
}

// MSG-03
#[tokio::test]
async fn a_request_says_once_where_it_ends() {
    let world = World::start(&Table::new(1, echo().await)).await;
    let mut client = Client::http2(world.connect().await).await;
    let mut request = Request::post("http://a/").body(full("body")).unwrap();
    for _ in 0..2 {
        request.headers_mut().append("content-length", HeaderValue::from_static("4"));
    }
    let answer = client.send(request).await;
    assert!(answer.text().contains("\ncontent-length: 4\nhost"), "{}", answer.text());
    for coding in ["gzip, chunked", "chunked, gzip"] {
        let bytes = format!(
            "POST / HTTP/1.1\r\nhost: a\r\nconnection: close, transfer-encoding\r\ntransfer-encoding: {coding}\r\n\r\n0\r\n\r\n"
        );
        let answer = exchange(world.address(80), bytes.as_bytes()).await;
        assert!(
            answer.starts_with("HTTP/1.1 501 ") || answer.starts_with("HTTP/1.1 400 "),
            "{coding}: {answer}"
        );
    }
}

// MSG-10
#[tokio::test]
async fn a_body_that_is_framed_wrongly_is_the_fault_of_the_client() {
    for protocol in [BackendProtocol::Http1, BackendProtocol::H2c] {
        let world = World::start(&Table::new(1, echo().await).protocol(protocol)).await;
        let extension = format!("1;{}\r\n", "x".repeat(20_000));
        let trailers = format!("0\r\nx-a: {}\r\n\r\n", "x".repeat(80_000));
        for chunks in [
            "Z\r\n",
            "\r\n",
            "-1\r\nx\r\n0\r\n\r\n",
            "0x1\r\nx\r\n0\r\n\r\n",
            "fffffffffffffffff\r\nx",
            "1\nx\r\n0\r\n\r\n",
            "1 1\r\nx",
            "1;a\nb\r\nx\r\n0\r\n\r\n",
            "4\r\nbodyX\r\n0\r\n\r\n",
            "1\r\nx\r\nZ\r\n",
            "0\r\nx-a: 1\r\n folded\r\n\r\n",
            "0\r\nx a: 1\r\n\r\n",
            &extension,
            &trailers,
        ] {
            let bytes = format!("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n{chunks}");
            let shown = &chunks[..chunks.len().min(40)];
            let answer = exchange(world.address(80), bytes.as_bytes()).await;
            assert!(answer.starts_with("HTTP/1.1 400 "), "{protocol:?} {shown:?}: {answer}");
            assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{protocol:?} {shown:?}: {answer}");
            assert_eq!(world.send(get("/")).await.status, StatusCode::OK, "{protocol:?} after {shown:?}");
        }
    }
}

// FRW-07
#[tokio::test]
async fn claims_of_a_client_go_no_further() {
    let world = World::start(&Table::new(1, echo().await)).await;
    let claims = "forwarded: for=10.0.0.1\r\nx-real-ip: 10.0.0.1\r\nx-forwarded-port: 1\r\nx_forwarded_for: 10.0.0.1\r\n\
        x_real_ip: 10.0.0.1\r\nx-forwarded-for: 10.0.0.2\r\n";
    let answer = ask(&world, "GET / HTTP/1.1", claims).await;
    assert!(!answer.contains("10.0.0.1") && !answer.contains("-port"), "{answer}");
    assert!(answer.contains("x-forwarded-for: 10.0.0.2, 127.0.0.1\n"), "{answer}");
}

// MSG-06
#[tokio::test]
async fn the_last_that_a_request_may_reach_answers_it() {
    let world = World::start(&Table::new(1, echo().await)).await;
    let answer = ask(&world, "OPTIONS * HTTP/1.1", "max-forwards: 0\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && !answer.contains("OPTIONS "), "{answer}");
    let answer = ask(&world, "TRACE / HTTP/1.1", "max-forwards: 0\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 501 "), "{answer}");
    let answer = ask(&world, "OPTIONS / HTTP/1.1", "max-forwards: 7\r\n").await;
    assert!(answer.contains("\nmax-forwards: 6\n"), "{answer}");
}

/// A backend that reads whole requests and answers them after a while.
async fn slow(pause: Duration) -> SocketAddr {
    crate::world::backend(move |request| async move {
        let body = http_body_util::BodyExt::collect(request.into_body()).await;
        tokio::time::sleep(pause).await;
        let text = body.map_or_else(|_| Bytes::from_static(b"broken"), |body| body.to_bytes());
        http::Response::new(full(text))
    })
    .await
}

// MSG-09
#[tokio::test]
async fn a_client_that_closes_its_side_after_its_request_is_answered() {
    let world = World::start(&Table::new(1, slow(Duration::from_millis(300)).await)).await;
    for request in [
        "GET / HTTP/1.1\r\nhost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nbody",
        "GET / HTTP/1.1\r\nhost: a\r\n\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n",
    ] {
        let mut stream = world.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = String::new();
        tokio::time::timeout(LONG, stream.read_to_string(&mut answer))
            .await
            .expect("the server closes")
            .unwrap();
        let answers = request.matches(" / HTTP").count();
        assert_eq!(answer.matches("HTTP/1.1 200 OK\r\n").count(), answers, "{request:?}: {answer:?}");
        assert_eq!(answer.ends_with("\r\n\r\nbody"), request.starts_with("POST"), "{answer:?}");
    }
}

// MSG-09
#[tokio::test]
async fn a_client_that_is_gone_is_not_waited_for_long() {
    let (sender, mut gone) = tokio::sync::mpsc::unbounded_channel();
    let hanging = raw_backend(move |mut stream| {
        let sender = sender.clone();
        async move {
            read_head(&mut stream).await;
            // Ends when the gateway gives the request up.
            let _ = stream.read_u8().await;
            let _ = sender.send(());
        }
    })
    .await;
    let options = ServeOptions { half_close_timeout: Duration::from_secs(1), ..ServeOptions::default() };
    let world = World::with(&Table::new(1, hanging), options, UpstreamOptions::default()).await;
    let mut stream = world.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    drop(stream);
    tokio::time::timeout(LONG, gone.recv()).await.expect("the backend hears of it").unwrap();
}

// MSG-13; RFC 9112 section 9.3
#[tokio::test]
async fn an_answer_of_unknown_length_ends_a_connection_of_http_1_0_and_says_so() {
    let ask = b"GET / HTTP/1.0\r\nhost: a\r\nconnection: keep-alive\r\n\r\n";
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n";
    let world = World::start(&Table::new(1, answering(chunked).await)).await;
    let answer = exchange(world.address(80), ask).await;
    assert!(answer.starts_with("HTTP/1.0 200 OK\r\n") && answer.ends_with("\r\n\r\nbody"), "{answer}");
    assert!(answer.contains("connection: close\r\n") && !answer.contains("keep-alive"), "{answer}");

    let known = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody";
    let world = World::start(&Table::new(1, answering(known).await)).await;
    let mut stream = world.connect().await;
    for _ in 0..2 {
        stream.write_all(ask).await.unwrap();
        let head = read_head(&mut stream).await;
        assert!(head.contains("connection: keep-alive\r\n"), "{head}");
        stream.read_exact(&mut [0; 4]).await.unwrap();
    }
}

// MSG-14; RFC 9110 section 15.3.6
#[tokio::test]
async fn an_answer_that_resets_a_form_has_no_content() {
    for answer in [
        "HTTP/1.1 205 Reset Content\r\ncontent-length: 4\r\n\r\nbody",
        "HTTP/1.1 205 Reset Content\r\ntransfer-encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nx: 1\r\n\r\n",
        "HTTP/1.1 205 Reset Content\r\ncontent-length: 0\r\n\r\n",
    ] {
        let world = World::start(&Table::new(1, answering(answer).await)).await;
        let passed_on = ask(&world, "GET / HTTP/1.1", "").await;
        assert!(passed_on.starts_with("HTTP/1.1 205 "), "{answer:?}: {passed_on}");
        let is_empty = passed_on.ends_with("\r\n\r\n") && passed_on.contains("content-length: 0\r\n");
        assert!(is_empty && !passed_on.contains("transfer-encoding"), "{answer:?}: {passed_on}");
        let mut http2 = Client::http2(world.connect().await).await;
        let answered = http2.send(get2("a", "/")).await;
        assert_eq!((answered.status, answered.text()), (StatusCode::RESET_CONTENT, ""), "{answer:?}");
    }
}

// MSG-15; RFC 9110 section 7.4
#[tokio::test]
async fn the_scheme_that_a_client_names_decides_nothing() {
    let world = World::start(&Table::new(1, echo().await)).await;
    let answer = ask(&world, "GET https://a/x HTTP/1.1", "").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("GET /x HTTP/1.1\n"), "{answer}");
    assert!(answer.contains("\nx-forwarded-proto: http\n"), "{answer}");
    let mut http2 = Client::http2(world.connect().await).await;
    let secure = Request::get("https://a/x").body(full("")).unwrap();
    let answer = http2.send(secure).await;
    assert!(answer.text().contains("\nx-forwarded-proto: http\n"), "{}", answer.text());
}
