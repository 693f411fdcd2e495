//! Bytes, passed on in both directions between two streams.
//!
//! A stream that is quiet holds no buffer: bytes are read into one that all streams of a thread share, and only what the
//! other side does not take at once is kept, up to [`MOST`] bytes in each direction.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::TunnelOptions;
use crate::span;

/// The most bytes that are kept in one direction.
const MOST: usize = 32 * 1024;

thread_local! {
    /// What is read into. Nothing stays here from one call to the next.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; MOST].into());
}

/// The bytes that went each way so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Passed {
    /// From the client to the backend.
    pub(crate) up: u64,
    /// Back.
    pub(crate) down: u64,
}

/// How it ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// Both sides have closed, this one first.
    Closed(Side),
    /// Nothing came for too long, or nothing more after one side had closed.
    Quiet,
    /// This side was reset; the other ought to be.
    Reset(Side, io::Error),
}

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Backend,
}

/// One direction.
#[derive(Debug, Default)]
struct Direction {
    /// What was read and not yet written.
    kept: Vec<u8>,
    written: usize,
    unflushed: bool,
    /// Nothing more is to be read.
    ended: bool,
    /// Nothing more is to be done.
    done: bool,
}

/// When a stream is quiet.
struct Clock {
    options: TunnelOptions,
    /// The bytes of both directions, and how many of them have ended, when they were looked at last.
    seen: (u64, bool),
    since: Instant,
}

/// Passes bytes on in both directions until both sides have closed, one is reset, or nothing comes for too long.
///
/// When a side closes, the other is told and may go on. What has gone each way is added to `passed` at once, so that it is known too
/// when this is given up.
pub(crate) async fn copy<C, B>(
    mut client: C,
    mut backend: B,
    options: TunnelOptions,
    passed: &mut Passed,
) -> Ended
where
    C: AsyncRead + AsyncWrite + Unpin,
    B: AsyncRead + AsyncWrite + Unpin,
{
    let (mut up, mut down) = (Direction::default(), Direction::default());
    let mut first = None;
    let mut clock = Clock { options, seen: (0, false), since: Instant::now() };
    let mut alarm: Option<Pin<Box<tokio::time::Sleep>>> = None;
    poll_fn(|cx| {
        let up_done = match up.poll(cx, &mut client, &mut backend, &mut passed.up) {
            Ok(done) => done.is_ready(),
            Err(error) => return Poll::Ready(Ended::Reset(Side::Client, error)),
        };
        first = first.or_else(|| up.ended_by(Side::Client, Side::Backend));
        let down_done = match down.poll(cx, &mut backend, &mut client, &mut passed.down) {
            Ok(done) => done.is_ready(),
            Err(error) => return Poll::Ready(Ended::Reset(Side::Backend, error)),
        };
        first = first.or_else(|| down.ended_by(Side::Backend, Side::Client));
        if up_done && down_done {
            return Poll::Ready(Ended::Closed(first.unwrap_or(Side::Client)));
        }
        let now = (passed.up.wrapping_add(passed.down), up.done || down.done);
        loop {
            let Some(left) = clock.left(now) else { return Poll::Pending };
            if left.is_zero() {
                return Poll::Ready(Ended::Quiet);
            }
            // It is not set again with every byte: when it rings, more may have come.
            let alarm = alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep(left)));
            let nearer = span::from_now(left);
            if alarm.is_elapsed() || alarm.deadline() > nearer {
                alarm.as_mut().reset(nearer);
            }
            if alarm.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    })
    .await
}

// === impl Clock ===

impl Clock {
    /// The time until it has been quiet for too long; no limit without. `now` is what has come, and whether a side has closed.
    fn left(&mut self, now: (u64, bool)) -> Option<Duration> {
        if self.seen != now {
            (self.seen, self.since) = (now, Instant::now());
        }
        let (_, half_closed) = now;
        let limit = match (half_closed, self.options.idle) {
            (false, idle) => idle?,
            (true, Some(idle)) => idle.min(self.options.half_close_timeout),
            (true, None) => self.options.half_close_timeout,
        };
        Some(limit.saturating_sub(self.since.elapsed()))
    }
}

// === impl Direction ===

impl Direction {
    /// Which side has ended it, if one has: what is read of by closing, what is written to by taking nothing any more.
    fn ended_by(&self, reader: Side, writer: Side) -> Option<Side> {
        match self {
            Self { ended: true, .. } => Some(reader),
            Self { done: true, .. } => Some(writer),
            _ => None,
        }
    }

    /// Passes on what there is. Fails when the reader was reset; when the writer was, this direction is over, and what comes the
    /// other way still arrives.
    fn poll<R, W>(
        &mut self,
        cx: &mut Context<'_>,
        reader: &mut R,
        writer: &mut W,
        bytes: &mut u64,
    ) -> io::Result<Poll<()>>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        if self.done {
            return Ok(Poll::Ready(()));
        }
        loop {
            match self.write(cx, writer, bytes) {
                Poll::Pending => return Ok(Poll::Pending),
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => {
                    tracing::debug!(%error, "a side takes nothing any more");
                    self.done = true;
                    return Ok(Poll::Ready(()));
                }
            }
            if self.ended {
                // The other side learns of the end, unless it is gone.
                let shut = Pin::new(&mut *writer).poll_shutdown(cx);
                self.done = shut.is_ready();
                return Ok(shut.map(drop));
            }
            match BUFFER.with_borrow_mut(|buffer| self.read(cx, (reader, writer), buffer, bytes)) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => {
                    if self.unflushed && Pin::new(&mut *writer).poll_flush(cx).is_ready() {
                        self.unflushed = false;
                    }
                    return Ok(Poll::Pending);
                }
            }
        }
    }

    /// Writes all that is kept.
    fn write<W: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        writer: &mut W,
        bytes: &mut u64,
    ) -> Poll<io::Result<()>> {
        while self.written < self.kept.len() {
            let written = ready!(Pin::new(&mut *writer).poll_write(cx, &self.kept[self.written..]))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            (self.written, self.unflushed) = (self.written + written, true);
            *bytes += written as u64;
        }
        (self.kept, self.written) = (Vec::new(), 0);
        Poll::Ready(Ok(()))
    }

    /// Reads once; keeps what the other side does not take at once. Nothing is kept before.
    fn read<R, W>(
        &mut self,
        cx: &mut Context<'_>,
        (reader, writer): (&mut R, &mut W),
        buffer: &mut [u8],
        bytes: &mut u64,
    ) -> Poll<io::Result<()>>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let mut buffer = ReadBuf::new(buffer);
        match ready!(Pin::new(reader).poll_read(cx, &mut buffer)) {
            Ok(()) => {}
            // TLS without a farewell: what came so far is passed on, and then the end.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
            Err(error) => return Poll::Ready(Err(error)),
        }
        let read = buffer.filled();
        self.ended = read.is_empty();
        let written = match read {
            [] => 0,
            read => match Pin::new(writer).poll_write(cx, read) {
                Poll::Ready(Ok(written)) => written,
                // Told with the next write.
                Poll::Ready(Err(_)) | Poll::Pending => 0,
            },
        };
        self.unflushed |= written > 0;
        *bytes += written as u64;
        self.kept = read[written..].to_vec();
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    const OPTIONS: TunnelOptions =
        TunnelOptions { idle: Some(Duration::from_secs(60)), half_close_timeout: Duration::from_secs(5) };

    /// How it ended, and what went each way.
    async fn copied(client: DuplexStream, backend: DuplexStream) -> (Ended, Passed) {
        let mut passed = Passed::default();
        let ended = copy(client, backend, OPTIONS, &mut passed).await;
        (ended, passed)
    }

    #[tokio::test]
    async fn what_one_side_does_not_take_is_kept_and_no_more_is_read() {
        let (mut client, a) = duplex(64);
        let (b, mut backend) = duplex(64);
        let copying = tokio::spawn(copied(a, b));
        let sent: Vec<u8> = (0..100_000u32).map(|i| i as u8).collect();
        let written = tokio::time::timeout(Duration::from_millis(50), client.write_all(&sent)).await;
        assert!(written.is_err(), "the backend reads nothing");
        let mut received = vec![0; 64];
        backend.read_exact(&mut received).await.unwrap();
        assert_eq!(received, sent[..64]);
        drop((client, backend));
        assert!(matches!(copying.await.unwrap(), (Ended::Closed(_), _)));
    }

    // A side that closes may still be answered.
    #[tokio::test]
    async fn each_side_closes_by_itself() {
        let (mut client, a) = duplex(64);
        let (b, mut backend) = duplex(64);
        let copying = tokio::spawn(copied(a, b));
        client.write_all(b"question").await.unwrap();
        client.shutdown().await.unwrap();
        let mut question = String::new();
        backend.read_to_string(&mut question).await.unwrap();
        let answering = async move {
            backend.write_all(&question.to_uppercase().into_bytes().repeat(100)).await.unwrap();
        };
        tokio::spawn(answering);
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "QUESTION".repeat(100));
        assert!(matches!(copying.await.unwrap(), (Ended::Closed(Side::Client), Passed { up: 8, down: 800 })));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_quiet_too_long_ends() {
        let (mut client, a) = duplex(64);
        let (b, _backend) = duplex(64);
        let started = Instant::now();
        let copying = tokio::spawn(copied(a, b));
        tokio::time::sleep(Duration::from_secs(40)).await;
        client.write_all(b"!").await.unwrap();
        assert!(matches!(copying.await.unwrap(), (Ended::Quiet, _)));
        assert_eq!(started.elapsed().as_secs(), 100);

        let (mut client, a) = duplex(64);
        let (b, _backend) = duplex(64);
        let started = Instant::now();
        let copying = tokio::spawn(copied(a, b));
        tokio::time::sleep(Duration::from_secs(1)).await;
        client.shutdown().await.unwrap();
        assert!(matches!(copying.await.unwrap(), (Ended::Quiet, _)));
        assert_eq!(started.elapsed().as_secs(), 6);
    }
}
