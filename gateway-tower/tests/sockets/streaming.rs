//! Bodies flow; nothing waits for their end.

use std::time::Duration;

use bytes::Bytes;
use gateway_core::rule::BackendProtocol;
use http::{Request, Response, StatusCode};
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Incoming;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

use crate::world::{
    Answer, Body, Client, LONG, Table, World, backend, full, get, get2, raw_backend, read_head,
};

/// A body that is sent piece by piece.
fn channel() -> (mpsc::Sender<Bytes>, Body) {
    let (sender, receiver) = mpsc::channel(1);
    let frames = futures_util::stream::unfold(receiver, async |mut receiver| {
        let bytes: Bytes = receiver.recv().await?;
        Some((Ok(Frame::data(bytes)), receiver))
    });
    (sender, StreamBody::new(frames).boxed_unsync())
}

async fn next(body: &mut Incoming) -> Bytes {
    let frame = tokio::time::timeout(LONG, body.frame()).await.expect("a frame comes");
    frame.expect("not the end").expect("no error").into_data().expect("data")
}

async fn clients(world: &World) -> [(Client, &'static str); 2] {
    let http1 = Client::http1(world.connect().await).await;
    let http2 = Client::http2(world.connect().await).await;
    [(http1, "/"), (http2, "http://example.com/")]
}

#[tokio::test]
async fn every_piece_of_a_body_arrives_before_the_next_is_sent() {
    let echo = backend(|request: Request<Incoming>| async move {
        let body = request.into_body().map_err(Into::into);
        Response::new(body.boxed_unsync())
    })
    .await;
    for protocol in [BackendProtocol::Http1, BackendProtocol::H2c] {
        let world = World::start(&Table::new(1, echo).protocol(protocol)).await;
        for (mut client, target) in clients(&world).await {
            let (sender, body) = channel();
            let request = Request::post(target).header("host", "example.com").body(body).unwrap();
            let response = tokio::time::timeout(LONG, client.begin(request)).await;
            let mut answer = response.expect("the head comes before any of the body").unwrap().into_body();
            for piece in ["first", "second", "third"] {
                sender.send(Bytes::from(piece)).await.unwrap();
                assert_eq!(next(&mut answer).await, piece, "{protocol:?} {target}");
            }
            drop(sender);
            assert!(answer.collect().await.unwrap().to_bytes().is_empty());
        }
    }
}

#[tokio::test]
async fn large_bodies_pass_in_both_directions() {
    const LENGTH: usize = 8 * 1024 * 1024;
    let echo = backend(|request: Request<Incoming>| async move {
        Response::new(request.into_body().map_err(Into::into).boxed_unsync())
    })
    .await;
    let large = Bytes::from((0..LENGTH).map(|i| (i % 251) as u8).collect::<Vec<_>>());
    for protocol in [BackendProtocol::Http1, BackendProtocol::H2c] {
        let world = World::start(&Table::new(1, echo).protocol(protocol)).await;
        for (mut client, target) in clients(&world).await {
            let request =
                Request::post(target).header("host", "example.com").body(full(large.clone())).unwrap();
            let answer = client.send(request).await;
            assert!(answer.body == large, "{protocol:?} {target}: {} bytes", answer.body.len());
        }
    }
}

#[tokio::test]
async fn a_slow_reader_holds_the_backend_back() {
    let (sent, mut progress) = mpsc::unbounded_channel();
    let endless = backend(move |_| {
        let sent = sent.clone();
        async move {
            let frames = futures_util::stream::unfold(sent, async |sent| {
                let _ = sent.send(());
                Some((Ok(Frame::data(Bytes::from_static(&[0; 64 * 1024]))), sent))
            });
            Response::new(StreamBody::new(frames).boxed_unsync())
        }
    })
    .await;
    let world = World::start(&Table::new(1, endless)).await;
    for (mut client, target) in clients(&world).await {
        let request = Request::get(target).header("host", "example.com").body(full("")).unwrap();
        let response = client.begin(request).await.unwrap();
        // The backend stops when all buffers on the way are full; it would go on for ever were there no limit.
        let mut pieces = 0;
        while tokio::time::timeout(Duration::from_millis(300), progress.recv()).await.is_ok() {
            pieces += 1;
            assert!(pieces < 1_000, "64 MB were buffered");
        }
        drop(response);
        drop(client);
        while tokio::time::timeout(Duration::from_millis(300), progress.recv()).await.is_ok() {}
    }
}

// HRB-22
#[tokio::test]
async fn a_backend_that_closes_in_the_middle_breaks_the_answer_and_not_the_gateway() {
    let half = raw_backend(|mut stream| async move {
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await.unwrap();
    })
    .await;
    let world = World::start(&Table::new(1, half)).await;
    for _ in 0..2 {
        let mut http1 = Client::http1(world.connect().await).await;
        let mut http2 = Client::http2(world.connect().await).await;
        for (client, request) in [(&mut http1, get("/")), (&mut http2, get2("example.com", "/"))] {
            let response = client.begin(request).await.unwrap();
            assert_eq!(response.status(), StatusCode::OK);
            assert!(Answer::read(response).await.is_err(), "half an answer is not taken for a whole one");
        }
    }
}

// HRB-22
#[tokio::test]
async fn a_backend_that_closes_before_the_answer_or_sends_something_else_gives_502() {
    for bytes in [
        &b""[..],
        b"HTTP/1.1 200",
        b"SSH-2.0-server\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
    ] {
        let broken = raw_backend(move |mut stream| async move {
            read_head(&mut stream).await;
            let _ = stream.write_all(bytes).await;
        })
        .await;
        let world = World::start(&Table::new(1, broken)).await;
        assert_eq!(world.send(get("/")).await.status, StatusCode::BAD_GATEWAY, "{bytes:?}");
    }
}

#[tokio::test]
async fn a_client_that_leaves_ends_the_answer_of_the_backend() {
    let (sender, mut gone) = mpsc::channel(1);
    let endless = backend(move |_| {
        let (body_sender, body) = channel();
        let sender = sender.clone();
        tokio::spawn(async move {
            let _ = body_sender.send(Bytes::from_static(b"first")).await;
            body_sender.closed().await;
            let _ = sender.send(()).await;
        });
        std::future::ready(Response::new(body))
    })
    .await;
    let world = World::start(&Table::new(1, endless)).await;
    for (mut client, target) in clients(&world).await {
        let request = Request::get(target).header("host", "example.com").body(full("")).unwrap();
        let mut body = client.begin(request).await.unwrap().into_body();
        assert_eq!(next(&mut body).await, "first");
        assert!(!body.is_end_stream());
        drop(body);
        drop(client);
        tokio::time::timeout(LONG, gone.recv()).await.expect("the backend hears of it");
    }
}

// MSG-08
#[tokio::test]
async fn a_client_that_waits_for_100_hears_what_the_backend_says() {
    const HEAD: &[u8] = b"POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n";
    let (sender, mut asked) = mpsc::unbounded_channel();
    let (go, wait) = tokio::sync::watch::channel("");
    let backend = raw_backend(move |mut stream| {
        let (sender, mut wait) = (sender.clone(), wait.clone());
        async move {
            assert!(read_head(&mut stream).await.contains("\r\nexpect: 100-continue\r\n"));
            sender.send(()).unwrap();
            let answer = *wait.wait_for(|answer| !answer.is_empty()).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
            if answer.starts_with("HTTP/1.1 100") {
                let mut body = [0; 4];
                stream.read_exact(&mut body).await.unwrap();
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n").await.unwrap();
                stream.write_all(&body).await.unwrap();
            }
        }
    })
    .await;
    let world = World::start(&Table::new(1, backend)).await;
    let mut stream = world.connect().await;
    stream.write_all(HEAD).await.unwrap();
    asked.recv().await.unwrap();
    let early = tokio::time::timeout(Duration::from_millis(200), stream.read_u8()).await;
    assert!(early.is_err(), "the backend has not spoken");
    go.send("HTTP/1.1 100 Continue\r\n\r\n").unwrap();
    assert_eq!(read_head(&mut stream).await, "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"body").await.unwrap();
    assert!(read_head(&mut stream).await.starts_with("HTTP/1.1 200 OK\r\n"));

    go.send("HTTP/1.1 417 Expectation Failed\r\ncontent-length: 0\r\n\r\n").unwrap();
    let mut stream = world.connect().await;
    stream.write_all(HEAD).await.unwrap();
    assert!(read_head(&mut stream).await.starts_with("HTTP/1.1 417 "), "the body is not asked for");
}

// MSG-08
#[tokio::test]
async fn answers_before_the_answer_are_not_passed_on_and_harm_nothing() {
    let hinting = raw_backend(|mut stream| async move {
        while read_head(&mut stream).await.contains("HTTP/1.1") {
            let hints = "HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n";
            let answer = format!("{hints}{hints}HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    })
    .await;
    let world = World::start(&Table::new(1, hinting)).await;
    for (mut client, target) in clients(&world).await {
        for _ in 0..2 {
            let request = Request::get(target).header("host", "a").body(full("")).unwrap();
            let answer = client.send(request).await;
            assert_eq!((answer.status, answer.text()), (StatusCode::OK, "ok"));
            assert!(!answer.headers.contains_key("link"));
        }
    }
}

// MSG-08
#[tokio::test]
async fn a_client_that_waits_for_100_gets_it_when_the_backend_says_nothing() {
    let world = World::start(&Table::new(1, crate::world::echo().await)).await;
    let mut stream = world.connect().await;
    let head = b"POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 4\r\nconnection: close\r\n\r\n";
    stream.write_all(head).await.unwrap();
    assert_eq!(read_head(&mut stream).await, "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"body").await.unwrap();
    assert!(read_head(&mut stream).await.starts_with("HTTP/1.1 200 OK\r\n"));
}

#[tokio::test]
async fn a_request_is_sent_to_its_end_while_its_answer_is_not_taken() {
    const LENGTH: usize = 16 * 1024 * 1024;
    let both = raw_backend(|stream| async move {
        let (mut read, mut write) = stream.into_split();
        let reading = async {
            let mut block = vec![0; 64 * 1024];
            while read.read(&mut block).await.unwrap() > 0 {}
        };
        let writing = async {
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {LENGTH}\r\n\r\n");
            write.write_all(head.as_bytes()).await.unwrap();
            let _ = write.write_all(&vec![b'x'; LENGTH]).await;
        };
        tokio::join!(reading, writing);
    })
    .await;
    let world = World::start(&Table::new(1, both)).await;
    let mut client = world.connect().await;
    let head = format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {LENGTH}\r\n\r\n");
    client.write_all(head.as_bytes()).await.unwrap();
    let exchange = async {
        client.write_all(&vec![b'y'; LENGTH]).await.unwrap();
        read_head(&mut client).await;
        client.read_exact(&mut vec![0; LENGTH]).await.unwrap();
    };
    tokio::time::timeout(LONG, exchange).await.expect("neither waits for the other");
}
