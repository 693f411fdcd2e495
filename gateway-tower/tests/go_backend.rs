//! Backends that speak HTTP/2 as the standard library of Go does: how many streams they allow counts, and clients that do not
//! read keep no other waiting.
//!
//! The backend is built from `conformance/upstream/h2`; without Go these tests are left out, and say so.

#[path = "go/program.rs"]
mod program;
#[path = "sockets/world.rs"]
#[allow(dead_code, reason = "these tests need little of it")]
mod world;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;

use futures_util::future::join_all;
use gateway_core::rule::BackendProtocol;
use http::StatusCode;
use http_body_util::BodyExt;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::OnceCell;
use tokio::time::timeout;

use crate::world::{Client, LONG, Table, World, get};

/// A backend that runs until this is dropped.
struct Go {
    address: SocketAddr,
    _process: Child,
}

/// A backend with so many streams to a connection; nothing where there is no Go.
async fn go(streams: u32) -> Option<Go> {
    static BUILT: OnceCell<Option<PathBuf>> = OnceCell::const_new();
    let program = BUILT.get_or_init(|| program::build("h2")).await.as_ref()?;
    let mut command = Command::new(program);
    command.args(["-streams", &streams.to_string()]).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut process = command.kill_on_drop(true).spawn().expect("the backend starts");
    let mut lines = BufReader::new(process.stdout.take().expect("it is piped")).lines();
    let line = timeout(LONG, lines.next_line()).await.expect("it says where it is").unwrap();
    let address = line.and_then(|line| line.parse().ok()).expect("an address");
    Some(Go { address, _process: process })
}

async fn world(backend: &Go) -> World {
    World::start(&Table::new(1, backend.address).protocol(BackendProtocol::H2c)).await
}

// RFC 9113 section 5.2
#[tokio::test(flavor = "multi_thread")]
async fn clients_that_do_not_read_keep_no_other_from_its_answer() {
    let Some(backend) = go(250).await else { return };
    let world = world(&backend).await;
    let mut stalled = Vec::new();
    for _ in 0..3 {
        let mut client = Client::http1(world.connect().await).await;
        let mut answer = client.begin(get("/bytes/67108864")).await.unwrap();
        answer.body_mut().frame().await.unwrap().unwrap();
        stalled.push((client, answer));
    }
    let short = timeout(LONG, world.send(get("/bytes/10"))).await.expect("it does not wait for the others");
    assert_eq!(short.text(), "x".repeat(10));
}

// RFC 9113 sections 5.1.2 and 8.7
#[tokio::test(flavor = "multi_thread")]
async fn more_requests_than_a_connection_may_have_are_all_answered() {
    let Some(backend) = go(10).await else { return };
    let world = world(&backend).await;
    let answers = join_all((0..60).map(|_| world.send(get("/bytes/10")))).await;
    let failed: Vec<_> = answers.iter().filter(|answer| answer.status != StatusCode::OK).collect();
    assert!(failed.is_empty(), "{} of 60: {failed:?}", failed.len());
}

// RFC 9113 section 5.1.2
#[tokio::test(flavor = "multi_thread")]
async fn a_request_does_not_wait_for_the_long_ones_that_fill_a_connection() {
    let Some(backend) = go(2).await else { return };
    let world = world(&backend).await;
    let mut long = Vec::new();
    for _ in 0..2 {
        let mut client = Client::http1(world.connect().await).await;
        let answer = client.begin(get("/wait")).await.unwrap();
        long.push((client, answer));
    }
    let short = timeout(LONG, world.send(get("/bytes/10"))).await.expect("it has a connection of its own");
    assert_eq!(short.status, StatusCode::OK);
}
