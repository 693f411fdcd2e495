//! Clients of HTTP/2 that stop, flood, or break off: what it costs the gateway and other requests.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use gateway_core::rule::BackendProtocol;
use gateway_tower::serve::ServeOptions;
use gateway_tower::upstream::UpstreamOptions;
use http::{Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Incoming;
use tokio::time::timeout;

use crate::frames::{
    ACK, CANCEL, CONTINUATION, DATA, END_HEADERS, END_STREAM, Frames, GET, HEADERS, INITIAL_WINDOW_SIZE,
    NO_ERROR, PING, POST, RST_STREAM, SETTINGS, WINDOW_UPDATE, encode, field,
};
use crate::hostile::recorder;
use crate::http2_backends::settled;
use crate::world::{Body, Client, LONG, Table, World, backend, echo, full, get, get2};

fn endless(sent: Arc<AtomicUsize>) -> Body {
    let pieces = futures_util::stream::repeat_with(move || {
        sent.fetch_add(1, Ordering::SeqCst);
        Ok(Frame::data(Bytes::from_static(&[0; 16 * 1024])))
    });
    StreamBody::new(pieces).boxed_unsync()
}

/// A world whose clients may stand still for a second.
async fn impatient(table: &Table) -> World {
    let options = ServeOptions { stall_timeout: Some(Duration::from_secs(1)), ..ServeOptions::default() };
    World::with(table, options, UpstreamOptions::default()).await
}

/// Sends pings, one after the other, until a frame of this kind comes for this stream.
async fn until_with_pings(client: &mut Frames, kind: u8, stream: u32) {
    let waiting = async {
        client.send(PING, 0, 0, &[0; 8]).await?;
        loop {
            let frame = client.next().await?;
            if (frame.kind, frame.stream) == (kind, stream) {
                return Ok::<_, io::Error>(());
            }
            if frame.kind == PING && frame.has(ACK) {
                tokio::time::sleep(Duration::from_millis(100)).await;
                client.send(PING, 0, 0, &[0; 8]).await?;
            }
        }
    };
    timeout(LONG, waiting).await.expect("it comes in time").expect("the connection stays open");
}

#[tokio::test]
async fn requests_that_a_backend_does_not_take_keep_no_other_waiting() {
    let slow = backend(|request: Request<Incoming>| async move {
        if request.uri().path() == "/stalled" {
            std::future::pending::<()>().await;
        }
        let body = request.into_body().collect().await.unwrap().to_bytes();
        Response::new(full(body))
    })
    .await;
    let world = World::start(&Table::new(1, slow)).await;
    let Client::Http2(sender) = Client::http2(world.connect().await).await else { unreachable!() };
    let sent = Arc::new(AtomicUsize::new(0));
    for _ in 0..3 {
        let (mut sender, sent) = (sender.clone(), Arc::clone(&sent));
        tokio::spawn(async move {
            let request = Request::post("http://a/stalled").body(endless(sent)).unwrap();
            sender.send_request(request).await.map(drop)
        });
    }
    settled(&sent).await;
    let short = Request::post("http://a/short").body(full("0123456789")).unwrap();
    assert_eq!(Client::Http2(sender).send(short).await.text(), "0123456789");
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_given_up_for_all_its_pings() {
    let large = backend(|_| async { Response::new(full(vec![b'x'; 1 << 20])) }).await;
    let world = impatient(&Table::new(1, large)).await;
    let mut client = Frames::client(world.connect().await, &[(INITIAL_WINDOW_SIZE, 0)]).await.unwrap();
    client.send(HEADERS, END_HEADERS | END_STREAM, 1, GET).await.unwrap();
    until_with_pings(&mut client, RST_STREAM, 1).await;
    // The connection serves on.
    client.settings(&[(INITIAL_WINDOW_SIZE, 1000)]).await.unwrap();
    client.send(HEADERS, END_HEADERS | END_STREAM, 3, GET).await.unwrap();
    until_with_pings(&mut client, DATA, 3).await;
}

#[tokio::test]
async fn a_client_that_sends_half_a_request_is_given_up_for_all_its_pings() {
    let world = impatient(&Table::new(1, echo().await)).await;
    let mut client = Frames::client(world.connect().await, &[]).await.unwrap();
    client.send(HEADERS, END_HEADERS, 1, POST).await.unwrap();
    client.send(DATA, 0, 1, b"half").await.unwrap();
    until_with_pings(&mut client, RST_STREAM, 1).await;
}

#[tokio::test]
async fn what_a_client_sends_that_has_not_heard_of_a_small_window_keeps_none_of_its_requests_waiting() {
    const SENT_BLINDLY: usize = (1 << 16) - 1;
    let slow = backend(|request: Request<Incoming>| async move {
        if request.uri().path() == "/" {
            std::future::pending::<()>().await;
        }
        Response::new(full(request.into_body().collect().await.unwrap().to_bytes()))
    })
    .await;
    let options = ServeOptions { http2_window: 1, ..ServeOptions::default() };
    let world = World::with(&Table::new(1, slow), options, UpstreamOptions::default()).await;
    let talk = async {
        let mut client = Frames::client(world.connect().await, &[]).await?;
        client.send(HEADERS, END_HEADERS, 1, POST).await?;
        for piece in vec![0; SENT_BLINDLY].chunks(16 * 1024) {
            client.send(DATA, 0, 1, piece).await?;
        }
        let short = [&[0x83, 0x86, 0x41, 1, b'a'], &field(":path", "/short")[..]].concat();
        client.send(HEADERS, END_HEADERS, 3, &short).await?;
        // Room on the connection, beside what the backend has not taken.
        while client.until(WINDOW_UPDATE).await?.stream != 0 {}
        client.send(DATA, END_STREAM, 3, b"short").await?;
        client.until(DATA).await
    };
    let answer = timeout(LONG, talk).await.expect("the window opens").unwrap();
    assert_eq!((answer.stream, &answer.payload[..]), (3, &b"short"[..]));
}

#[tokio::test]
async fn a_backend_may_take_any_time_while_its_client_lives() {
    let slow = backend(|_| async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        Response::new(full("ok"))
    })
    .await;
    let options = ServeOptions {
        stall_timeout: Some(Duration::from_secs(1)),
        http2_ping_after: Some(Duration::from_millis(300)),
        ..ServeOptions::default()
    };
    let world = World::with(&Table::new(1, slow), options, UpstreamOptions::default()).await;
    let mut client = Client::http2(world.connect().await).await;
    assert_eq!(client.send(get2("a", "/")).await.text(), "ok");
}

#[tokio::test]
async fn a_backend_may_take_any_time_to_read_what_its_client_has_sent() {
    const PIECE: &[u8] = &[0; 5000];
    let slow = backend(|request: Request<Incoming>| async move {
        tokio::time::sleep(Duration::from_secs(3)).await;
        Response::new(full(request.into_body().collect().await.unwrap().to_bytes().len().to_string()))
    })
    .await;
    let options = ServeOptions {
        stall_timeout: Some(Duration::from_secs(1)),
        http2_ping_after: Some(Duration::from_millis(300)),
        ..ServeOptions::default()
    };
    // More than the sockets between hold, or the windows.
    for (protocol, pieces) in [(BackendProtocol::Http1, 2000), (BackendProtocol::H2c, 200)] {
        let table = Table::new(1, slow).protocol(protocol);
        let world = World::with(&table, options.clone(), UpstreamOptions::default()).await;
        let mut client = Client::http2(world.connect().await).await;
        let body = (0..pieces).map(|_| Ok(Frame::data(Bytes::from_static(PIECE))));
        let body = StreamBody::new(futures_util::stream::iter(body)).boxed_unsync();
        let answer = client.send(Request::post("http://a/").body(body).unwrap()).await;
        assert_eq!(answer.text(), (pieces * PIECE.len()).to_string(), "{protocol:?}");
    }
}

#[tokio::test]
async fn a_client_that_answers_no_ping_is_gone() {
    let (sender, mut given_up) = tokio::sync::mpsc::channel::<()>(1);
    let silent = backend(move |_| {
        let sender = sender.clone();
        async move {
            let _held = sender;
            std::future::pending().await
        }
    })
    .await;
    let options = ServeOptions {
        http2_ping_after: Some(Duration::from_millis(200)),
        http2_ping_timeout: Duration::from_millis(200),
        ..ServeOptions::default()
    };
    let world = World::with(&Table::new(1, silent), options, UpstreamOptions::default()).await;
    let mut client = Frames::client(world.connect().await, &[]).await.unwrap();
    client.send(HEADERS, END_HEADERS | END_STREAM, 1, GET).await.unwrap();
    let closed = async { while client.next().await.is_ok() {} };
    timeout(LONG, closed).await.expect("the connection is closed");
    given_up.close();
}

// RFC 9113 section 8.1
#[tokio::test]
async fn half_a_request_that_is_reset_without_error_never_looks_whole() {
    let (address, mut received) = recorder().await;
    let world = World::start(&Table::new(1, address)).await;
    for reason in [NO_ERROR, CANCEL] {
        let mut client = Frames::client(world.connect().await, &[]).await.unwrap();
        client.send(HEADERS, END_HEADERS, 1, POST).await.unwrap();
        client.send(DATA, 0, 1, b"abc").await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        client.reset(1, reason).await.unwrap();
        let received = timeout(LONG, received.recv()).await.unwrap().unwrap();
        assert!(received.contains("abc") && !received.contains("\r\n0\r\n"), "{reason}: {received}");
    }
}

#[tokio::test]
async fn a_client_that_takes_its_requests_back_is_sent_away() {
    const AT_ONCE: u32 = 50;
    let begun = Arc::new(AtomicUsize::new(0));
    let of_backend = Arc::clone(&begun);
    let silent = backend(move |_| {
        of_backend.fetch_add(1, Ordering::SeqCst);
        std::future::pending()
    })
    .await;
    let world = World::start(&Table::new(1, silent)).await;
    let mut client = Frames::client(world.connect().await, &[]).await.unwrap();
    let flood = async {
        for round in 0.. {
            let streams = (0..AT_ONCE).map(|i| (round * AT_ONCE + i) * 2 + 1);
            for stream in streams.clone() {
                client.send(HEADERS, END_HEADERS | END_STREAM, stream, GET).await?;
            }
            let seen = ((round + 1) * AT_ONCE) as usize;
            let mut patience = 200;
            while begun.load(Ordering::SeqCst) < seen {
                tokio::time::sleep(Duration::from_millis(5)).await;
                patience -= 1;
                if patience == 0 {
                    return Ok(());
                }
            }
            for stream in streams {
                client.reset(stream, CANCEL).await?;
            }
        }
        Ok::<_, io::Error>(())
    };
    // Ends with an error when the connection is closed, or when no request comes through any more.
    let _ = timeout(LONG * 3, flood).await.expect("it is stopped");
    assert!(begun.load(Ordering::SeqCst) <= 700, "{begun:?}");
}

#[tokio::test]
async fn floods_of_frames_hold_up_nobody() {
    let world = World::start(&Table::new(1, echo().await)).await;
    let piece = field("x", &"y".repeat(1000));
    let floods = [
        (SETTINGS, 0, vec![0, 4, 0, 0, 0, 0]),
        (PING, 0, vec![0; 8]),
        (CONTINUATION, 1, piece),
        (RST_STREAM, 1, CANCEL.to_be_bytes().to_vec()),
        (DATA, 1, Vec::new()),
    ];
    for (kind, stream, payload) in floods {
        let mut client = Frames::client(world.connect().await, &[]).await.unwrap();
        let end = if kind == CONTINUATION { 0 } else { END_HEADERS };
        client.send(HEADERS, end, 1, POST).await.unwrap();
        let many = encode(kind, 0, stream, &payload).repeat(1_000);
        let flood = async {
            loop {
                tokio::io::AsyncWriteExt::write_all(&mut client.0, &many).await?;
            }
        };
        // Stopped by the gateway, or it does not read on since the client does not either.
        let stopped: Result<io::Result<()>, _> = timeout(Duration::from_secs(2), flood).await;
        let closed = matches!(stopped, Ok(Err(_)));
        assert!(closed || kind != CONTINUATION, "a head without end is no request");
        assert_eq!(world.send(get("/")).await.status, StatusCode::OK, "{kind}");
    }
}
