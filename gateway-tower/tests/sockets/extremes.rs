//! Options at their extremes: what is given is served by, or by the nearest that can be.

use std::time::Duration;

use gateway_core::rule::BackendProtocol;
use gateway_tower::serve::{DatagramOptions, ServeOptions, StreamOptions};
use gateway_tower::tunnel::TunnelOptions;
use gateway_tower::upstream::UpstreamOptions;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::stream_table::tcp;
use crate::streams::{connect, shouting};
use crate::world::{Body, Client, LONG, Table, World, backend, full, get};

const LARGE: usize = 100_000;

fn post(size: usize) -> Request<Body> {
    Request::post("http://a/").header("host", "a").body(full(vec![b'x'; size])).unwrap()
}

/// What is sent arrives, and comes back, over both versions of HTTP on both sides.
async fn echoes(name: &str, options: &ServeOptions, upstream: &UpstreamOptions) {
    let echo = backend(|request: Request<Incoming>| async move {
        Response::new(request.into_body().map_err(Into::into).boxed_unsync())
    })
    .await;
    for protocol in [BackendProtocol::Http1, BackendProtocol::H2c] {
        let table = Table::new(1, echo).protocol(protocol);
        let world = World::with(&table, options.clone(), upstream.clone()).await;
        let clients =
            [Client::http1(world.connect().await).await, Client::http2(world.connect().await).await];
        for mut client in clients {
            for size in [0, LARGE] {
                let answer = client.send(post(size)).await;
                assert_eq!(
                    (answer.status, answer.body.len()),
                    (StatusCode::OK, size),
                    "{name}, {protocol:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn the_largest_values_of_all_options_serve() {
    let (most, forever) = (usize::MAX, Duration::MAX);
    let tunnel = TunnelOptions { idle: Some(forever), half_close_timeout: forever };
    let options = ServeOptions {
        max_connections: most,
        max_connections_in_all: most,
        max_sockets: most,
        backlog: u32::MAX,
        handshake_timeout: forever,
        streams: StreamOptions {
            connect_timeout: forever,
            connect_attempts: u32::MAX,
            tunnel,
            max_client_hello_bytes: most,
            ..StreamOptions::default()
        },
        datagrams: DatagramOptions {
            idle_timeout: forever,
            max_flows: most,
            max_flows_per_client: most,
            drain_timeout: forever,
        },
        head_timeout: Some(forever),
        idle_timeout: Some(forever),
        stall_timeout: Some(forever),
        half_close_timeout: forever,
        drain_timeout: forever,
        max_head_bytes: u32::MAX,
        buffer_bytes: most,
        http2_streams: u32::MAX,
        http2_window: u32::MAX,
        http2_buffer_bytes: most,
        http2_ping_after: Some(forever),
        http2_ping_timeout: forever,
        ..ServeOptions::default()
    };
    let upstream = UpstreamOptions {
        connect_timeout: forever,
        idle_timeout: forever,
        max_idle_per_endpoint: most,
        buffer_bytes: most,
        max_header_lines: most,
        max_head_bytes: u32::MAX,
        http2_streams: most,
        http2_connections_per_endpoint: most,
        http2_window: u32::MAX,
        http2_ping_after: Some(forever),
        http2_ping_timeout: forever,
        tunnel,
        ..UpstreamOptions::default()
    };
    echoes("the largest", &options, &upstream).await;

    let world = tcp(&[shouting("hello ").await], options).await;
    let mut client = connect(&world, 81).await;
    client.write_all(b"you").await.unwrap();
    client.shutdown().await.unwrap();
    let mut answer = String::new();
    timeout(LONG, client.read_to_string(&mut answer)).await.expect("it ends").unwrap();
    assert_eq!(answer, "hello YOU");
}

#[tokio::test]
async fn the_smallest_values_of_options_serve_by_the_nearest_that_can() {
    let none = Duration::ZERO;
    let options = ServeOptions {
        max_connections: 2,
        max_connections_in_all: 2,
        backlog: 0,
        max_head_bytes: 0,
        buffer_bytes: 0,
        http2_streams: 0,
        http2_window: 0,
        http2_buffer_bytes: 0,
        http2_ping_after: Some(none),
        ..ServeOptions::default()
    };
    let upstream = UpstreamOptions {
        idle_timeout: none,
        max_idle_per_endpoint: 0,
        buffer_bytes: 0,
        max_head_bytes: 0,
        http2_streams: 0,
        http2_connections_per_endpoint: 0,
        http2_ping_after: Some(none),
        ..UpstreamOptions::default()
    };
    echoes("the smallest", &options, &upstream).await;
}

#[tokio::test]
async fn a_limit_of_no_time_ends_nothing_that_goes_on() {
    let slow = backend(|_| async {
        // Longer than it takes until connections are looked at.
        tokio::time::sleep(Duration::from_millis(1500)).await;
        Response::new(full("ok"))
    })
    .await;
    let options = ServeOptions { head_timeout: Some(Duration::ZERO), ..ServeOptions::default() };
    let world = World::with(&Table::new(1, slow), options, UpstreamOptions::default()).await;
    assert_eq!(world.send(get("/")).await.text(), "ok");
}
