//! Requests that are wrong or mean two things: each gets its answer, and the next connection is served.

use http::StatusCode;

use crate::world::{Table, World, echo, exchange, get};

async fn refused(cases: &[(&str, Vec<u8>, &[u16])]) {
    let world = World::start(&Table::new(1, echo().await)).await;
    for (name, bytes, statuses) in cases {
        let answer = exchange(world.address(80), bytes).await;
        let status = answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
        assert!(status.is_some_and(|status| statuses.contains(&status)), "{name}: {answer:?}");
        assert_eq!(
            answer.matches("HTTP/1.1 ").count(),
            1,
            "{name}: nothing after it is a request: {answer:?}"
        );
        assert_eq!(world.send(get("/")).await.status, StatusCode::OK, "after {name}");
    }
}

fn request(head: &str) -> Vec<u8> {
    format!("{}\r\n\r\n", head.replace('\n', "\r\n")).into_bytes()
}

/// Something that would be answered, were it read as a request.
const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n";

// AMB-16
#[tokio::test]
async fn exactly_one_host_is_asked_for() {
    refused(&[
        ("no host", request("GET / HTTP/1.1\nconnection: close"), &[400]),
        ("two hosts", request("GET / HTTP/1.1\nhost: a\nhost: b\nconnection: close"), &[400]),
        ("the same host twice", request("GET / HTTP/1.1\nhost: a\nhost: a\nconnection: close"), &[400]),
        ("a host that is none", request("GET / HTTP/1.1\nhost: a b\nconnection: close"), &[400]),
        ("a host with a path", request("GET / HTTP/1.1\nhost: a/b\nconnection: close"), &[400]),
    ])
    .await;
}

#[tokio::test]
async fn a_body_has_one_length() {
    let body = |head: &str, body: &str| [request(head), body.into()].concat();
    let post = |lines: &str| format!("POST / HTTP/1.1\nhost: a\n{lines}");
    refused(&[
        ("two lengths", body(&post("content-length: 1\ncontent-length: 2"), SMUGGLED), &[400]),
        ("a list of lengths", body(&post("content-length: 1, 2"), SMUGGLED), &[400]),
        ("a signed length", body(&post("content-length: +1"), SMUGGLED), &[400]),
        ("a negative length", body(&post("content-length: -1"), SMUGGLED), &[400]),
        ("an empty length", body(&post("content-length:"), SMUGGLED), &[400]),
        ("a hexadecimal length", body(&post("content-length: 0x5"), SMUGGLED), &[400]),
        ("a length that is too large", body(&post("content-length: 99999999999999999999"), SMUGGLED), &[400]),
        ("a coding that is not chunked", body(&post("transfer-encoding: identity"), SMUGGLED), &[400]),
        ("chunked, but not last", body(&post("transfer-encoding: chunked, identity"), SMUGGLED), &[400]),
        (
            "two codings",
            body(&post("transfer-encoding: gzip, chunked\nconnection: close"), "0\r\n\r\n"),
            &[501],
        ),
        (
            "chunked twice",
            body(
                &post("transfer-encoding: chunked\ntransfer-encoding: chunked\nconnection: close"),
                "0\r\n\r\n",
            ),
            &[501],
        ),
        (
            "a coding in HTTP/1.0",
            body("POST / HTTP/1.0\nhost: a\ntransfer-encoding: chunked", "0\r\n\r\n"),
            &[400],
        ),
        ("a space before the colon", body(&post("transfer-encoding : chunked"), "0\r\n\r\n"), &[400]),
    ])
    .await;
}

#[tokio::test]
async fn chunked_goes_before_a_length_and_the_connection_ends_after_it() {
    let world = World::start(&Table::new(1, echo().await)).await;
    for lines in
        ["content-length: 3\r\ntransfer-encoding: chunked", "transfer-encoding: chunked\r\ncontent-length: 3"]
    {
        let bytes = format!("POST / HTTP/1.1\r\nhost: a\r\n{lines}\r\n\r\n4\r\nbody\r\n0\r\n\r\n{SMUGGLED}");
        let answer = exchange(world.address(80), bytes.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\n\nbody"), "{answer}");
        assert!(!answer.contains("content-length: 3"), "the backend gets no second length: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "what follows is no request: {answer}");
    }
}

#[tokio::test]
async fn a_broken_chunk_breaks_the_connection() {
    let world = World::start(&Table::new(1, echo().await)).await;
    for chunk in [
        "x\r\nbody\r\n0\r\n\r\n",
        "fffffffffffffffff\r\nbody",
        "4\r\nbodyX0\r\n\r\n",
        "4 4\r\nbody\r\n0\r\n\r\n",
    ] {
        let bytes =
            format!("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n{chunk}{SMUGGLED}");
        let answer = exchange(world.address(80), bytes.as_bytes()).await;
        assert!(!answer.starts_with("HTTP/1.1 2") && !answer.contains("smuggled"), "{chunk:?}: {answer}");
        assert_eq!(world.send(get("/")).await.status, StatusCode::OK, "after {chunk:?}");
    }
}

#[tokio::test]
async fn heads_that_are_none_are_refused() {
    let line = |line: &str| request(&format!("GET / HTTP/1.1\nhost: a\n{line}"));
    refused(&[
        ("a folded line", line("x-a: 1\n 2"), &[400]),
        ("a null byte in a value", line("x-a: 1\0"), &[400]),
        ("a null byte in a name", line("x\0-a: 1"), &[400]),
        ("a carriage return in a value", line("x-a: 1\r2"), &[400]),
        ("a space in a name", line("x a: 1"), &[400]),
        ("no colon", line("x-a"), &[400]),
        ("an unknown version", request("GET / HTTP/3.0\nhost: a"), &[400, 505]),
        ("no version", request("GET /\nhost: a"), &[400]),
        ("two spaces in the target", request("GET / a HTTP/1.1\nhost: a"), &[400]),
        ("no HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello \r\n\r\n".to_vec(), &[400]),
        ("CONNECT", request("CONNECT a:443 HTTP/1.1\nhost: a:443\nconnection: close"), &[501]),
    ])
    .await;
}

#[tokio::test]
async fn heads_that_are_too_large_get_431_and_targets_414() {
    let with = |lines: String| request(&format!("GET / HTTP/1.1\nhost: a\n{lines}x-last: 1"));
    refused(&[
        ("a long line", with(format!("x-a: {}\n", "a".repeat(70 * 1024))), &[431]),
        (
            "a line without end",
            format!("GET / HTTP/1.1\r\nx-a: {}", "a".repeat(600 * 1024)).into_bytes(),
            &[431],
        ),
        ("many lines", with((0..101).map(|i| format!("x-{i}: 1\n")).collect()), &[431]),
        ("a long target", request(&format!("GET /{} HTTP/1.1\nhost: a", "a".repeat(70 * 1024))), &[414, 431]),
    ])
    .await;
}
