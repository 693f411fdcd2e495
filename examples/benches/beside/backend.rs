//! The backend: a thread that answers every request of a case in the same way, as cheaply as it can.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::thread;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use super::case::{Answer, Messages};
use super::http1;
use super::http2::{Connection, END_HEADERS, HEADERS, RST_STREAM, fields};

/// The index of `:status: 200`.
pub(crate) const STATUS_200: u8 = 8;

/// A running backend; stopped when dropped.
pub(crate) struct Backend {
    address: SocketAddr,
    _running: oneshot::Sender<()>,
}

// === impl Backend ===

impl Backend {
    /// Starts it on a port that is free, on the core of the caller.
    pub(crate) fn start(answer: Answer) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (running, mut dropped) = oneshot::channel();
        thread::Builder::new().name("backend".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    Err(error) = accept(listener, answer) => eprintln!("the backend ends: {error}"),
                    _ = &mut dropped => {}
                }
            });
        })?;
        Ok(Self { address, _running: running })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn accept(listener: std::net::TcpListener, answer: Answer) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        tokio::spawn(async move {
            let served = match answer {
                Answer::Call(messages) => serve_calls(socket, messages).await,
                Answer::Http1(bytes) => serve_http1(socket, bytes).await,
            };
            match served {
                // A proxy that is ended at the end of a slice ends its connections so.
                Err(error) if error.kind() == io::ErrorKind::InvalidData => eprintln!("the backend: {error}"),
                Ok(()) | Err(_) => {}
            }
        });
    }
}

/// Answers each call once it is there whole.
async fn serve_calls(socket: TcpStream, messages: Messages) -> io::Result<()> {
    let head = fields(&[STATUS_200], &[("content-type", "application/grpc")]);
    // 0, a literal without an index, the lengths of the name and of the value before them.
    const TRAILERS: &[u8] = b"\x00\x0bgrpc-status\x010";
    let Some(mut connection) = Connection::server(socket).await? else { return Ok(()) };
    loop {
        while let Some(frame) = connection.next_frame()? {
            if frame.kind == RST_STREAM {
                connection.forget(frame.stream);
            } else if frame.ends_stream() {
                connection.put(HEADERS, END_HEADERS, frame.stream, &head);
                connection.send_body(frame.stream, messages, Some(TRAILERS));
            }
        }
        connection.flush().await?;
        if !connection.fill().await? {
            return Ok(());
        }
    }
}

/// Answers each head; requests have no bodies.
async fn serve_http1(mut socket: TcpStream, bytes: usize) -> io::Result<()> {
    let body = "x".repeat(bytes);
    let answer =
        format!("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {bytes}\r\n\r\n{body}");
    let (mut read, mut written) = (Vec::with_capacity(4096), Vec::new());
    while socket.read_buf(&mut read).await? > 0 {
        while let Some(end) = http1::end_of_head(&read) {
            read.drain(..end);
            written.extend_from_slice(answer.as_bytes());
        }
        socket.write_all(&written).await?;
        written.clear();
    }
    Ok(())
}
