//! A byte stream that is read and written in large blocks, for HTTP/2.
//!
//! h2 reads into what is left of a few KiB, and writes each frame of a body by itself: at 16 KiB a frame and less, calls of the kernel
//! cost more than all else. Here one call brings what has come, and what is written goes when the connection has nothing more
//! to write, or enough.
//!
//! The surprising case: flushing sends nothing. It is for the task that polls the connection to [send](Blocks::poll_send) afterwards; what
//! goes wrong then, the next flush tells.
//!
//! A stream that is quiet holds no buffer. One whose peer does not read holds up to [`ENOUGH`] bytes more than it would otherwise, and
//! the [`BLOCK`] that was read last where the connection reads no further: until it could answer a PING, for one.

use std::cell::Cell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The most bytes read at once: what the window of a stream lets through.
const BLOCK: usize = 64 * 1024;

/// The bytes that are gathered at most: a frame of the usual length or three of half that, and some small ones. They go together
/// with what there is no room for, so that some 32 KiB are sent at once.
const ENOUGH: usize = 25 * 1024;

/// The same within TLS, where what was sent may wait once more, in records: a frame, and some small ones.
const ENOUGH_WITHIN_TLS: usize = 17 * 1024;

/// So many bytes gathered at once are likely to be followed by more, which is waited for until the other tasks that are ready have
/// run.
const BULK: usize = 8 * 1024;

thread_local! {
    /// What is read into, unless a connection has kept it: allocated once rather than for each read.
    static BLOCK_TO_READ: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
    /// The same for what is gathered.
    static BLOCK_TO_SEND: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A stream and what was read ahead of it, or is not sent yet. Clones are the same stream: one is the connection's, one is with
/// the task that polls it.
#[derive(Debug)]
pub(crate) struct Blocks<T>(Arc<Mutex<Inner<T>>>);

#[derive(Debug)]
struct Inner<T> {
    io: T,
    ahead: Ahead,
    /// What is to be sent, behind the first so many bytes of it, which were.
    unsent: Vec<u8>,
    sent: usize,
    /// The most bytes to gather.
    enough: usize,
    /// Those gathered since the last look.
    gathered: usize,
    unflushed: bool,
    /// Why sending failed.
    failed: Option<io::Error>,
}

/// What was read and not asked for yet.
#[derive(Debug, Default)]
struct Ahead {
    block: Box<[u8]>,
    start: usize,
    end: usize,
}

// === impl Blocks ===

impl<T> Blocks<T> {
    pub(crate) fn new(io: T, secure: bool) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            io,
            ahead: Ahead::default(),
            unsent: Vec::new(),
            sent: 0,
            enough: if secure { ENOUGH_WITHIN_TLS } else { ENOUGH },
            gathered: 0,
            unflushed: false,
            failed: None,
        })))
    }

    /// One task has all clones, so that none waits.
    fn inner(&self) -> MutexGuard<'_, Inner<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: AsyncWrite + Unpin> Blocks<T> {
    /// Sends what the connection has written, to be called whenever it was polled. After much was written the task is woken instead,
    /// to ask the connection for more before it is sent.
    pub(crate) fn poll_send(&self, cx: &mut Context<'_>) {
        let mut inner = self.inner();
        let gathered = std::mem::take(&mut inner.gathered);
        if gathered >= BULK && !inner.unsent.is_empty() {
            cx.waker().wake_by_ref();
            return;
        }
        if let Poll::Ready(Err(error)) = inner.poll_flush(cx) {
            // The connection is told when it flushes.
            inner.failed = Some(error);
            cx.waker().wake_by_ref();
        }
    }
}

impl<T> Clone for Blocks<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Blocks<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let inner = &mut *self.inner();
        if inner.ahead.is_empty() {
            if buf.remaining() >= BLOCK {
                return Pin::new(&mut inner.io).poll_read(cx, buf);
            }
            let mut block = BLOCK_TO_READ.take().unwrap_or_else(|| vec![0; BLOCK].into());
            let mut read = ReadBuf::new(&mut block);
            let result = Pin::new(&mut inner.io).poll_read(cx, &mut read);
            let end = read.filled().len();
            inner.ahead = Ahead { block, start: 0, end };
            if !matches!(result, Poll::Ready(Ok(()))) {
                inner.ahead.take(buf);
                return result;
            }
        }
        inner.ahead.take(buf);
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Blocks<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.inner().poll_write(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.inner().poll_write(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.inner().failed.take().map_or(Ok(()), Err))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let inner = &mut *self.inner();
        ready!(inner.poll_flush(cx))?;
        Pin::new(&mut inner.io).poll_shutdown(cx)
    }
}

// === impl Inner ===

impl<T: AsyncWrite + Unpin> Inner<T> {
    /// Gathers what there is room for; anything else goes at once, behind what was gathered.
    fn poll_write(&mut self, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let length = bufs.iter().map(|buf| buf.len()).sum::<usize>();
        if self.unsent.len() + length <= self.enough {
            if self.unsent.is_empty() {
                self.unsent = BLOCK_TO_SEND.take();
                self.unsent.reserve_exact(self.enough);
            }
            bufs.iter().for_each(|buf| self.unsent.extend_from_slice(buf));
            self.gathered += length;
            return Poll::Ready(Ok(length));
        }
        loop {
            let first = &self.unsent[self.sent..];
            let waiting = first.len();
            // The head of a frame, and its body.
            let mut all = [IoSlice::new(first), IoSlice::new(&[]), IoSlice::new(&[])];
            all[1..].iter_mut().zip(bufs).for_each(|(place, buf)| *place = *buf);
            let skipped = usize::from(waiting == 0);
            let sent = ready!(Pin::new(&mut self.io).poll_write_vectored(cx, &all[skipped..]))?;
            self.unflushed = true;
            if sent < waiting {
                self.sent += sent;
            } else {
                self.give_back();
            }
            if sent == 0 || sent > waiting {
                return Poll::Ready(Ok(sent.saturating_sub(waiting)));
            }
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_unsent(cx))?;
        if self.unflushed {
            ready!(Pin::new(&mut self.io).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Sends what was gathered.
    fn poll_unsent(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.sent < self.unsent.len() {
            let sent = ready!(Pin::new(&mut self.io).poll_write(cx, &self.unsent[self.sent..]))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            (self.sent, self.unflushed) = (self.sent + sent, true);
        }
        self.give_back();
        Poll::Ready(Ok(()))
    }

    /// All that was gathered is sent.
    fn give_back(&mut self) {
        self.sent = 0;
        let mut block = std::mem::take(&mut self.unsent);
        if block.capacity() > 0 {
            block.clear();
            BLOCK_TO_SEND.set(block);
        }
    }
}

// === impl Ahead ===

impl Ahead {
    fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Moves what there is room for into `buf`. The block is given back with the last of it.
    fn take(&mut self, buf: &mut ReadBuf<'_>) {
        let now = buf.remaining().min(self.end - self.start);
        buf.put_slice(&self.block[self.start..self.start + now]);
        self.start += now;
        if self.is_empty() {
            BLOCK_TO_READ.set(Some(std::mem::take(self).block));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Wake, Waker};

    use super::*;

    /// One end of a connection, and what was asked of it.
    #[derive(Default)]
    struct Peer {
        /// What there is to read.
        to_read: Vec<u8>,
        reads: usize,
        /// The lengths of what was sent.
        sent: Vec<usize>,
        /// How many more bytes it takes, if not any number.
        room: Option<usize>,
        is_broken: bool,
        is_shut_down: bool,
    }

    impl AsyncRead for Peer {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            self.reads += 1;
            if self.to_read.is_empty() {
                return Poll::Pending;
            }
            let now = self.to_read.len().min(buf.remaining());
            buf.put_slice(&self.to_read[..now]);
            self.to_read.drain(..now);
            Poll::Ready(Ok(()))
        }
    }

    impl AsyncWrite for Peer {
        fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
            self.poll_write_vectored(cx, &[IoSlice::new(buf)])
        }

        fn poll_write_vectored(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bufs: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            if self.is_broken {
                return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
            }
            let mut length = bufs.iter().map(|buf| buf.len()).sum::<usize>();
            if let Some(room) = &mut self.room {
                if *room == 0 {
                    return Poll::Pending;
                }
                length = length.min(*room);
                *room -= length;
            }
            self.sent.push(length);
            Poll::Ready(Ok(length))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.is_shut_down = true;
            Poll::Ready(Ok(()))
        }
    }

    /// How often the task was woken.
    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Writes and flushes, as h2 does with a frame. What was taken of it.
    fn write(blocks: &Blocks<Peer>, cx: &mut Context<'_>, frame: &[u8]) -> Poll<usize> {
        let mut blocks = blocks.clone();
        let (head, body) = frame.split_at(frame.len().min(9));
        let bufs = [IoSlice::new(head), IoSlice::new(body)];
        let written = ready!(Pin::new(&mut blocks).poll_write_vectored(cx, &bufs)).unwrap();
        assert!(Pin::new(&mut blocks).poll_flush(cx).is_ready());
        Poll::Ready(written)
    }

    #[test]
    fn frames_go_together_when_the_connection_was_polled() {
        let blocks = Blocks::new(Peer::default(), false);
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let cx = &mut Context::from_waker(&waker);
        for length in [100, 9, 50] {
            assert_eq!(write(&blocks, cx, &vec![0; length]), Poll::Ready(length));
        }
        assert_eq!(blocks.inner().io.sent, [0; 0]);
        blocks.poll_send(cx);
        assert_eq!(blocks.inner().io.sent, [159]);
        assert_eq!(woken.0.load(Ordering::Relaxed), 0);

        assert_eq!(write(&blocks, cx, &[0; BULK]), Poll::Ready(BULK));
        blocks.poll_send(cx);
        assert_eq!((blocks.inner().io.sent.len(), woken.0.load(Ordering::Relaxed)), (1, 1), "more may come");
        assert_eq!(write(&blocks, cx, &[0; 9]), Poll::Ready(9));
        blocks.poll_send(cx);
        assert_eq!(blocks.inner().io.sent, [159, BULK + 9]);
        assert_eq!(blocks.inner().unsent.capacity(), 0, "a quiet stream holds nothing");
    }

    #[test]
    fn what_there_is_no_room_for_goes_with_what_was_gathered() {
        const FRAME: usize = 9 + 16 * 1024;
        let blocks = Blocks::new(Peer { room: Some(0), ..Peer::default() }, false);
        let cx = &mut Context::from_waker(Waker::noop());
        let frame = [0; FRAME];
        assert_eq!(write(&blocks, cx, &frame), Poll::Ready(FRAME));
        assert_eq!(write(&blocks, cx, &frame), Poll::Pending);
        assert_eq!(blocks.inner().unsent.len(), FRAME, "no more is held");
        blocks.inner().io.room = Some(10);
        assert_eq!(write(&blocks, cx, &frame), Poll::Pending);
        blocks.inner().io.room = Some(FRAME);
        assert_eq!(write(&blocks, cx, &frame), Poll::Ready(10));
        blocks.inner().io.room = None;
        assert_eq!(write(&blocks, cx, &frame), Poll::Ready(FRAME));
        assert_eq!(write(&blocks, cx, &frame), Poll::Ready(FRAME));
        assert_eq!(blocks.inner().io.sent, [10, FRAME, 2 * FRAME]);
    }

    #[test]
    fn what_goes_wrong_the_next_flush_tells() {
        let blocks = Blocks::new(Peer { is_broken: true, ..Peer::default() }, false);
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let cx = &mut Context::from_waker(&waker);
        assert_eq!(write(&blocks, cx, &[0; 9]), Poll::Ready(9));
        blocks.poll_send(cx);
        assert_eq!(woken.0.load(Ordering::Relaxed), 1, "the connection is polled again");
        let Poll::Ready(Err(error)) = Pin::new(&mut blocks.clone()).poll_flush(cx) else { panic!() };
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn all_is_sent_before_the_end() {
        let mut blocks = Blocks::new(Peer::default(), false);
        let cx = &mut Context::from_waker(Waker::noop());
        assert_eq!(write(&blocks, cx, &[0; BULK]), Poll::Ready(BULK));
        assert!(Pin::new(&mut blocks).poll_shutdown(cx).is_ready());
        let inner = blocks.inner();
        assert_eq!((&*inner.io.sent, inner.io.is_shut_down), (&[BULK][..], true));
    }

    #[test]
    fn what_has_come_is_read_at_once_and_taken_bit_by_bit() {
        let bytes: Vec<u8> = (0..30_000_u32).map(|i| i as u8).collect();
        let mut blocks = Blocks::new(Peer { to_read: bytes.clone(), ..Peer::default() }, false);
        let cx = &mut Context::from_waker(Waker::noop());
        let mut taken = Vec::new();
        while taken.len() < bytes.len() {
            let mut buf = [0; 8 * 1024];
            let mut buf = ReadBuf::new(&mut buf);
            assert!(Pin::new(&mut blocks).poll_read(cx, &mut buf).is_ready());
            taken.extend_from_slice(buf.filled());
        }
        assert_eq!(taken, bytes);
        assert_eq!(blocks.inner().io.reads, 1);
        assert!(blocks.inner().ahead.block.is_empty(), "a quiet stream holds nothing");
        assert!(Pin::new(&mut blocks).poll_read(cx, &mut ReadBuf::new(&mut [0; 10])).is_pending());
        assert!(blocks.inner().ahead.block.is_empty(), "nor does one that is waited for");
    }
}
