//! The readers of the answers that come over one connection of HTTP/2.
//!
//! h2 holds some 260 bytes for each frame that its reader has not taken, whatever is in it, and the block that it was read with: what a
//! window lets through takes a multiple of it when it comes in small frames. So for a client that rests the frames are taken before
//! the connection reads on. That opens no window: only what the client has taken does.
//!
//! That is within the read of the connection, since h2 may read as much as there is before any other task runs.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How many bytes are read until it is looked for frames to take: h2 reads as many at once.
const BETWEEN_LOOKS: usize = 8 * 1024;

/// How many bytes are read for each answer until other tasks may run where one has not begun: before it has a reader, its task must take
/// note of its head.
const BETWEEN_TURNS: usize = 32 * 1024;

/// The reader of an answer.
pub(super) trait Reader: Send + Sync {
    /// Whether something may have come that was not taken.
    fn has_come(&self) -> bool;

    /// Takes what has come, unless the client does so just now.
    fn take(self: Arc<Self>);
}

/// The readers of the answers that come over one connection.
#[derive(Default)]
pub(super) struct Readers {
    all: Mutex<Vec<Arc<dyn Reader>>>,
    /// How many answers have not begun.
    awaited: AtomicUsize,
}

/// The stream of a connection, which is read on when what has come before is taken.
pub(super) struct TakenFirst<T> {
    io: T,
    readers: Arc<Readers>,
    /// The bytes read since the last look.
    unlooked: usize,
    /// The bytes read since other tasks could run.
    turn: usize,
}

// === impl Readers ===

impl Readers {
    /// An answer is to come.
    pub(super) fn await_answer(&self) {
        self.awaited.fetch_add(1, Ordering::Relaxed);
    }

    /// An answer that was to come has begun, or will not come.
    pub(super) fn await_no_longer(&self) {
        self.awaited.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn add(&self, reader: Arc<dyn Reader>) {
        self.readers().push(reader);
    }

    pub(super) fn remove<R>(&self, reader: &Arc<R>) {
        let mut readers = self.readers();
        let is_it = |other: &Arc<dyn Reader>| std::ptr::addr_eq(Arc::as_ptr(other), Arc::as_ptr(reader));
        if let Some(place) = readers.iter().position(is_it) {
            readers.swap_remove(place);
        }
    }

    /// Whether other tasks may run when so many bytes were read.
    fn is_turn_of_others(&self, read: usize) -> bool {
        let awaited = self.awaited.load(Ordering::Relaxed);
        awaited > 0 && read >= BETWEEN_TURNS * (awaited + self.readers().len())
    }

    fn take(&self) {
        for reader in self.readers().iter().filter(|reader| reader.has_come()) {
            Arc::clone(reader).take();
        }
    }

    fn readers(&self) -> MutexGuard<'_, Vec<Arc<dyn Reader>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl TakenFirst ===

impl<T> TakenFirst<T> {
    pub(super) fn new(io: T, readers: Arc<Readers>) -> Self {
        Self { io, readers, unlooked: 0, turn: 0 }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for TakenFirst<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.unlooked >= BETWEEN_LOOKS {
            self.unlooked = 0;
            self.readers.take();
        }
        if self.turn >= BETWEEN_TURNS && self.readers.is_turn_of_others(self.turn) {
            self.turn = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buf.filled().len();
        let Poll::Ready(result) = Pin::new(&mut self.io).poll_read(cx, buf) else {
            // Others run now.
            self.turn = 0;
            return Poll::Pending;
        };
        let read = buf.filled().len() - before;
        self.unlooked += read;
        self.turn += read;
        Poll::Ready(result)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for TakenFirst<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
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
