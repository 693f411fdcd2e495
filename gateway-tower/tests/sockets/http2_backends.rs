//! Backends of HTTP/2 that several clients share: what one of them does, or the backend, must not stop the others.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use gateway_core::rule::{BackendProtocol, RetryBudget, RetryRate, Timeouts};
use gateway_tower::serve::ServeOptions;
use gateway_tower::upstream::UpstreamOptions;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Incoming;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Barrier, Notify};

use crate::frames::{
    CANCEL, DATA, END_HEADERS, END_STREAM, Frames, GOAWAY, HEADERS, INITIAL_WINDOW_SIZE,
    MAX_CONCURRENT_STREAMS, NO_ERROR, OK, PUSH_PROMISE, REFUSED_STREAM, RST_STREAM, WINDOW_UPDATE, encode,
    field,
};
use crate::pools::counting;
use crate::world::{Answer, Body, Client, LONG, Table, World, exchange, full, get, get2, raw_backend};

const OK_VALUE: HeaderValue = HeaderValue::from_static("ok");

async fn world(address: SocketAddr) -> World {
    with(address, UpstreamOptions::default()).await
}

async fn with(address: SocketAddr, upstream: UpstreamOptions) -> World {
    let table = Table::new(1, address).protocol(BackendProtocol::H2c);
    World::with(&table, ServeOptions::default(), upstream).await
}

/// A backend at the level of frames; `serve` gets each connection, with its number.
async fn frames<F, R>(settings: &'static [(u16, u32)], serve: F) -> SocketAddr
where
    F: Fn(usize, Frames) -> R + Send + Sync + 'static,
    R: Future<Output = std::io::Result<()>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut number = 0;
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(frames) = Frames::server(stream, settings).await else { continue };
            tokio::spawn(serve(number, frames));
            number += 1;
        }
    });
    address
}

/// Answers a request with a body of two bytes.
async fn answer(frames: &mut Frames, stream: u32) -> std::io::Result<()> {
    frames.send(HEADERS, END_HEADERS, stream, OK).await?;
    frames.send(DATA, END_STREAM, stream, b"ok").await
}

/// Answers all requests that come on a connection.
async fn answer_all(mut frames: Frames) -> std::io::Result<()> {
    loop {
        let stream = frames.until(HEADERS).await?.stream;
        answer(&mut frames, stream).await?;
    }
}

/// A body without end, in such pieces.
fn endless(taken: Arc<AtomicUsize>, piece: &'static [u8]) -> Body {
    let pieces = futures_util::stream::repeat_with(move || {
        taken.fetch_add(1, Ordering::SeqCst);
        Ok(Frame::data(Bytes::from_static(piece)))
    });
    StreamBody::new(pieces).boxed_unsync()
}

/// Waits until `count` has changed and then stops changing.
pub(crate) async fn settled(count: &AtomicUsize) {
    let mut before = 0;
    loop {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let now = count.load(Ordering::SeqCst);
        if std::mem::replace(&mut before, now) == now && now > 0 {
            return;
        }
    }
}

/// A gateway before a backend of endless answers in such pieces, and of short ones; how many pieces were taken, and how many connections
/// were made.
async fn endless_backend(piece: &'static [u8]) -> (World, Arc<AtomicUsize>, Arc<AtomicUsize>) {
    let taken = Arc::new(AtomicUsize::new(0));
    let of_backend = Arc::clone(&taken);
    let handle = move |request: Request<Incoming>| {
        let taken = Arc::clone(&of_backend);
        async move {
            Response::new(if request.uri().path() == "/endless" {
                endless(taken, piece)
            } else {
                full("0123456789")
            })
        }
    };
    let (address, connections) = counting(100, handle).await;
    (world(address).await, taken, connections)
}

#[tokio::test]
async fn clients_that_do_not_read_keep_no_other_from_its_answer() {
    let (world, taken, connections) = endless_backend(&[0; 16 * 1024]).await;
    let mut stalled = Vec::new();
    for _ in 0..3 {
        let mut stream = world.connect().await;
        stream.write_all(b"GET /endless HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        stalled.push(stream);
    }
    settled(&taken).await;
    assert_eq!(world.send(get("/short")).await.text(), "0123456789");
    assert_eq!(connections.load(Ordering::SeqCst), 1, "over the connection of the others");
}

#[tokio::test]
async fn small_pieces_that_nobody_reads_end_no_connection_that_others_share() {
    let (world, taken, connections) = endless_backend(&[0; 20]).await;
    let stream = world.connect().await;
    let (mut stalled, connection) =
        h2::client::Builder::new().initial_window_size(0).handshake::<_, Bytes>(stream).await.unwrap();
    tokio::spawn(connection);
    let mut answers = Vec::new();
    for _ in 0..16 {
        stalled = stalled.ready().await.unwrap();
        let request = Request::get("http://a/endless").body(()).unwrap();
        answers.push(stalled.send_request(request, true).unwrap().0.await.unwrap());
    }
    settled(&taken).await;
    assert_eq!(world.send(get("/short")).await.text(), "0123456789");
    assert_eq!(connections.load(Ordering::SeqCst), 1, "over the connection of the others");
    assert!(answers.iter().all(|answer| answer.status() == StatusCode::OK));
}

#[tokio::test]
async fn single_bytes_that_fill_the_smallest_windows_at_once_end_no_connection() {
    const WINDOW: u32 = 4;
    const REQUESTS: usize = 50;
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    let address = frames(&[(MAX_CONCURRENT_STREAMS, 100)], move |_, mut backend| {
        counted.fetch_add(1, Ordering::SeqCst);
        async move {
            let mut streams = Vec::new();
            while streams.len() < REQUESTS {
                streams.push(backend.until(HEADERS).await?.stream);
            }
            let heads = streams.iter().map(|stream| encode(HEADERS, END_HEADERS, *stream, OK));
            let byte = |stream: &u32| encode(DATA, 0, *stream, b"x").repeat(WINDOW as usize);
            backend.0.write_all(&heads.chain(streams.iter().map(byte)).collect::<Vec<_>>().concat()).await?;
            for stream in streams {
                backend.send(DATA, END_STREAM, stream, &[]).await?;
            }
            backend.next().await.map(drop)
        }
    })
    .await;
    let world = with(address, UpstreamOptions { http2_window: WINDOW, ..UpstreamOptions::default() }).await;
    let answers = join_all((0..REQUESTS).map(|_| world.send(get("/")))).await;
    let whole = |answer: &Answer| answer.status == StatusCode::OK && answer.text() == "xxxx";
    assert!(answers.iter().all(whole), "{answers:?}");
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn small_pieces_arrive_whole_and_in_order_however_long_their_client_rests() {
    const BYTES: usize = 300_000;
    let pieces = || {
        let body: Bytes = (0..BYTES).map(|i| (i % 251) as u8).collect();
        let mut rest = body;
        let lengths = (1..400).chain([9000]).cycle();
        let pieces = lengths.map_while(move |length| {
            (!rest.is_empty()).then(|| Ok(Frame::data(rest.split_to(length.min(rest.len())))))
        });
        let trailers = HeaderMap::from_iter([(HeaderName::from_static("x-end"), OK_VALUE)]);
        pieces.chain([Ok(Frame::trailers(trailers))])
    };
    let (address, connections) = counting(100, move |request: Request<Incoming>| async move {
        Response::new(if request.uri().path() == "/long" {
            StreamBody::new(futures_util::stream::iter(pieces())).boxed_unsync()
        } else {
            full("0123456789")
        })
    })
    .await;
    let world = world(address).await;
    let mut builder = h2::client::Builder::new();
    builder.initial_connection_window_size(1 << 20);
    let (mut client, connection) = builder.handshake::<_, Bytes>(world.connect().await).await.unwrap();
    tokio::spawn(connection);
    let mut answers = Vec::new();
    for _ in 0..3 {
        client = client.ready().await.unwrap();
        let request = Request::get("http://a/long").body(()).unwrap();
        answers.push(client.send_request(request, true).unwrap().0.await.unwrap().into_body());
    }
    for mut answer in answers {
        // What is read for others has what has come for this one taken.
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(world.send(get("/short")).await.text(), "0123456789");
        let mut body = Vec::new();
        while let Some(piece) = answer.data().await {
            let piece = piece.unwrap();
            answer.flow_control().release_capacity(piece.len()).unwrap();
            body.extend_from_slice(&piece);
        }
        assert!(body.iter().enumerate().all(|(i, byte)| usize::from(*byte) == i % 251));
        assert_eq!(body.len(), BYTES);
        assert_eq!(answer.trailers().await.unwrap().unwrap()["x-end"], OK_VALUE);
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_burst_over_the_limit_of_a_cold_backend_is_answered() {
    let (address, _) = counting(10, async |_| Response::new(full("ok"))).await;
    let world = world(address).await;
    let answers = join_all((0..60).map(|_| world.send(get("/")))).await;
    assert!(answers.iter().all(|answer| answer.status == StatusCode::OK));
}

#[tokio::test]
async fn another_connection_is_made_when_the_backend_takes_no_more_on_one() {
    let held = Arc::new(Notify::new());
    let of_backend = Arc::clone(&held);
    let handle = move |request: Request<Incoming>| {
        let held = Arc::clone(&of_backend);
        async move {
            if request.uri().path() == "/long" {
                held.notified().await;
            }
            Response::new(full("ok"))
        }
    };
    let (address, connections) = counting(2, handle).await;
    let world = Arc::new(world(address).await);
    let long = |_| {
        let world = Arc::clone(&world);
        tokio::spawn(async move { world.send(get("/long")).await.status })
    };
    let long: Vec<_> = (0..2).map(long).collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(world.send(get("/short")).await.status, StatusCode::OK);
    assert_eq!(connections.load(Ordering::SeqCst), 2);
    held.notify_waiters();
    for long in long {
        assert_eq!(long.await.unwrap(), StatusCode::OK);
    }
}

#[tokio::test]
async fn requests_wait_for_a_place_only_for_a_while() {
    let held = Arc::new(Barrier::new(2));
    let of_backend = Arc::clone(&held);
    let handle = move |request: Request<Incoming>| {
        let held = Arc::clone(&of_backend);
        async move {
            if request.uri().path() == "/long" {
                held.wait().await;
            }
            Response::new(full("ok"))
        }
    };
    let (address, _) = counting(1, handle).await;
    let upstream = UpstreamOptions {
        http2_connections_per_endpoint: 1,
        connect_timeout: Duration::from_millis(500),
        ..UpstreamOptions::default()
    };
    let world = Arc::new(with(address, upstream).await);
    let long = tokio::spawn({
        let world = Arc::clone(&world);
        async move { world.send(get("/long")).await.status }
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(world.send(get("/short")).await.status, StatusCode::SERVICE_UNAVAILABLE);
    let waiting: Vec<_> = (0..5)
        .map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { world.send(get("/short")).await.status })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(50)).await;
    held.wait().await;
    assert_eq!(long.await.unwrap(), StatusCode::OK);
    for waiting in waiting {
        assert_eq!(waiting.await.unwrap(), StatusCode::OK, "a place that is free again wakes those who wait");
    }
}

// RFC 9113 section 8.7
#[tokio::test]
async fn a_request_that_the_backend_refused_is_sent_again_with_its_body() {
    let seen = Arc::new(AtomicUsize::new(0));
    let of_backend = Arc::clone(&seen);
    let address = frames(&[(MAX_CONCURRENT_STREAMS, 10)], move |_, mut frames| {
        let seen = Arc::clone(&of_backend);
        async move {
            loop {
                let stream = frames.until(HEADERS).await?.stream;
                let mut body = Vec::new();
                loop {
                    let frame = frames.until(DATA).await?;
                    body.extend_from_slice(&frame.payload);
                    if frame.has(END_STREAM) {
                        break;
                    }
                }
                assert_eq!(body, vec![b'x'; 20_000]);
                if seen.fetch_add(1, Ordering::SeqCst) < 2 {
                    frames.reset(stream, REFUSED_STREAM).await?;
                } else {
                    answer(&mut frames, stream).await?;
                }
            }
        }
    })
    .await;
    let world = world(address).await;
    let request = Request::post("/").header("host", "a").body(full(vec![b'x'; 20_000])).unwrap();
    assert_eq!(world.send(request).await.text(), "ok");
    assert_eq!(seen.load(Ordering::SeqCst), 3);
}

/// A backend that refuses everything, and how often it has.
async fn refusing() -> (SocketAddr, Arc<AtomicUsize>) {
    let seen = Arc::new(AtomicUsize::new(0));
    let of_backend = Arc::clone(&seen);
    let address = frames(&[], move |_, mut frames| {
        let seen = Arc::clone(&of_backend);
        async move {
            loop {
                let stream = frames.until(HEADERS).await?.stream;
                seen.fetch_add(1, Ordering::SeqCst);
                frames.reset(stream, REFUSED_STREAM).await?;
            }
        }
    })
    .await;
    (address, seen)
}

#[tokio::test]
async fn a_backend_that_refuses_everything_is_asked_four_times() {
    let (address, seen) = refusing().await;
    assert_eq!(world(address).await.send(get("/")).await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(seen.load(Ordering::SeqCst), 4);
}

// RTB-01
#[tokio::test]
async fn a_backend_that_refuses_requests_is_asked_again_within_its_budget_only() {
    let (address, seen) = refusing().await;
    let hour = Duration::from_secs(3_600);
    let mut table = Table::new(1, address).protocol(BackendProtocol::H2c);
    table.retry_budget = Some(Arc::new(RetryBudget::new(0, hour, RetryRate { count: 4, interval: hour })));
    let world = World::start(&table).await;
    // Three retries, one, and none.
    for expected in [4, 6, 7] {
        assert_eq!(world.send(get("/")).await.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(seen.load(Ordering::SeqCst), expected);
    }
}

// RFC 9113 section 6.8
#[tokio::test]
async fn a_request_above_the_last_of_a_goaway_is_sent_again_and_one_below_is_finished() {
    let address = frames(&[], |number, mut frames| async move {
        if number > 0 {
            return answer_all(frames).await;
        }
        let first = frames.until(HEADERS).await?.stream;
        let _second = frames.until(HEADERS).await?;
        let last = [first.to_be_bytes(), NO_ERROR.to_be_bytes()].concat();
        frames.send(GOAWAY, 0, 0, &last).await?;
        tokio::time::sleep(Duration::from_millis(100)).await;
        frames.send(HEADERS, END_HEADERS, first, OK).await?;
        frames.send(DATA, END_STREAM, first, b"first").await
    })
    .await;
    let world = world(address).await;
    let requests = join_all((0..2).map(|_| async {
        let request = Request::post("/").header("host", "a").body(full("")).unwrap();
        world.send(request).await.text().to_owned()
    }));
    let mut answers = tokio::time::timeout(LONG, requests).await.unwrap();
    answers.sort();
    assert_eq!(answers, ["first", "ok"]);
}

#[tokio::test]
async fn a_backend_that_went_away_while_idle_costs_no_request() {
    let address = frames(&[], |number, mut frames| async move {
        if number > 0 {
            return answer_all(frames).await;
        }
        let stream = frames.until(HEADERS).await?.stream;
        answer(&mut frames, stream).await?;
        let last = [stream.to_be_bytes(), NO_ERROR.to_be_bytes()].concat();
        frames.send(GOAWAY, 0, 0, &last).await
    })
    .await;
    let world = world(address).await;
    for _ in 0..10 {
        assert_eq!(world.send(get("/")).await.text(), "ok");
    }
}

#[tokio::test]
async fn an_answer_that_is_reset_in_the_middle_never_looks_whole() {
    for reason in [NO_ERROR, CANCEL, REFUSED_STREAM] {
        let address = frames(&[], move |_, mut frames| async move {
            loop {
                let stream = frames.until(HEADERS).await?.stream;
                frames.send(HEADERS, END_HEADERS, stream, OK).await?;
                frames.send(DATA, 0, stream, b"half").await?;
                tokio::time::sleep(Duration::from_millis(50)).await;
                frames.reset(stream, reason).await?;
            }
        })
        .await;
        let world = world(address).await;
        let request = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
        let answer = exchange(world.address(80), request).await;
        assert!(answer.contains("half") && !answer.ends_with("0\r\n\r\n"), "{reason}: {answer}");
        let mut client = Client::http2(world.connect().await).await;
        let response = client.begin(get2("a", "/")).await.unwrap();
        let error = response.into_body().collect().await.expect_err("it is not whole");
        assert!(format!("{error:?}").contains("INTERNAL_ERROR"), "{reason}: {error:?}");
    }
}

#[tokio::test]
async fn an_answer_that_comes_before_the_end_of_the_request_ends_both() {
    let (sender, mut reset) = tokio::sync::mpsc::channel(1);
    let address = frames(&[(INITIAL_WINDOW_SIZE, 0)], move |_, mut frames| {
        let sender = sender.clone();
        async move {
            let stream = frames.until(HEADERS).await?.stream;
            answer(&mut frames, stream).await?;
            let reset = frames.until(crate::frames::RST_STREAM).await?;
            sender.send(reset.stream == stream).await.map_err(std::io::Error::other)
        }
    })
    .await;
    let world = world(address).await;
    let mut client = world.connect().await;
    client.write_all(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhalf").await.unwrap();
    let reset = tokio::time::timeout(LONG, reset.recv()).await.expect("the rest is not waited for");
    assert_eq!(reset, Some(true));
}

#[tokio::test]
async fn a_backend_that_is_silent_while_it_owes_answers_is_given_up() {
    let address = frames(&[], |number, mut frames| async move {
        if number > 0 {
            return answer_all(frames).await;
        }
        frames.until(HEADERS).await?;
        // Its process hangs; the kernel goes on acknowledging.
        std::future::pending().await
    })
    .await;
    let upstream = UpstreamOptions {
        http2_ping_after: Some(Duration::from_millis(200)),
        http2_ping_timeout: Duration::from_millis(200),
        ..UpstreamOptions::default()
    };
    let world = with(address, upstream).await;
    assert_eq!(world.send(get("/")).await.status, StatusCode::BAD_GATEWAY);
    assert_eq!(world.send(get("/")).await.text(), "ok");
}

#[tokio::test]
async fn a_backend_that_answers_pings_may_take_any_time() {
    let address = frames(&[], |_, mut frames| async move {
        let stream = frames.until(HEADERS).await?.stream;
        // Answered by `until`.
        frames.until(crate::frames::PING).await?;
        tokio::time::sleep(Duration::from_millis(800)).await;
        answer(&mut frames, stream).await?;
        frames.until(HEADERS).await.map(drop)
    })
    .await;
    let upstream = UpstreamOptions {
        http2_ping_after: Some(Duration::from_millis(200)),
        http2_ping_timeout: Duration::from_millis(200),
        ..UpstreamOptions::default()
    };
    assert_eq!(with(address, upstream).await.send(get("/")).await.text(), "ok");
}

#[tokio::test]
async fn a_backend_that_closes_every_connection_unused_is_asked_for_few() {
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    let address = frames(&[], move |_, mut frames| {
        counted.fetch_add(1, Ordering::SeqCst);
        async move { frames.send(GOAWAY, 0, 0, &[0; 8]).await }
    })
    .await;
    let world = world(address).await;
    assert_eq!(world.send(get("/")).await.status, StatusCode::SERVICE_UNAVAILABLE);
    let few = connections.load(Ordering::SeqCst);
    // Four at once, and for each time that the request is sent again.
    assert!(few <= 16, "{few} connections");
}

/// A gateway before this backend whose requests are given up after a moment.
async fn impatient(address: SocketAddr, moment: Duration) -> World {
    let mut table = Table::new(1, address).protocol(BackendProtocol::H2c);
    table.timeouts = Timeouts::new(Some(moment), None);
    World::start(&table).await
}

/// Sends so many requests that get no answer.
async fn give_up(world: &World, requests: usize) {
    let answers = join_all((0..requests).map(|_| world.send(get("/")))).await;
    assert!(answers.iter().all(|answer| answer.status == StatusCode::GATEWAY_TIMEOUT));
}

#[tokio::test]
async fn a_connection_on_which_all_requests_were_given_up_is_left() {
    let (sender, mut ends) = tokio::sync::mpsc::unbounded_channel();
    let read_on = Arc::new(Notify::new());
    let told = Arc::clone(&read_on);
    let address = frames(&[], move |number, mut frames| {
        let (sender, told) = (sender.clone(), Arc::clone(&told));
        async move {
            told.notified().await;
            while frames.next().await.is_ok() {}
            sender.send(number).map_err(std::io::Error::other)
        }
    })
    .await;
    let world = impatient(address, Duration::from_millis(50)).await;
    // The last ones go over another connection.
    for _ in 0..4 {
        give_up(&world, 100).await;
    }
    read_on.notify_one();
    let end = tokio::time::timeout(LONG, ends.recv()).await.expect("the first connection is closed");
    assert_eq!(end, Some(0));
}

#[tokio::test]
async fn a_backend_that_answers_some_requests_keeps_its_connection() {
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    let address = frames(&[], move |_, mut frames| {
        counted.fetch_add(1, Ordering::SeqCst);
        async move {
            loop {
                let request = frames.until(HEADERS).await?;
                if request.payload.first() == crate::frames::POST.first() {
                    answer(&mut frames, request.stream).await?;
                }
            }
        }
    })
    .await;
    let world = impatient(address, Duration::from_secs(1)).await;
    for _ in 0..3 {
        give_up(&world, 100).await;
        let request = Request::post("/").header("host", "a").body(full("")).unwrap();
        assert_eq!(world.send(request).await.text(), "ok");
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn answers_that_are_given_up_half_read_leave_room_for_others() {
    let (world, _, connections) = endless_backend(&[0; 100]).await;
    for _ in 0..200 {
        let mut stream = world.connect().await;
        stream.write_all(b"GET /endless HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        // Some of it is read, more has come.
        stream.read_exact(&mut [0; 20_000]).await.unwrap();
    }
    assert_eq!(world.send(get("/short")).await.text(), "0123456789");
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

// RFC 9110 section 6.4.1
#[tokio::test]
async fn answers_that_have_no_content_are_passed_on_without_any() {
    for status in ["204", "304"] {
        let head: &'static [u8] = field(":status", status).leak();
        let address = frames(&[], move |_, mut frames| async move {
            loop {
                let stream = frames.until(HEADERS).await?.stream;
                frames.send(HEADERS, END_HEADERS, stream, head).await?;
                frames.send(DATA, END_STREAM, stream, b"content").await?;
            }
        })
        .await;
        let world = world(address).await;
        let mut client = Client::http2(world.connect().await).await;
        for _ in 0..2 {
            let answer = client.send(get2("a", "/")).await;
            assert_eq!((answer.status.as_str(), answer.text()), (status, ""));
        }
    }
}

#[tokio::test]
async fn interim_answers_without_end_are_not_kept() {
    let address = frames(&[], |_, mut frames| async move {
        let stream = frames.until(HEADERS).await?.stream;
        let early: Vec<u8> = [&[0x08, 3], &b"103"[..], &field("link", &"x".repeat(1000))].concat();
        for _ in 0..10_000 {
            frames.send(HEADERS, END_HEADERS, stream, &early).await?;
        }
        answer(&mut frames, stream).await?;
        frames.until(HEADERS).await.map(drop)
    })
    .await;
    assert_eq!(world(address).await.send(get("/")).await.text(), "ok");
}

#[tokio::test]
async fn answers_that_were_not_asked_for_cost_their_connection_only() {
    let address = frames(&[], |number, mut frames| async move {
        if number > 0 {
            return answer_all(frames).await;
        }
        let stream = frames.until(HEADERS).await?.stream;
        let promise = [&2_u32.to_be_bytes(), crate::frames::GET].concat();
        frames.send(PUSH_PROMISE, END_HEADERS, stream, &promise).await?;
        frames.until(HEADERS).await.map(drop)
    })
    .await;
    let world = world(address).await;
    assert_eq!(world.send(get("/")).await.status, StatusCode::BAD_GATEWAY);
    assert_eq!(world.send(get("/")).await.text(), "ok");
}

#[tokio::test]
async fn a_head_that_is_too_large_fails_its_request_only() {
    let address = frames(&[], |_, mut frames| async move {
        let first = frames.until(HEADERS).await?.stream;
        let second = frames.until(HEADERS).await?.stream;
        // Above the limit by its length, in several frames.
        let field = field("x-large", &"x".repeat(12 * 1024));
        frames.send(HEADERS, 0, first, &[OK, &field].concat()).await?;
        for _ in 0..5 {
            frames.send(crate::frames::CONTINUATION, 0, first, &field).await?;
        }
        frames.send(crate::frames::CONTINUATION, END_HEADERS, first, &field).await?;
        answer(&mut frames, second).await?;
        frames.until(HEADERS).await.map(drop)
    })
    .await;
    let world = world(address).await;
    let requests = join_all([world.send(get("/")), world.send(get("/"))]);
    let mut statuses: Vec<_> = requests.await.iter().map(|answer| answer.status).collect();
    statuses.sort();
    assert_eq!(statuses, [StatusCode::OK, StatusCode::BAD_GATEWAY]);
}

#[tokio::test]
async fn settings_may_change_while_requests_are_under_way() {
    let address = frames(&[(MAX_CONCURRENT_STREAMS, 100)], |number, mut frames| async move {
        if number > 0 {
            return answer_all(frames).await;
        }
        let stream = frames.until(HEADERS).await?.stream;
        frames.settings(&[(MAX_CONCURRENT_STREAMS, 1), (INITIAL_WINDOW_SIZE, 0)]).await?;
        answer(&mut frames, stream).await?;
        // An upload gets its window later.
        let stream = frames.until(HEADERS).await?.stream;
        tokio::time::sleep(Duration::from_millis(100)).await;
        frames.settings(&[(INITIAL_WINDOW_SIZE, 100)]).await?;
        while !frames.until(DATA).await?.has(END_STREAM) {}
        answer(&mut frames, stream).await?;
        frames.until(HEADERS).await.map(drop)
    })
    .await;
    let world = world(address).await;
    assert_eq!(world.send(get("/")).await.text(), "ok");
    let upload = Request::post("/").header("host", "a").body(full("body")).unwrap();
    let (upload, other) = tokio::join!(world.send(upload), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        world.send(get("/")).await
    });
    assert_eq!((upload.text(), other.text()), ("ok", "ok"), "the other one went over a new connection");
}

#[tokio::test]
async fn a_backend_that_takes_no_body_keeps_no_other_request_waiting() {
    let address = frames(&[(INITIAL_WINDOW_SIZE, 0)], |_, mut frames| async move {
        let _upload = frames.until(HEADERS).await?;
        let stream = frames.until(HEADERS).await?.stream;
        answer(&mut frames, stream).await?;
        frames.until(WINDOW_UPDATE).await.map(drop)
    })
    .await;
    let world = world(address).await;
    let mut upload = world.connect().await;
    upload.write_all(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n0123456789").await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(world.send(get("/")).await.text(), "ok");
}

#[tokio::test]
async fn backends_that_never_become_one_of_http_2_are_unreachable() {
    let http1 = raw_backend(|mut stream: TcpStream| async move {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await;
    })
    .await;
    let silent = raw_backend(|stream: TcpStream| async move {
        let _open = stream;
        std::future::pending().await
    })
    .await;
    let closing = raw_backend(|stream: TcpStream| async move { drop(stream) }).await;
    let allows_none = frames(&[(MAX_CONCURRENT_STREAMS, 0)], |_, mut frames| async move {
        frames.until(HEADERS).await.map(drop)
    })
    .await;
    for address in [http1, silent, closing, allows_none] {
        let upstream =
            UpstreamOptions { connect_timeout: Duration::from_millis(300), ..UpstreamOptions::default() };
        let world = with(address, upstream).await;
        assert_eq!(world.send(get("/")).await.status, StatusCode::SERVICE_UNAVAILABLE);
    }
}

#[tokio::test]
async fn a_large_head_of_an_answer_arrives() {
    let large = Arc::<str>::from("x".repeat(16 * 1024));
    let handle = move |_| {
        let large = Arc::clone(&large);
        async move {
            let mut response = Response::new(full("ok"));
            response.headers_mut().insert("x-large", large.parse().unwrap());
            response
        }
    };
    let (address, _) = counting(100, handle).await;
    let answer = world(address).await.send(get("/")).await;
    assert_eq!((answer.status, answer.headers["x-large"].len()), (StatusCode::OK, 16 * 1024));
}

// RFC 9113 section 8.1
#[tokio::test]
async fn a_body_that_its_backend_has_answered_without_taking_it_is_taken_back() {
    for window in [0, 1, 100] {
        let settings: &'static [_] = vec![(MAX_CONCURRENT_STREAMS, 2), (INITIAL_WINDOW_SIZE, window)].leak();
        let address = frames(settings, |number, mut frames| async move {
            assert_eq!(number, 0, "all go over one connection");
            for _ in 0..20 {
                let stream = frames.until(HEADERS).await?.stream;
                answer(&mut frames, stream).await?;
                let reset = frames.until(RST_STREAM).await?;
                assert_eq!((reset.stream, reset.payload), (stream, CANCEL.to_be_bytes().to_vec()));
            }
            // One that is taken is not taken back.
            let stream = frames.until(HEADERS).await?.stream;
            frames.settings(&[(INITIAL_WINDOW_SIZE, 1000)]).await?;
            while !frames.until(DATA).await?.has(END_STREAM) {}
            answer(&mut frames, stream).await?;
            let stream = frames.until(HEADERS).await?.stream;
            answer(&mut frames, stream).await?;
            frames.until(HEADERS).await.map(drop)
        })
        .await;
        let world = world(address).await;
        for _ in 0..21 {
            let request = Request::post("/").header("host", "a").body(full(vec![b'x'; 1000])).unwrap();
            assert_eq!(world.send(request).await.text(), "ok");
        }
    }
}
