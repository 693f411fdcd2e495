//! The byte stream of a connection: first what was read to tell its protocol, then the rest; counted.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::preface::{FirstBytes, Greeting};
use crate::connect::poll_read_at_most;
use crate::drain::Member;

/// The most that is read at once: not quite what hyper reads into at first. It doubles a buffer that is filled, and of a
/// request that its backend does not take, several stand in a row.
const READ_AT_ONCE: usize = 16 * 1024 - 1;

/// The same within TLS, where this is the length of a record.
const READ_AT_ONCE_SECURE: usize = 16 * 1024;

/// A stream that tells the open connections when bytes move.
pub(in crate::serve) struct Stream<T> {
    io: T,
    read_at_once: usize,
    first: FirstBytes,
    member: Member,
    /// What a client of HTTP/2 has to send first, as long as it has not.
    greeting: Option<Greeting>,
    /// Whether the client has closed its side.
    ended: bool,
}

// === impl Stream ===

impl<T> Stream<T> {
    pub(in crate::serve) fn new(io: T, first: FirstBytes, member: Member, secure: bool, http2: bool) -> Self {
        let read_at_once = match (http2, secure) {
            // Windows say how much may come.
            (true, _) => usize::MAX,
            (false, true) => READ_AT_ONCE_SECURE,
            (false, false) => READ_AT_ONCE,
        };
        Self { io, read_at_once, first, member, greeting: http2.then(Greeting::default), ended: false }
    }

    fn read(&mut self, bytes: &[u8]) {
        self.member.count_read();
        if self.greeting.as_mut().is_some_and(|greeting| greeting.is_whole_with(bytes)) {
            self.greeting = None;
            self.member.set_greeted();
        }
    }

    fn written(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &written {
            Poll::Ready(Ok(_)) => self.member.count_write(),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => self.member.set_blocked(),
        }
        written
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Stream<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buf.filled().len();
        if !this.first.is_empty() {
            this.first.take(buf);
            this.read(&buf.filled()[before..]);
            return Poll::Ready(Ok(()));
        }
        if !this.ended {
            let socket = |cx: &mut Context<'_>| poll_read_at_most(&mut this.io, cx, buf, this.read_at_once);
            ready!(this.member.turn().read(cx, socket))?;
            if buf.filled().len() > before || buf.remaining() == 0 {
                this.read(&buf.filled()[before..]);
                return Poll::Ready(Ok(()));
            }
            this.ended = true;
        }
        // hyper would take the end for that of the whole connection, and an answer that is waited for would not come: MSG-09.
        this.member.poll_end(cx).map(Ok)
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Stream<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, buf);
        self.written(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.written(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
