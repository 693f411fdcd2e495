//! Clients within TLS that read slowly, or one thing and not another: nothing is lost, mixed up, or waits for ever.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::future::join_all;
use gateway_core::rule::BackendProtocol;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Incoming;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::tls::any_certificate;
use crate::world::{
    Answer, Body, Client, LONG, Table, World, backend, certificate, get2, raw_backend, read_head,
};

const LENGTH: usize = 3 * 1024 * 1024;

/// A stream of which little is read at once, and only every other time.
struct Sluggish(TcpStream, bool);

impl AsyncRead for Sluggish {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.1 = !self.1;
        if self.1 {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let mut some = [0; 4096];
        let room = buf.remaining().min(some.len());
        let mut some = ReadBuf::new(&mut some[..room]);
        let read = Pin::new(&mut self.0).poll_read(cx, &mut some);
        buf.put_slice(some.filled());
        read
    }
}

impl AsyncWrite for Sluggish {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// A connection within TLS whose client reads slowly, and has little room for what it has not read.
async fn sluggish(world: &World, alpn: &str) -> TlsStream<Sluggish> {
    let mut config = any_certificate();
    config.alpn_protocols = vec![alpn.into()];
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(8 * 1024).unwrap();
    let stream = socket.connect(world.address(443)).await.unwrap();
    let stream = Sluggish(stream, false);
    TlsConnector::from(Arc::new(config)).connect("example.com".try_into().unwrap(), stream).await.unwrap()
}

/// Bytes that are others at each place, and for each `seed`.
fn pattern(seed: usize) -> Bytes {
    (0..LENGTH).map(|i| (i * 31 + i / 251 + seed) as u8).collect()
}

/// Pieces of odd lengths, and then a trailer.
fn in_pieces(bytes: &Bytes) -> Body {
    let mut frames: Vec<_> = (0..)
        .map_while({
            let mut left = bytes.clone();
            move |i| {
                (!left.is_empty())
                    .then(|| Ok(Frame::data(left.split_to((1 + i * 7919 % 40_000).min(left.len())))))
            }
        })
        .collect();
    let trailers = HeaderMap::from_iter([("x-end".parse().unwrap(), HeaderValue::from_static("here"))]);
    frames.push(Ok(Frame::trailers(trailers)));
    StreamBody::new(futures_util::stream::iter(frames)).boxed_unsync()
}

/// A backend that answers with the body, trailers as well; to a GET with what the number in its path stands for.
async fn mirror() -> SocketAddr {
    backend(|request: Request<Incoming>| async move {
        match request.uri().path().trim_start_matches('/').parse() {
            Ok(seed) => Response::new(in_pieces(&pattern(seed))),
            Err(_) => Response::new(request.into_body().map_err(Into::into).boxed_unsync()),
        }
    })
    .await
}

fn table(backend: SocketAddr, protocol: BackendProtocol) -> Table {
    Table::without_listener(1, backend).https(443, None, &certificate(&["example.com"])).protocol(protocol)
}

fn post(bytes: &Bytes) -> Request<Body> {
    Request::post("http://example.com/").header("host", "example.com").body(in_pieces(bytes)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_go_both_ways_at_once_while_the_client_reads_slowly() {
    let mirror = mirror().await;
    for protocol in [BackendProtocol::Http1, BackendProtocol::H2c] {
        let world = World::start(&table(mirror, protocol)).await;
        let mut client = Client::http2(sluggish(&world, "h2").await).await;
        let sent: Vec<_> = (0..4).map(pattern).collect();
        let mut begun = Vec::new();
        for bytes in &sent {
            begun.push(timeout(LONG, client.begin(post(bytes))).await.expect("an answer").unwrap());
        }
        let answers = timeout(LONG * 3, join_all(begun.into_iter().map(Answer::read))).await;
        for (answer, sent) in answers.expect("none waits for ever").into_iter().zip(&sent) {
            let answer = answer.unwrap();
            assert!(answer.body == *sent, "{protocol:?}: {} bytes", answer.body.len());
            // Over HTTP/1.1 the backend sends none that it has not announced.
            if protocol == BackendProtocol::H2c {
                assert_eq!(answer.trailers.expect("trailers")["x-end"], "here");
            }
        }

        let mut client = Client::http1(sluggish(&world, "http/1.1").await).await;
        let sent = pattern(9);
        let response = timeout(LONG, client.begin(post(&sent))).await.expect("an answer").unwrap();
        let answer = timeout(LONG * 3, Answer::read(response)).await.expect("in time").unwrap();
        assert!(answer.body == sent, "{protocol:?}: {} bytes", answer.body.len());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_not_read_holds_up_no_other_and_goes_on_later() {
    let mirror = mirror().await;
    for protocol in [BackendProtocol::Http1, BackendProtocol::H2c] {
        let world = World::start(&table(mirror, protocol)).await;
        let mut client = Client::http2(sluggish(&world, "h2").await).await;
        let resting = client.begin(get2("example.com", "/1")).await.unwrap();
        for seed in 2..4 {
            // One more that is given up in the middle.
            let mut given_up = client.begin(get2("example.com", "/1")).await.unwrap().into_body();
            timeout(LONG, given_up.frame()).await.expect("a frame").unwrap().unwrap();
            drop(given_up);
            let answer = client.begin(get2("example.com", &format!("/{seed}"))).await.unwrap();
            let answer = timeout(LONG * 3, Answer::read(answer)).await.expect("it goes on").unwrap();
            assert!(answer.body == pattern(seed), "{protocol:?}: {} bytes", answer.body.len());
        }
        let answer = timeout(LONG * 3, Answer::read(resting)).await.expect("it goes on").unwrap();
        assert!(answer.body == pattern(1), "{protocol:?}: {} bytes", answer.body.len());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tunnel_within_tls_brings_all_after_its_client_has_closed() {
    let backend = raw_backend(|mut stream: TcpStream| async move {
        read_head(&mut stream).await;
        let head = b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
        stream.write_all(head).await.unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.unwrap();
        all.reverse();
        stream.write_all(&all).await.unwrap();
    })
    .await;
    let world = World::start(&table(backend, BackendProtocol::Http1)).await;
    let mut stream = sluggish(&world, "http/1.1").await;
    let head = b"GET / HTTP/1.1\r\nhost: example.com\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
    stream.write_all(head).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.unwrap());
    }
    assert!(answer.starts_with(b"HTTP/1.1 101 "));
    let sent = pattern(0);
    stream.write_all(&sent).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut received = Vec::new();
    timeout(LONG * 3, stream.read_to_end(&mut received)).await.expect("in time").unwrap();
    received.reverse();
    assert!(received == sent, "{} bytes", received.len());
}
