//! Messages made of odd pieces: requests as no client should write them, and answers as no backend should.

use super::source::Source;

const METHODS: [&str; 8] = ["GET", "POST", "PUT", "OPTIONS", "TRACE", "get", "M-SEARCH", "DELETE"];

const TARGETS: [&str; 38] = [
    "/",
    "/",
    "/",
    "/",
    "/admin",
    "/admin/x?y=1",
    "/x/../admin",
    "/%61dmin",
    "//admin",
    "/admin|",
    "/adm%69n/",
    "http://a/admin",
    "http://b?x",
    "http://A:80/admin/%2e%2e/x",
    "http://a",
    "*",
    "a:80",
    "a",
    "/admin%2fx",
    "/a b",
    "/\u{7f}",
    "/admin;x=1",
    "/#f",
    "/admin#f",
    "http://u@a/",
    "https://a/admin",
    "HTTP://a/",
    "ftp://a/",
    "/admin\\x",
    "/?q=\u{fc}",
    "/gr\u{fc}n",
    "/gr%c3%bcn",
    "/gr%fcn",
    "/%",
    "/%zz/../admin",
    "?x",
    "",
    "/..;/admin",
];

const LINES: [&str; 70] = [
    "x-user: root",
    "X-User:root",
    "x-user:  root  ",
    "x-user : root",
    "x-user: root\r\n folded",
    " x-user: root",
    "x-user: other",
    "x-user: other\r\nx-user: root",
    "x-user:\troot",
    "connection: x-user",
    "connection: close, x-user",
    "connection: host",
    "connection: content-length",
    "connection: transfer-encoding",
    "connection: keep-alive",
    "connection: X-USER, te",
    "connection: upgrade\r\nupgrade: foo",
    "connection: upgrade, x-user\r\nupgrade: h2c",
    "connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__",
    "upgrade: websocket",
    "te: trailers, gzip",
    "te: gzip",
    "trailer: x-user, x_forwarded_for, host, x-real-ip, content-length",
    "expect: 100-continue",
    "expect: foo",
    "max-forwards: 0",
    "max-forwards: 5",
    "max-forwards: -1",
    "forwarded: for=1",
    "x-real-ip: 1",
    "x_forwarded_for: 1",
    "x-forwarded-for: 1",
    "x-forwarded-proto: https",
    "x_forwarded_proto: https",
    "x-forwarded-proto: https\r\nconnection: x-forwarded-proto",
    "keep-alive: timeout=5",
    "proxy-connection: keep-alive",
    "cookie: a=1\r\ncookie: b=2",
    "content-type: application/grpc",
    "x-empty:",
    "x-high: \u{ff}",
    "x-nul: \0",
    "x-cr: a\rb",
    "x-lf: a\nx-user: root",
    "host: b",
    "host:",
    "host: b@c",
    "host: b/admin",
    "range: bytes=0-",
    "content-length: 3",
    "content-length: 0",
    "content-length: 3, 3",
    "content-length: 3\r\ncontent-length: 3",
    "content-length: 3\r\ncontent-length: 4",
    "content-length: +3",
    "content-length:3",
    "content_length: 9",
    "transfer-encoding: chunked",
    "transfer-encoding: chunked",
    "transfer-encoding: chunked",
    "transfer-encoding: chunked, chunked",
    "Transfer-Encoding: CHUNKED",
    "transfer-encoding:\u{b}chunked",
    "transfer-encoding: identity",
    "transfer-encoding: gzip, chunked",
    "transfer-encoding: chunked\r\ncontent-length: 3",
    "transfer_encoding: chunked",
    "transfer-encoding: \"chunked\"",
    "transfer-encoding: chunked;q=1",
    "transfer-encoding:",
];

const BODIES: [&str; 23] = [
    "",
    "",
    "",
    "",
    "abc",
    "abc",
    "3\r\nabc\r\n0\r\n\r\n",
    "3\r\nabc\r\n0\r\n\r\n",
    "3;e=1\r\nabc\r\n0\r\nx-user: root\r\n\r\n",
    "3\nabc\n0\n\n",
    "03\r\nabc\r\n0\r\n\r\n",
    " 3\r\nabc\r\n0\r\n\r\n",
    "3 \r\nabc\r\n0\r\n\r\n",
    "0\r\n\r\n",
    "ffffffffffffffff\r\nabc",
    "3\r\nabcX\r\n0\r\n\r\n",
    "3\r\nabc\r\n0\r\nhost: b\r\nx-real-ip: 1\r\n\r\n",
    "3\r\nabc\r\n0\r\ncontent-length: 5\r\nx_forwarded_for: 1\r\n\r\n",
    "3\r\nabc\r\n0\r\nx-user: root\r\n folded\r\n\r\n",
    "3\r\nabc\r\n0\r\nx-a: 1\nx-user: root\r\n\r\n",
    "3;\"\r\n\"\r\nabc\r\n0\r\n\r\n",
    "3\r\nabc\r\n0\r\n",
    "-3\r\nabc\r\n0\r\n\r\n",
];

/// What must never be read as a request: it is sent as the body of one.
const SMUGGLED: &str = "GET /admin HTTP/1.1\r\nhost: a\r\nx-id: smuggled\r\n\r\n";

/// Requests one after the other on a connection, most of them odd.
///
/// One that stands in the body of another has `x-id: smuggled`.
pub fn requests(source: &mut Source<'_>) -> Vec<u8> {
    let mut text = String::new();
    for number in 0..1 + source.below(3) {
        let version = if source.chance(12) { "HTTP/1.0" } else { "HTTP/1.1" };
        let end = if source.chance(6) { "\n" } else { "\r\n" };
        let (method, target) = (source.one(&METHODS), source.one(&TARGETS));
        text += &format!("{method} {target} {version}{end}");
        if !source.chance(6) {
            text += &format!("host: a{end}");
        }
        text += &format!("x-id: {number}{end}");
        for _ in 0..source.below(4) {
            text += &format!("{}{end}", source.one(&LINES));
        }
        let smuggled = source.chance(12);
        if smuggled {
            text += &format!("content-length: {}{end}", SMUGGLED.len());
        }
        text += end;
        text += if smuggled { SMUGGLED } else { source.one(&BODIES) };
    }
    text.into_bytes()
}

const STATUS_LINES: [&str; 18] = [
    "HTTP/1.1 200 OK",
    "HTTP/1.1 200 OK",
    "HTTP/1.1 200 OK",
    "HTTP/1.1 200 OK",
    "HTTP/1.0 200 OK",
    "HTTP/1.1 200",
    "HTTP/1.1 200 ",
    "HTTP/1.1 204 No Content",
    "HTTP/1.1 304 Not Modified",
    "HTTP/1.1 205 Reset",
    "HTTP/1.1 999 Odd",
    "HTTP/1.1 101 Switching",
    "HTTP/1.1 103 Early Hints",
    "HTTP/2 200 OK",
    "HTTP/1.1 099 No",
    "HTTP/1.1 1000 No",
    "200 OK",
    "HTTP/1.1  200 OK",
];

const ANSWER_LINES: [&str; 34] = [
    "content-length: 3",
    "content-length: 3",
    "content-length: 3",
    "content-length: 0",
    "content-length: 3, 3",
    "content-length: 3, 4",
    "content-length: 3\r\ncontent-length: 3",
    "content-length: 3\r\ncontent-length: 2",
    "content-length: x",
    "content-length: -3",
    "transfer-encoding: chunked",
    "transfer-encoding: chunked",
    "transfer-encoding: chunked\r\ncontent-length: 3",
    "transfer-encoding: gzip",
    "transfer-encoding: gzip, chunked",
    "transfer-encoding: chunked, chunked",
    "transfer-encoding: identity",
    "Transfer-Encoding: CHUNKED",
    "transfer-encoding: chunked, gzip",
    "transfer-encoding:",
    "connection: close",
    "connection: keep-alive, x-hop\r\nx-hop: 1",
    "connection: content-length",
    "connection: transfer-encoding",
    "keep-alive: timeout=5",
    "upgrade: h2c",
    "proxy-connection: close",
    "trailer: x-sum",
    "x-a: 1\r\n folded",
    "x-nul: \0",
    "x-high: \u{ff}",
    "x-empty:",
    "set-cookie: a=1\r\nset-cookie: b=2",
    "x-lf: 1\nx-b: 2",
];

const ANSWER_BODIES: [&str; 16] = [
    "",
    "abc",
    "abc",
    "abc",
    "ab",
    "abcd",
    "3\r\nabc\r\n0\r\n\r\n",
    "3\r\nabc\r\n0\r\n\r\n",
    "3;e\r\nabc\r\n0\r\nx-sum: 1\r\n\r\n",
    "3\r\nabc\r\n0\r\ncontent-length: 9\r\n\r\n",
    "3\r\nabc\r\n",
    "Z\r\nabc",
    "3\r\nabcd\r\n0\r\n\r\n",
    "0\r\n\r\n",
    "abcHTTP/1.1 200 OK\r\nx-of: other\r\ncontent-length: 0\r\n\r\n",
    "3\nabc\n0\n\n",
];

/// An answer, most of them odd.
pub fn answer(source: &mut Source<'_>) -> Vec<u8> {
    let end = if source.chance(6) { "\n" } else { "\r\n" };
    let mut text = String::new();
    if source.chance(12) {
        text += &format!("HTTP/1.1 100 Continue{end}{end}");
    }
    text += &format!("{}{end}x-of: first{end}", source.one(&STATUS_LINES));
    for _ in 0..source.below(3) {
        text += &format!("{}{end}", source.one(&ANSWER_LINES));
    }
    text += end;
    text += source.one(&ANSWER_BODIES);
    text.into_bytes()
}
