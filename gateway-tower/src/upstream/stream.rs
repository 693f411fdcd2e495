//! The byte stream to a backend of HTTP/1.1, which may answer before it has read the whole request.
//!
//! A backend that refuses a large body answers, and closes. The next piece of the body then cannot be written, while the
//! answer has arrived but has not been read; hyper gives up at the failed write. Here a failed write waits until the
//! stream has been read to its end, so that an answer that came is passed on.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::pace::Pace;
use crate::connect::{BackendIo, poll_read_at_most};

/// A connection whose failure to write is told once nothing more can be read.
#[derive(Debug)]
pub(super) struct BackendStream {
    stream: BackendIo,
    pace: Arc<Pace>,
    /// Why writing failed.
    failed: Option<io::Error>,
    /// Whom to tell, once reading has ended.
    waiting: Option<Waker>,
    read_ended: bool,
}

// === impl BackendStream ===

impl BackendStream {
    pub(super) fn new(stream: BackendIo, pace: Arc<Pace>) -> Self {
        Self { stream, pace, failed: None, waiting: None, read_ended: false }
    }

    /// The result of a write, or later if it failed.
    fn written(
        &mut self,
        cx: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut BackendIo>, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if self.failed.is_none() {
            let Poll::Ready(written) = write(Pin::new(&mut self.stream), cx) else {
                self.pace.set_blocked();
                return Poll::Pending;
            };
            self.pace.set_free();
            match written {
                Err(error) if !self.read_ended => self.failed = Some(error),
                written => return Poll::Ready(written),
            }
        }
        match self.failed.take_if(|_| self.read_ended) {
            Some(error) => Poll::Ready(Err(error)),
            None => {
                self.waiting = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl AsyncRead for BackendStream {
    #[inline]
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buf.filled().len();
        let room = buf.remaining() > 0;
        let most = this.pace.piece();
        let socket = |cx: &mut Context<'_>| poll_read_at_most(&mut this.stream, cx, buf, most);
        let read = ready!(this.pace.turn().read(cx, socket));
        if room && (read.is_err() || buf.filled().len() == before) {
            this.read_ended = true;
            if let Some(waiting) = this.waiting.take() {
                waiting.wake();
            }
        }
        Poll::Ready(read)
    }
}

impl AsyncWrite for BackendStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.written(cx, |stream, cx| stream.poll_write(cx, buf))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.written(cx, |stream, cx| stream.poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
