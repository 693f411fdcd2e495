//! Connections to backends, and tables that change under load.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use gateway_core::rule::{BackendProtocol, Timeouts};
use gateway_tower::serve::ServeOptions;
use gateway_tower::upstream::UpstreamOptions;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::sync::Barrier;

use crate::world::{
    Body, Client, LONG, Table, World, echo, exchange, full, get, get2, raw_backend, read_head,
};

/// A backend that counts its connections.
pub(crate) async fn counting<F, R>(streams: u32, handle: F) -> (SocketAddr, Arc<AtomicUsize>)
where
    F: Fn(Request<Incoming>) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Response<Body>> + Send + 'static,
{
    let connections = Arc::new(AtomicUsize::new(0));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let counted = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let handle = handle.clone();
            let service = service_fn(move |request| {
                let answer = handle(request);
                async move { Ok::<_, std::convert::Infallible>(answer.await) }
            });
            tokio::spawn(async move {
                let mut builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                builder.http2().max_concurrent_streams(streams);
                let _ = builder.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    (address, connections)
}

async fn ok(_: Request<Incoming>) -> Response<Body> {
    Response::new(full("ok"))
}

#[tokio::test]
async fn connections_to_backends_outlive_tables_and_clients() {
    for protocol in [BackendProtocol::Http1, BackendProtocol::H2c] {
        let (address, connections) = counting(100, ok).await;
        let world = World::start(&Table::new(1, address).protocol(protocol)).await;
        for generation in 2..6 {
            assert_eq!(world.send(get("/")).await.text(), "ok");
            world.swap(&Table::new(generation, address).protocol(protocol)).await;
        }
        assert_eq!(connections.load(Ordering::SeqCst), 1, "{protocol:?}");
    }
}

// HRB-22
#[tokio::test]
async fn a_connection_that_the_backend_closed_while_idle_costs_no_request() {
    let backend = raw_backend(|mut stream| async move {
        read_head(&mut stream).await;
        // Keep-alive, by its word; but it closes.
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
    })
    .await;
    let world = World::start(&Table::new(1, backend)).await;
    let mut client = Client::http1(world.connect().await).await;
    for _ in 0..20 {
        assert_eq!(client.send(get("/")).await.status, StatusCode::OK);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn many_requests_at_once_share_a_few_connections_of_http_2() {
    const REQUESTS: usize = 60;
    let all_here = Arc::new(Barrier::new(REQUESTS));
    let handle = move |_| {
        let all_here = Arc::clone(&all_here);
        async move {
            // Answers only when all are under way at the same time.
            all_here.wait().await;
            Response::new(full("ok"))
        }
    };
    let (address, connections) = counting(20, handle).await;
    let upstream = UpstreamOptions {
        http2_streams: 20,
        http2_connections_per_endpoint: 3,
        ..UpstreamOptions::default()
    };
    let table = Table::new(1, address).protocol(BackendProtocol::H2c);
    let world = World::with(&table, ServeOptions::default(), upstream).await;
    let client = Client::http2(world.connect().await).await;
    let Client::Http2(sender) = client else { unreachable!() };
    let requests = (0..REQUESTS).map(|_| {
        let mut sender = sender.clone();
        async move { sender.send_request(get2("example.com", "/")).await.map(|response| response.status()) }
    });
    let answers =
        tokio::time::timeout(LONG, futures_util::future::join_all(requests)).await.expect("all are answered");
    assert!(answers.into_iter().all(|answer| answer.unwrap() == StatusCode::OK));
    assert_eq!(connections.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn idle_connections_are_closed_after_a_while() {
    let (sender, mut closed) = tokio::sync::mpsc::channel(1);
    let backend = raw_backend(move |mut stream| {
        let sender = sender.clone();
        async move {
            while !read_head(&mut stream).await.is_empty() {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
            }
            sender.send(()).await.unwrap();
        }
    })
    .await;
    let upstream = UpstreamOptions { idle_timeout: Duration::from_millis(200), ..UpstreamOptions::default() };
    let world = World::with(&Table::new(1, backend), ServeOptions::default(), upstream).await;
    assert_eq!(world.send(get("/")).await.text(), "ok");
    tokio::time::timeout(LONG, closed.recv()).await.expect("the connection is closed");
    assert_eq!(world.send(get("/")).await.text(), "ok");
}

/// Sends requests over connections of all kinds until told to stop, and counts them.
async fn load(world: &World, stop: &Arc<AtomicBool>) -> Vec<tokio::task::JoinHandle<usize>> {
    let mut clients = Vec::new();
    for i in 0..6 {
        let stream = world.connect().await;
        let mut client = if i % 2 == 0 { Client::http1(stream).await } else { Client::http2(stream).await };
        let http2 = i % 2 == 1;
        let stop = Arc::clone(stop);
        clients.push(tokio::spawn(async move {
            let mut count = 0;
            while !stop.load(Ordering::Relaxed) {
                let request = if http2 { get2("example.com", "/") } else { get("/") };
                let answer = client.send(request).await;
                assert_eq!(answer.status, StatusCode::OK);
                assert!(answer.text().starts_with("GET "), "{}", answer.text());
                count += 1;
            }
            count
        }));
    }
    clients
}

async fn no_request_fails_while_tables_are_swapped() {
    let backends = [echo().await, echo().await];
    let world = World::start(&Table::new(1, backends[0])).await;
    let stop = Arc::new(AtomicBool::new(false));
    let clients = load(&world, &stop).await;
    for generation in 2..100 {
        // Another endpoint, another protocol, another port beside it: all at once.
        let mut table = Table::new(generation, backends[generation as usize % 2]);
        if generation % 3 == 0 {
            table = table.protocol(BackendProtocol::H2c);
        }
        if generation % 4 == 0 {
            table = table.http(81);
        }
        world.swap(&table).await;
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        assert!(client.await.expect("no request failed") > 0);
    }
}

#[tokio::test]
async fn no_request_fails_while_tables_are_swapped_on_one_thread() {
    no_request_fails_while_tables_are_swapped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_tables_are_swapped_on_several_threads() {
    no_request_fails_while_tables_are_swapped().await;
}

/// A backend that answers before it has read the request, and goes on with the connection.
async fn early() -> (SocketAddr, Arc<AtomicUsize>) {
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    let address = raw_backend(move |mut stream| {
        counted.fetch_add(1, Ordering::SeqCst);
        async move {
            while !read_head(&mut stream).await.is_empty() {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
            }
        }
    })
    .await;
    (address, connections)
}

#[tokio::test]
async fn half_sent_requests_that_were_answered_take_no_place_of_idle_connections() {
    let (address, connections) = early().await;
    let upstream = UpstreamOptions { max_idle_per_endpoint: 8, ..UpstreamOptions::default() };
    let world = World::with(&Table::new(1, address), ServeOptions::default(), upstream).await;
    let mut uploads = Vec::new();
    for _ in 0..20 {
        let mut upload = world.connect().await;
        upload.write_all(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhalf").await.unwrap();
        assert!(read_head(&mut upload).await.starts_with("HTTP/1.1 200 "));
        uploads.push(upload);
    }
    let before = connections.load(Ordering::SeqCst);
    for _ in 0..20 {
        assert_eq!(world.send(get("/")).await.text(), "ok");
    }
    let opened = connections.load(Ordering::SeqCst) - before;
    assert_eq!(opened, 1, "they share a connection");
}

#[tokio::test]
async fn an_answer_that_is_given_up_closes_its_connection_though_the_request_goes_on() {
    let (sender, mut closed) = tokio::sync::mpsc::channel(1);
    let backend = raw_backend(move |mut stream| {
        let sender = sender.clone();
        async move {
            read_head(&mut stream).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf").await;
            let mut rest = Vec::new();
            let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest).await;
            let _ = sender.send(()).await;
        }
    })
    .await;
    let mut table = Table::new(1, backend);
    table.timeouts = Timeouts::new(None, Some(Duration::from_millis(200)));
    let world = World::start(&table).await;
    let mut upload = world.connect().await;
    upload.write_all(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhalf").await.unwrap();
    tokio::time::timeout(LONG, closed.recv()).await.expect("the connection is closed");
    drop(upload);
}

#[tokio::test]
async fn a_request_that_goes_on_long_after_its_answer_closes_its_connection() {
    let (sender, mut closed) = tokio::sync::mpsc::channel(1);
    let backend = raw_backend(move |mut stream| {
        let sender = sender.clone();
        async move {
            read_head(&mut stream).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
            let mut rest = Vec::new();
            let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest).await;
            let _ = sender.send(()).await;
        }
    })
    .await;
    let upstream = UpstreamOptions { idle_timeout: Duration::from_millis(200), ..UpstreamOptions::default() };
    let world = World::with(&Table::new(1, backend), ServeOptions::default(), upstream).await;
    let mut upload = world.connect().await;
    upload.write_all(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhalf").await.unwrap();
    assert!(read_head(&mut upload).await.starts_with("HTTP/1.1 200 "));
    tokio::time::timeout(LONG, closed.recv()).await.expect("the connection is closed");
    drop(upload);
}

// RFC 9112 section 5.1
#[tokio::test]
async fn heads_of_answers_are_read_as_leniently_as_a_proxy_has_to() {
    let backend = raw_backend(|mut stream| async move {
        read_head(&mut stream).await;
        let many: String = (0..120).map(|i| format!("x-{i}: y\r\n")).collect();
        let head = format!("HTTP/1.1 200 OK\r\nx-space : a\r\n{many}content-length: 2\r\n\r\nok");
        let _ = stream.write_all(head.as_bytes()).await;
    })
    .await;
    let world = World::start(&Table::new(1, backend)).await;
    let request = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    let answer = exchange(world.address(80), request).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\nok"), "{answer}");
    assert!(answer.contains("x-space: a\r\n") && answer.contains("x-119: y\r\n"), "{answer}");
}

// MSG-16; RFC 9112 section 5.2
#[tokio::test]
async fn an_answer_with_a_folded_line_is_none() {
    let backend = raw_backend(|mut stream| async move {
        read_head(&mut stream).await;
        let answer = b"HTTP/1.1 200 OK\r\nx-fold: a\r\n b\r\ncontent-length: 2\r\n\r\nok";
        let _ = stream.write_all(answer).await;
    })
    .await;
    let world = World::start(&Table::new(1, backend)).await;
    let request = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    let answer = exchange(world.address(80), request).await;
    assert!(answer.starts_with("HTTP/1.1 502 ") && !answer.contains("x-fold"), "{answer}");
}
