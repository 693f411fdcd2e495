//! The load: clients that send the next request of a case as soon as one is answered, and look at each answer.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::backend::STATUS_200;
use super::case::{Exchange, Messages, Request};
use super::certificate::{Certificate, HOST};
use super::http1;
use super::http2::{Connection, DATA, END_HEADERS, END_STREAM, Frame, HEADERS, RST_STREAM, fields};

/// The indices of fields that every request has: `:method` with GET and POST, `:scheme` with http and https.
const GET: u8 = 2;
const POST: u8 = 3;
const HTTP: u8 = 6;
const HTTPS: u8 = 7;

/// The clients of a case, gone when dropped.
pub(crate) struct Load {
    clients: JoinSet<io::Result<Infallible>>,
    answered: Arc<AtomicU64>,
}

/// An answer on its way.
#[derive(Default)]
struct Answered {
    is_good: bool,
    bytes: usize,
}

// === impl Load ===

impl Load {
    /// Connects all clients, and lets them go on for ever.
    pub(crate) fn start(exchange: Exchange, proxy: SocketAddr, certificate: &Certificate) -> Self {
        let answered = Arc::new(AtomicU64::new(0));
        let mut clients = JoinSet::new();
        for _ in 0..exchange.connections {
            let (answered, tls) = (answered.clone(), exchange.tls.then(|| certificate.connector()));
            clients.spawn(async move {
                let socket = TcpStream::connect(proxy).await?;
                socket.set_nodelay(true)?;
                match tls {
                    None => client(socket, exchange, &answered).await,
                    Some(tls) => {
                        let host = HOST.try_into().expect("a hostname");
                        client(tls.connect(host, socket).await?, exchange, &answered).await
                    }
                }
            });
        }
        Self { clients, answered }
    }

    /// Lets it go on for this time, and says how many requests were answered well in it. The first one that fails ends it.
    pub(crate) async fn go_on(&mut self, time: Duration) -> io::Result<u64> {
        let before = self.answered.load(Ordering::Relaxed);
        tokio::select! {
            Some(ended) = self.clients.join_next() => match ended.map_err(io::Error::other)? {
                Err(error) => return Err(error),
            },
            () = sleep(time) => {}
        }
        Ok(self.answered.load(Ordering::Relaxed) - before)
    }
}

async fn client<S: AsyncRead + AsyncWrite + Unpin>(
    socket: S,
    exchange: Exchange,
    answered: &AtomicU64,
) -> io::Result<Infallible> {
    let scheme = if exchange.tls { HTTPS } else { HTTP };
    match exchange.request {
        Request::Call(messages) => {
            let more = [("content-type", "application/grpc"), ("te", "trailers")];
            let head = head(&[POST, scheme], "/s.S/Call", &more);
            http2(socket, exchange, &head, Some(messages), answered).await
        }
        Request::Http2Get => http2(socket, exchange, &head(&[GET, scheme], "/", &[]), None, answered).await,
        Request::Http1Get => http1(socket, exchange, answered).await,
    }
}

fn head(indexed: &[u8], path: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let mut literal = vec![(":path", path), (":authority", HOST), ("user-agent", "beside")];
    literal.extend(more);
    fields(indexed, &literal)
}

async fn http2<S: AsyncRead + AsyncWrite + Unpin>(
    socket: S,
    exchange: Exchange,
    head: &[u8],
    messages: Option<Messages>,
    answered: &AtomicU64,
) -> io::Result<Infallible> {
    let mut connection = Connection::client(socket);
    let mut open: HashMap<u32, Answered> = HashMap::new();
    let mut next = 1;
    loop {
        while open.len() < exchange.at_once {
            let flags = if messages.is_none() { END_HEADERS | END_STREAM } else { END_HEADERS };
            connection.put(HEADERS, flags, next, head);
            if let Some(messages) = messages {
                connection.send_body(next, messages, None);
            }
            open.insert(next, Answered::default());
            next += 2;
        }
        connection.flush().await?;
        if !connection.fill().await? {
            return Err(io::Error::other("the connection was closed"));
        }
        while let Some(frame) = connection.next_frame()? {
            // Others are about the connection.
            let Some(answer) = open.get_mut(&frame.stream) else { continue };
            answer.add(&frame, connection.payload(&frame))?;
            if frame.ends_stream() {
                answer.judge(exchange)?;
                open.remove(&frame.stream);
                connection.forget(frame.stream);
                answered.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

async fn http1<S: AsyncRead + AsyncWrite + Unpin>(
    mut socket: S,
    exchange: Exchange,
    answered: &AtomicU64,
) -> io::Result<Infallible> {
    let request = format!("GET / HTTP/1.1\r\nhost: {HOST}\r\nuser-agent: beside\r\n\r\n");
    let mut read = Vec::with_capacity(4096);
    loop {
        socket.write_all(request.as_bytes()).await?;
        let (head, length) = loop {
            if let Some(end) = http1::end_of_head(&read) {
                break (end, http1::length(&read[..end]).map_err(io::Error::other)?);
            }
            fill(&mut socket, &mut read).await?;
        };
        while read.len() < head + length {
            fill(&mut socket, &mut read).await?;
        }
        Answered { is_good: true, bytes: read.len() - head }.judge(exchange)?;
        read.clear();
        answered.fetch_add(1, Ordering::Relaxed);
    }
}

async fn fill(socket: &mut (impl AsyncRead + Unpin), read: &mut Vec<u8>) -> io::Result<()> {
    match socket.read_buf(read).await? {
        0 => Err(io::Error::other("the connection was closed")),
        _ => Ok(()),
    }
}

// === impl Answered ===

impl Answered {
    fn add(&mut self, frame: &Frame, payload: &[u8]) -> io::Result<()> {
        match frame.kind {
            DATA => self.bytes += frame.length(),
            // The first of a head is its status; trailers have none.
            HEADERS => self.is_good |= payload.first() == Some(&(0x80 | STATUS_200)),
            RST_STREAM => return Err(io::Error::other("a request was reset")),
            // The windows of a stream are the connection's.
            _ => {}
        }
        Ok(())
    }

    fn judge(&self, exchange: Exchange) -> io::Result<()> {
        let wanted = exchange.answer.bytes();
        match self {
            Self { is_good: false, .. } => Err(io::Error::other("an answer with another status than 200")),
            Self { bytes, .. } if *bytes != wanted => {
                Err(io::Error::other(format!("an answer with {bytes} bytes in place of {wanted}")))
            }
            Self { .. } => Ok(()),
        }
    }
}
