//! The readers of the answers that come over one connection of HTTP/2.
//!
//! h2 holds some 260 bytes for each frame that its reader has not taken, whatever is in it, and the block that it was read with: what a
//! window lets through takes a multiple of it when it comes in small frames. So for a client that rests the frames are taken before
//! the connection reads on. That opens no window: only what the client has taken does.
//!
//! That is within the read of the connection, since h2 may read as much as there is before any other task runs.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, ReadBuf};

/// How many frames are read until it is looked for some to take: what h2 holds for these is some 16 KiB.
///
/// It is counted in frames first since only small ones take more than their bytes. Those of common messages come and are taken by who
/// reads the answer, without being copied here.
const FRAMES_BETWEEN_LOOKS: usize = 64;

/// The same in bytes, where large frames come between: a small one that is not taken keeps the block that it was read with.
const BYTES_BETWEEN_LOOKS: usize = 64 * 1024;

/// How many frames are read for each answer until other tasks may run where one has not begun: before it has a reader, its task must take
/// note of its head.
pub(super) const FRAMES_BETWEEN_TURNS: usize = 64;

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

/// The stream that a connection reads, which is read on when what has come before is taken.
pub(super) struct TakenFirst<T> {
    io: T,
    readers: Arc<Readers>,
    frames: Frames,
    /// The frames and the bytes read since the last look.
    unlooked: usize,
    unlooked_bytes: usize,
    /// The frames read since other tasks could run.
    turn: usize,
}

/// Counts the frames of a stream of HTTP/2, behind its preface.
#[derive(Default)]
struct Frames {
    /// What is known of the next frame's length: the first so many of its three bytes.
    length: usize,
    known: usize,
    /// The bytes until the next frame.
    rest: usize,
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

    /// Whether other tasks may run when so many frames were read.
    fn is_turn_of_others(&self, frames: usize) -> bool {
        let awaited = self.awaited.load(Ordering::Relaxed);
        awaited > 0 && frames >= FRAMES_BETWEEN_TURNS * (awaited + self.readers().len())
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
        Self { io, readers, frames: Frames::default(), unlooked: 0, unlooked_bytes: 0, turn: 0 }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for TakenFirst<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.unlooked >= FRAMES_BETWEEN_LOOKS || self.unlooked_bytes >= BYTES_BETWEEN_LOOKS {
            (self.unlooked, self.unlooked_bytes) = (0, 0);
            self.readers.take();
        }
        if self.turn >= FRAMES_BETWEEN_TURNS && self.readers.is_turn_of_others(self.turn) {
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
        let read = &buf.filled()[before..];
        let (frames, bytes) = (self.frames.count(read), read.len());
        self.unlooked += frames;
        self.unlooked_bytes += bytes;
        self.turn += frames;
        Poll::Ready(result)
    }
}

// === impl Frames ===

impl Frames {
    /// How many frames begin in what comes next of the stream.
    ///
    /// # Spec
    /// RFC 9113 section 4.1: nine bytes, the first three of which are the length of what follows them.
    fn count(&mut self, bytes: &[u8]) -> usize {
        let (mut at, mut begun) = (0, 0);
        loop {
            let passed = self.rest.min(bytes.len() - at);
            self.rest -= passed;
            at += passed;
            let Some(byte) = bytes.get(at) else { return begun };
            self.length = self.length << 8 | usize::from(*byte);
            self.known += 1;
            at += 1;
            if self.known == 3 {
                *self = Self { rest: 6 + self.length, ..Self::default() };
                begun += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_counted_however_they_are_cut() {
        let lengths = [0, 1, 5, 300, 70_000, 0, 0, 17];
        let stream: Vec<u8> = lengths
            .iter()
            .flat_map(|length: &u32| {
                [&length.to_be_bytes()[1..], &[0; 6], &vec![0xff; *length as usize]].concat()
            })
            .collect();
        for at_once in [1, 2, 3, 8, 9, 10, 100, stream.len()] {
            let mut frames = Frames::default();
            let counted: usize = stream.chunks(at_once).map(|piece| frames.count(piece)).sum();
            assert_eq!(counted, lengths.len(), "{at_once} bytes at once");
            assert_eq!((frames.rest, frames.known), (0, 0));
        }
    }
}
