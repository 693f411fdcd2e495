//! From the bytes of a client to what backends get.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use gateway_core::exchange::{self, Arrival};
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::gateway::{self, Spoken};
use super::strict::{self, Message};
use crate::generate::{Source, messages};

/// What came of the bytes of a client.
#[derive(Debug)]
pub struct Carried {
    /// What backends got, in order.
    pub got: Vec<Message>,
    /// What the client got; nothing is known of it where it speaks HTTP/2.
    pub answers: Vec<Message>,
}

/// Headers that are for one hop only, or that the gateway must not believe.
const NOT_FORWARDED: [&str; 9] = [
    "keep-alive",
    "proxy-connection",
    "upgrade",
    "http2-settings",
    "forwarded",
    "x-real-ip",
    "x_forwarded_for",
    "x_forwarded_proto",
    "x-forwarded-port",
];

/// What must not be among trailers besides.
const NO_TRAILERS: [&str; 3] = ["transfer-encoding", "content-length", "host"];

/// What backends got: by which rule, and the message or what is wrong with it.
type Log = Arc<Mutex<Vec<(usize, Result<Message, String>)>>>;

/// Bytes that a client sends: of each message in, at most one comes out, by the rule that serves what the backend sees; it is
/// framed as it was understood, and it is answered once.
///
/// # Panics
/// When that does not hold.
pub fn requests(bytes: &[u8]) {
    carry_requests(bytes);
}

/// The same, with what came of it.
///
/// # Panics
/// When something does not hold.
pub fn carry_requests(bytes: &[u8]) -> Carried {
    let Some((how, rest)) = bytes.split_first() else {
        return Carried { got: Vec::new(), answers: Vec::new() };
    };
    let spoken = if how & 1 == 0 { Spoken::Http1 } else { Spoken::Http2 };
    let sent = match how {
        ..128 => rest.to_vec(),
        128.. => messages::requests(&mut Source::new(rest)),
    };
    let piece = gateway::piece(*how, &sent);
    let log = Log::default();
    let answer = gateway::run(async {
        let logged = Arc::clone(&log);
        let (client, serving) = gateway::gateway(gateway::table(spoken).clone(), move |rule, stream| {
            let log = Arc::clone(&logged);
            async move {
                match spoken {
                    Spoken::Http1 => read(rule, stream, log).await,
                    Spoken::Http2 => take(rule, stream, log).await,
                }
            }
        });
        let answer = gateway::sent(client, &sent, piece).await;
        gateway::ended(serving).await;
        answer
    });
    let got = std::mem::take(&mut *log.lock().unwrap_or_else(PoisonError::into_inner));
    let shown = || {
        format!(
            "\n{}\nwas answered with\n{}\nand was forwarded as {got:#?}",
            sent.escape_ascii(),
            answer.escape_ascii()
        )
    };
    match judge(spoken, &sent, &answer, &got) {
        Ok(answers) => {
            let got = got.into_iter().filter_map(|(_, message)| message.ok()).collect();
            Carried { got, answers }
        }
        Err(wrong) => panic!("{wrong}: {}", shown()),
    }
}

/// The answers, or what is wrong.
fn judge(
    spoken: Spoken,
    sent: &[u8],
    answer: &[u8],
    got: &[(usize, Result<Message, String>)],
) -> Result<Vec<Message>, String> {
    for (rule, message) in got {
        let message = message.as_ref().map_err(|wrong| format!("rule {rule} got {wrong}"))?;
        if let Some(wrong) = wrong(spoken, *rule, message) {
            return Err(format!("{wrong}: {message:?}"));
        }
    }
    // Each message has a head that ends with an empty line.
    let heads = sent.windows(2).filter(|end| end == b"\n\n").count()
        + sent.windows(3).filter(|end| end == b"\n\r\n").count();
    if sent.starts_with(b"PRI * HTTP/2.0") {
        return Ok(Vec::new());
    }
    if got.len() > heads {
        return Err(format!("{} messages of {heads} heads", got.len()));
    }
    let understood = strict::requests(sent);
    let is_head = |index: usize| understood.get(index).map(|message| message.method == "HEAD");
    let Some(answers) = strict::answers(answer, |index| match is_head(index) {
        Some(is_head) => Some(is_head),
        // A request that is read leniently may be of any method.
        None => (!sent.windows(4).any(|word| word == b"HEAD")).then_some(false),
    })?
    else {
        return Ok(Vec::new());
    };
    // What follows a message and is none is answered, too; once, since that ends the connection.
    if answers.len() > heads + 1 {
        return Err(format!("{} answers to {heads} heads", answers.len()));
    }
    let from_backends: Vec<_> = answers.iter().filter_map(|answer| answer.header("x-of")).collect();
    let numbers: Vec<String> = (0..got.len()).map(|number| number.to_string()).collect();
    if !from_backends.iter().eq(&numbers) {
        return Err(format!("answers {from_backends:?} to {} messages", got.len()));
    }
    for (message, answer) in understood.iter().zip(&answers) {
        let Some(number) = answer.header("x-of").and_then(|of| of.parse::<usize>().ok()) else { continue };
        let Some((_, Ok(forwarded))) = got.get(number) else { continue };
        if (&forwarded.method, &forwarded.body) != (&message.method, &message.body) {
            return Err(format!("{message:?} came out as {forwarded:?}"));
        }
    }
    Ok(answers)
}

/// What is wrong with a message that a backend got by this rule.
fn wrong(spoken: Spoken, rule: usize, message: &Message) -> Option<String> {
    // WebSocket is carried.
    let upgrade = message.header("upgrade").is_some_and(|to| to.eq_ignore_ascii_case("websocket"));
    for name in NOT_FORWARDED {
        if message.header(name).is_some() && !(upgrade && name == "upgrade") {
            return Some(format!("{name} was forwarded"));
        }
    }
    let mut forbidden = NOT_FORWARDED.iter().chain(&NO_TRAILERS);
    if let Some(name) = forbidden.find(|name| message.trailers.iter().any(|(given, _)| given == *name)) {
        return Some(format!("{name} is a trailer"));
    }
    let is_of_this_hop = |value: &str| value != "te" && !(upgrade && value == "upgrade");
    if message.header("connection").is_some_and(is_of_this_hop) {
        return Some("connection was forwarded".to_owned());
    }
    let mut request = Request::builder().method(&*message.method).uri(&*message.target);
    for (name, value) in &message.headers {
        // The gateway's own word of the client is not among what it has decided by.
        if name != "x-forwarded-proto" {
            let value: Vec<u8> = value.chars().map(|character| character as u8).collect();
            request = request.header(&**name, value);
        }
    }
    let mut request = match request.body(()) {
        Ok(request) => request,
        Err(error) => return Some(error.to_string()),
    };
    if message.header("host") == Some("") {
        // Of a request of HTTP/1.0.
        request.headers_mut().insert("host", HeaderValue::from_static("any"));
    }
    // The last that the request may reach is this backend.
    request.headers_mut().remove("max-forwards");
    let table = gateway::table(spoken);
    match exchange::find(table, &Arrival::new(&gateway::name(), 80), &mut request) {
        Ok(matched) if usize::from(table.rule(matched.rule).id.index) == rule => None,
        other => Some(format!("rule {rule} served it, but what the backend sees is for {other:?}")),
    }
}

/// Notes a message; its number.
fn note(log: &Log, rule: usize, message: Result<Message, String>) -> usize {
    let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
    log.push((rule, message));
    log.len() - 1
}

/// A backend of HTTP/1.1 that reads strictly, and answers each message with its number.
async fn read(rule: usize, mut stream: TcpStream, log: Log) {
    let mut bytes = Vec::new();
    loop {
        match strict::next_request(&bytes) {
            Ok(Some((message, length))) => {
                bytes.drain(..length);
                let number = note(&log, rule, Ok(message));
                let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-of: {number}\r\n\r\n");
                if stream.write_all(answer.as_bytes()).await.is_err() {
                    return;
                }
            }
            Ok(None) => match stream.read_buf(&mut bytes).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            },
            Err(wrong) => {
                let shown = bytes.escape_ascii();
                note(&log, rule, Err(format!("{wrong}: {shown:?}")));
                return;
            }
        }
    }
}

/// The same of HTTP/2, which hyper reads.
async fn take(rule: usize, stream: TcpStream, log: Log) {
    let service = service_fn(|request: Request<Incoming>| {
        let log = Arc::clone(&log);
        async move {
            let (head, body) = request.into_parts();
            // A body that breaks off is no message.
            let body = body.collect().await?;
            let text = |value: &HeaderValue| value.as_bytes().iter().map(|byte| char::from(*byte)).collect();
            let fields = |headers: &http::HeaderMap| -> Vec<(String, String)> {
                headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
            };
            let mut headers = fields(&head.headers);
            headers.extend(head.uri.authority().map(|host| ("host".to_owned(), host.to_string())));
            let trailers = body.trailers().map(fields).unwrap_or_default();
            let target = head.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
            let body = body.to_bytes().to_vec();
            let message = Message { method: head.method.to_string(), target, headers, body, trailers };
            let number = note(&log, rule, Ok(message));
            let answer = Response::builder().header("x-of", number);
            Ok::<_, hyper::Error>(answer.body(Empty::<Bytes>::new()).expect("a number is a value"))
        }
    });
    let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    let _ = server.serve_connection(TokioIo::new(stream), service).await;
}
