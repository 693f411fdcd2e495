//! From the answer of an authorization service over gRPC to what becomes of the request.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use gateway_core::filter::{AuthProtocol, AuthTerms, ExternalAuth, GrpcAuth, HttpFilter};
use gateway_core::matching::HttpMatch;
use gateway_core::name::{Age, ObjectName, RouteKey, RouteKind};
use gateway_core::rule::{Backend, BackendProtocol, BackendRef, BackendTarget, Backends, HttpRule, RuleName};
use gateway_core::table::RouteTable;
use http::{HeaderMap, HeaderValue, Request, Response};
use hyper::body::{Body, Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::gateway;
use super::strict::{self, Message};

/// What the client sends.
const REQUEST: &str = "GET /a?b HTTP/1.1\r\nhost: a\r\nx-a: 1\r\nconnection: close\r\n\r\n";

/// What the backend answers.
const ANSWER: &str = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\nx-of: backend\r\n\r\ngood";

/// The port of the service; the backend has the next.
const SERVICE: usize = 0;

/// What came of a request that a service was asked about.
#[derive(Clone, Debug, PartialEq)]
struct Outcome {
    /// What the backend got.
    got: Vec<Told>,
    /// What the client got.
    answers: Vec<Told>,
}

/// A message, but for what the clock says: the method and the target, or the version and the status; headers and body.
type Told = (String, String, Vec<(String, String)>, Vec<u8>);

/// What a service sends, in pieces, and then that the call has ended well or not.
struct Answer {
    left: Bytes,
    piece: usize,
    trailers: Option<HeaderMap>,
}

/// The body with which an authorization service answers a call: the request passes only where that is one whole message in its frame,
/// goes on to where it was for, and the same becomes of it in whatever pieces the answer comes. The first byte says in which, and whether
/// the call ended well; from 128 on the rest is the message, in its frame.
///
/// # Panics
/// When that does not hold.
pub fn authorization(bytes: &[u8]) {
    let Some((how, rest)) = bytes.split_first() else { return };
    let framed: Bytes = match how {
        ..128 => rest.to_vec(),
        128.. => [&[0], &(rest.len() as u32).to_be_bytes()[..], rest].concat(),
    }
    .into();
    let is_ok = how & 8 == 0;
    let outcome = ask(&framed, usize::MAX, is_ok);
    let in_pieces = ask(&framed, gateway::piece(*how, &framed), is_ok);
    assert_eq!(outcome, in_pieces, "in pieces, {}", framed.escape_ascii());
    if let Err(wrong) = judge(&framed, is_ok, &outcome) {
        panic!("{wrong}: the service answered {} and {outcome:#?} came of it", framed.escape_ascii());
    }
}

/// What is wrong.
fn judge(framed: &[u8], is_ok: bool, Outcome { got, answers }: &Outcome) -> Result<(), String> {
    let [(_, status, _, body)] = &answers[..] else { return Err(format!("{} answers", answers.len())) };
    let is_whole = framed.split_at_checked(5).is_some_and(|(prefix, message)| {
        prefix[0] == 0 && prefix[1..] == (message.len() as u32).to_be_bytes()
    });
    if !(is_whole && is_ok) && (!got.is_empty() || status != "503") {
        return Err(format!("{status} where nothing was said"));
    }
    match &got[..] {
        [] if body == b"good" => Err("nobody has sent this answer".to_owned()),
        [] => Ok(()),
        [(method, target, headers, sent)] => {
            let all = |name: &str| -> Vec<&str> {
                let of_name = headers.iter().filter(|(given, _)| given.eq_ignore_ascii_case(name));
                of_name.map(|(_, value)| &**value).collect()
            };
            if (&**method, &**target, all("host")) != ("GET", "/a?b", vec!["a"]) || !sent.is_empty() {
                return Err("it went elsewhere".to_owned());
            }
            let framing = ["content-length", "transfer-encoding", "upgrade", "te"].map(all).concat();
            if !framing.is_empty() {
                return Err(format!("it is framed by {framing:?}"));
            }
            if (&**status, &body[..]) == ("200", b"good") {
                Ok(())
            } else {
                Err(format!("{status} after it passed"))
            }
        }
        _ => Err("it was sent more than once".to_owned()),
    }
}

/// What becomes of a request about which a service answers this, in pieces.
fn ask(framed: &Bytes, piece: usize, is_ok: bool) -> Outcome {
    let got = Arc::<Mutex<Vec<Told>>>::default();
    let (log, framed) = (Arc::clone(&got), framed.clone());
    let answer = gateway::run(async {
        let (client, serving) = gateway::gateway(table().clone(), move |port, stream| {
            let (log, framed) = (Arc::clone(&log), framed.clone());
            async move {
                match port {
                    SERVICE => serve(stream, framed, piece, is_ok).await,
                    _ => read(stream, &log).await,
                }
            }
        });
        let answer = gateway::sent(client, REQUEST.as_bytes(), usize::MAX).await;
        gateway::ended(serving).await;
        answer
    });
    let answers = strict::answers(&answer, |_| Some(false));
    let answers = answers.unwrap_or_else(|wrong| panic!("{wrong}: {}", answer.escape_ascii()));
    let answers = answers.expect("the method is known").into_iter().map(told).collect();
    let got = std::mem::take(&mut *got.lock().unwrap_or_else(PoisonError::into_inner));
    Outcome { got, answers }
}

fn told(message: Message) -> Told {
    let Message { method, target, mut headers, body, trailers: _ } = message;
    headers.retain(|(name, _)| !name.eq_ignore_ascii_case("date"));
    (method, target, headers, body)
}

/// The service.
async fn serve(stream: TcpStream, framed: Bytes, piece: usize, is_ok: bool) {
    let service = service_fn(|_: Request<Incoming>| {
        let status = HeaderValue::from_static(if is_ok { "0" } else { "14" });
        let trailers = HeaderMap::from_iter([(http::HeaderName::from_static("grpc-status"), status)]);
        let answer = Answer { left: framed.clone(), piece, trailers: Some(trailers) };
        std::future::ready(Ok::<_, Infallible>(Response::new(answer)))
    });
    let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    // The gateway may end it.
    let _ = server.serve_connection(TokioIo::new(stream), service).await;
}

/// The backend.
async fn read(mut stream: TcpStream, log: &Mutex<Vec<Told>>) {
    let mut bytes = Vec::new();
    loop {
        match strict::next_request(&bytes) {
            Ok(Some((message, length))) => {
                bytes.drain(..length);
                log.lock().unwrap_or_else(PoisonError::into_inner).push(told(message));
                if stream.write_all(ANSWER.as_bytes()).await.is_err() {
                    return;
                }
            }
            Ok(None) => match stream.read_buf(&mut bytes).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            },
            Err(wrong) => panic!("{wrong}: the backend got {}", bytes.escape_ascii()),
        }
    }
}

/// A rule that asks the service about all requests.
fn table() -> &'static RouteTable {
    static TABLE: LazyLock<RouteTable> = LazyLock::new(|| {
        let mut table = RouteTable::builder(1);
        let mut backend = |port: u16, protocol| {
            let endpoint = SocketAddr::from(([10, 0, 0, 1], port));
            let service = ObjectName::new("default", port.to_string());
            table.backend(Backend {
                service,
                port: 80,
                protocol,
                endpoints: [endpoint.into()].into(),
                ..Backend::default()
            })
        };
        let (service, behind) =
            (backend(SERVICE as u16, BackendProtocol::H2c), backend(1, BackendProtocol::Http1));
        let terms = AuthTerms { protocol: AuthProtocol::Grpc(GrpcAuth::default()), max_body: 0 };
        let name = ObjectName::new("default", "route");
        let id =
            RuleName { route: RouteKey::new(RouteKind::Http, name.clone()).into(), index: 0, name: None };
        let rule = HttpRule {
            filters: [HttpFilter::ExternalAuth(Arc::new(ExternalAuth { backend: service, terms }))].into(),
            backends: Backends::new([BackendRef { target: BackendTarget::Backend(behind), weight: 1 }]),
            ..HttpRule::new(id)
        };
        let route = table.http_route(Age::new(None, &name), [([HttpMatch::default()].into(), rule)]);
        let listener = table.listener(gateway::listener());
        table.attach(route, listener, &[]);
        table.build()
    });
    &TABLE
}

// === impl Answer ===

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let now = self.left.len().min(self.piece);
        let frame = match now {
            0 => self.trailers.take().map(Frame::trailers),
            _ => Some(Frame::data(self.left.split_to(now))),
        };
        Poll::Ready(frame.map(Ok))
    }
}
