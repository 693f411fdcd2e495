//! The pace at which pieces of an answer over HTTP/1.1 are read, and their size.
//!
//! hyper reads ahead of the reader of the answer, and gets room for the next piece before it knows whether there is one: an
//! answer that its client does not take would be held three times. Large pieces are cheap, and a stalled client must hold
//! little; so that both can be had, a connection whose request was sent rests until the next piece is asked for. In the
//! other direction, the body of a request rests while the backend does not read, as that of an answer does at the server.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use http::Request;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::client::Target;
use crate::connect::Turn;

/// What the ends of a connection say to each other.
#[derive(Debug)]
pub(super) struct Pace {
    /// The piece that was read last was taken, and no other was asked for.
    taken: AtomicBool,
    /// The request is still being sent, which needs the connection.
    sending: AtomicBool,
    /// Whom to wake when a piece is asked for.
    resting: AtomicWaker,
    /// The backend takes no more bytes at present.
    blocked: AtomicBool,
    /// Whom to wake when it does again.
    room: AtomicWaker,
    /// What its socket has.
    turn: Turn,
    /// The most that is read at once.
    piece: AtomicUsize,
    /// The most that a piece may be.
    largest: usize,
}

pin_project! {
    /// A connection that rests. It must be one future of one task.
    pub(super) struct Paced<C> {
        #[pin]
        connection: C,
        pace: Arc<Pace>,
    }
}

/// How large the pieces of an answer may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pieces {
    /// One is held at a time: over HTTP/1.1 the server takes the next when the one before is written.
    Large,
    /// Two are: over HTTP/2 it does so when the one before is nearly written.
    Small,
}

/// The size of small pieces: those that wait for a client of HTTP/2 that does not read, behind what is [gathered](crate::connect::Blocks)
/// to be sent, are to be little. A byte less than the buffer, since hyper doubles one that is filled.
const SMALL: usize = 8 * 1024 - 1;

/// The body of a request, as long as it is being sent.
pub(super) struct Sending<B> {
    body: B,
    /// Where there is one.
    sent: Option<End>,
}

/// Tells that the request was sent, or will not be.
struct End(Arc<Pace>);

// === impl Pace ===

impl Pace {
    /// For pieces of at most `largest` bytes.
    pub(super) fn new(largest: usize) -> Self {
        Self {
            taken: AtomicBool::new(false),
            sending: AtomicBool::new(false),
            resting: AtomicWaker::new(),
            blocked: AtomicBool::new(false),
            room: AtomicWaker::new(),
            turn: Turn::default(),
            piece: AtomicUsize::new(largest),
            largest,
        }
    }

    /// A request begins.
    ///
    /// While it is being sent the connection does not rest, and holds its answer three times.
    pub(super) fn begin<B: Body>(
        self: &Arc<Self>,
        request: Request<B>,
        pieces: Pieces,
    ) -> Request<Sending<B>> {
        let sending = !request.body().is_end_stream();
        let piece = match pieces {
            Pieces::Large if !sending => self.largest,
            Pieces::Large | Pieces::Small => SMALL,
        };
        self.piece.store(piece, Ordering::Relaxed);
        self.sending.store(sending, Ordering::Release);
        let sent = sending.then(|| End(Arc::clone(self)));
        request.map(|body| Sending { body, sent })
    }

    /// What the socket has, as far as that is known.
    pub(super) fn turn(&self) -> &Turn {
        &self.turn
    }

    /// The most to read at once.
    pub(super) fn piece(&self) -> usize {
        self.piece.load(Ordering::Relaxed)
    }

    /// The next piece is about to be taken. Before it is: afterwards another might be read already.
    pub(super) fn take(&self) {
        self.taken.store(true, Ordering::Release);
    }

    /// There was none, or the answer is over: the connection goes on.
    pub(super) fn ask(&self) {
        self.taken.store(false, Ordering::Release);
        self.resting.wake();
    }

    /// The backend takes no more bytes; the next [that go](Self::set_free) end this.
    pub(super) fn set_blocked(&self) {
        self.blocked.store(true, Ordering::Relaxed);
    }

    /// Bytes have gone to the backend.
    pub(super) fn set_free(&self) {
        if self.blocked.load(Ordering::Relaxed) {
            self.blocked.store(false, Ordering::Release);
            self.room.wake();
        }
    }

    /// Waits until the backend takes bytes.
    fn poll_room(&self, cx: &Context<'_>) -> Poll<()> {
        if !self.blocked.load(Ordering::Relaxed) {
            return Poll::Ready(());
        }
        self.room.register(cx.waker());
        // It may have changed before there was a waker to wake.
        if self.blocked.load(Ordering::Acquire) { Poll::Pending } else { Poll::Ready(()) }
    }

    fn rests(&self) -> bool {
        self.taken.load(Ordering::Acquire) && !self.sending.load(Ordering::Acquire)
    }

    fn poll_asked(&self, cx: &Context<'_>) -> Poll<()> {
        if !self.rests() {
            return Poll::Ready(());
        }
        self.resting.register(cx.waker());
        // It may have been asked before there was a waker to wake.
        if self.rests() { Poll::Pending } else { Poll::Ready(()) }
    }
}

// === impl Pieces ===

impl Pieces {
    /// Of the answer to a request on its way to `target`.
    pub(super) fn from_target(target: Target<'_>) -> Self {
        if target.is_multiplexed { Self::Small } else { Self::Large }
    }
}

// === impl Paced ===

impl<C> Paced<C> {
    pub(super) fn new(connection: C, pace: Arc<Pace>) -> Self {
        Self { connection, pace }
    }
}

impl<C: Future> Future for Paced<C> {
    type Output = C::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<C::Output> {
        let this = self.project();
        ready!(this.pace.poll_asked(cx));
        this.pace.turn.poll(cx, |cx| this.connection.poll(cx))
    }
}

// === impl Sending ===

impl<B> Sending<B> {
    /// The body that was to be sent.
    pub(super) fn into_inner(self) -> B {
        self.body
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Sending<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        if let Some(End(pace)) = &self.sent {
            ready!(pace.poll_room(cx));
        }
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

// === impl End ===

impl Drop for End {
    fn drop(&mut self) {
        self.0.sending.store(false, Ordering::Release);
    }
}
