//! The body of an answer over HTTP/2.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::task::{ArcWake, AtomicWaker, waker_ref};
use h2::RecvStream;
use http_body::{Body, Frame, SizeHint};

use super::http2_connection::Place;
use super::http2_readers::Reader;
use super::http2_untaken::Untaken;
use super::http2_upload::Rest;

/// So many bytes of a window are opened at once where more has come already, since each time takes a lock.
const WINDOW_AT_ONCE: usize = 8 * 1024;

/// The body of an answer over HTTP/2.
pub(super) struct Http2Body {
    answer: Arc<Answer>,
    /// Whether it was over when it was last asked: each layer asks whether it is, and each time would take two locks.
    is_over: bool,
}

/// An answer, for its body and for the connection that it comes over.
struct Answer {
    /// More may have come than the stream was found to have.
    came: AtomicBool,
    /// The task that waits for it.
    waiting: AtomicWaker,
    arrived: Mutex<Arrived>,
}

struct Arrived {
    /// Until the body is dropped, since the stream knows a waker that knows this.
    stream: Option<RecvStream>,
    /// What was taken out of the stream while the body was not asked.
    untaken: Untaken,
    data_ended: bool,
    /// The bytes of the window that the last pieces take, until the next is asked for and a while longer.
    taken: usize,
    /// What is held until the end.
    held: Option<(Place, Option<Rest>)>,
}

/// The backend, or its connection, broke an answer off.
///
/// It does not give the error of HTTP/2 as its source: the server would reset the client's stream for the same reason. To the
/// client REFUSED_STREAM would mean that nothing was processed, and NO_ERROR that the answer is whole.
#[derive(Debug, thiserror::Error)]
#[error("the answer broke off: {0}")]
pub(super) struct BrokenOff(h2::Error);

// === impl Http2Body ===

impl Http2Body {
    pub(super) fn new(stream: RecvStream, place: Place, rest: Option<Rest>) -> Self {
        let is_over = stream.is_end_stream();
        let held = (!is_over).then_some((place, rest));
        let arrived =
            Arrived { stream: Some(stream), untaken: Untaken::default(), data_ended: false, taken: 0, held };
        let answer = Arc::new(Answer {
            came: AtomicBool::new(true),
            waiting: AtomicWaker::new(),
            arrived: Mutex::new(arrived),
        });
        if let Some((place, _)) = &answer.arrived().held {
            place.readers().add(Arc::clone(&answer) as Arc<dyn Reader>);
        }
        Self { answer, is_over }
    }
}

impl Body for Http2Body {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let this = &mut *self;
        if this.is_over {
            return Poll::Ready(None);
        }
        let answer = &this.answer;
        let arrived = &mut *answer.arrived();
        if !arrived.data_ended {
            // No earlier: what a client has not taken is to count for the window.
            arrived.open_window(WINDOW_AT_ONCE);
            let data = match arrived.untaken.pop() {
                Some(data) => Some(Ok(data)),
                None => ready!(answer.poll_or_wait(arrived, cx, RecvStream::poll_data)),
            };
            match data {
                Some(Ok(data)) => {
                    arrived.taken += data.len();
                    arrived.heard();
                    this.is_over = arrived.is_over();
                    if this.is_over {
                        answer.let_go(arrived);
                    }
                    return Poll::Ready(Some(Ok(Frame::data(data))));
                }
                Some(Err(error)) => {
                    answer.let_go(arrived);
                    return Poll::Ready(Some(Err(BrokenOff(error))));
                }
                None => arrived.data_ended = true,
            }
        }
        let trailers = ready!(
            answer.poll_or_wait(arrived, cx, |stream, cx| stream.poll_trailers(cx).map(Result::transpose))
        );
        arrived.heard();
        answer.let_go(arrived);
        this.is_over = true;
        Poll::Ready(trailers.map(|trailers| trailers.map(Frame::trailers).map_err(BrokenOff)))
    }

    fn is_end_stream(&self) -> bool {
        self.is_over
    }

    fn size_hint(&self) -> SizeHint {
        // Where the length is known it is among the headers.
        if self.is_over { SizeHint::with_exact(0) } else { SizeHint::default() }
    }
}

impl Drop for Http2Body {
    fn drop(&mut self) {
        let arrived = &mut *self.answer.arrived();
        self.answer.let_go(arrived);
        arrived.stream = None;
    }
}

// === impl Answer ===

impl Answer {
    fn arrived(&self) -> MutexGuard<'_, Arrived> {
        self.arrived.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is held until the end is held no longer.
    fn let_go(self: &Arc<Self>, arrived: &mut Arrived) {
        if let Some((place, _)) = arrived.held.take() {
            place.readers().remove(self);
        }
    }

    /// Asks the stream for what comes next of it.
    fn poll_stream<T>(
        self: &Arc<Self>,
        arrived: &mut Arrived,
        poll: impl FnOnce(&mut RecvStream, &mut Context<'_>) -> Poll<Option<T>>,
    ) -> Poll<Option<T>> {
        let Some(stream) = &mut arrived.stream else { return Poll::Ready(None) };
        self.came.store(false, Ordering::Release);
        let next = ready!(poll(stream, &mut Context::from_waker(&waker_ref(self))));
        self.came.store(true, Ordering::Release);
        Poll::Ready(next)
    }

    /// The same for the body's task, which is woken if nothing has come.
    fn poll_or_wait<T>(
        self: &Arc<Self>,
        arrived: &mut Arrived,
        cx: &Context<'_>,
        poll: impl Fn(&mut RecvStream, &mut Context<'_>) -> Poll<Option<T>>,
    ) -> Poll<Option<T>> {
        loop {
            if let Poll::Ready(next) = self.poll_stream(arrived, &poll) {
                return Poll::Ready(next);
            }
            arrived.open_window(1);
            self.waiting.register(cx.waker());
            // What came before that has woken no task.
            if !self.came.load(Ordering::Acquire) {
                return Poll::Pending;
            }
        }
    }
}

impl ArcWake for Answer {
    fn wake_by_ref(answer: &Arc<Self>) {
        answer.came.store(true, Ordering::Release);
        answer.waiting.wake();
    }
}

impl Reader for Answer {
    fn has_come(&self) -> bool {
        self.came.load(Ordering::Acquire)
    }

    fn take(self: Arc<Self>) {
        let Ok(mut arrived) = self.arrived.try_lock() else { return };
        // The end, or what went wrong, the stream tells again.
        while !arrived.data_ended
            && let Poll::Ready(Some(Ok(data))) = self.poll_stream(&mut arrived, RecvStream::poll_data)
        {
            arrived.untaken.push(data);
        }
    }
}

// === impl Arrived ===

impl Arrived {
    /// What was taken has room again, if it is at least so many bytes.
    fn open_window(&mut self, least: usize) {
        if self.taken >= least
            && let Some(stream) = &mut self.stream
        {
            // Fails only for a stream that is over.
            let _ = stream.flow_control().release_capacity(std::mem::take(&mut self.taken));
        }
    }

    fn is_over(&self) -> bool {
        self.untaken.is_empty() && self.stream.as_ref().is_none_or(RecvStream::is_end_stream)
    }

    fn heard(&mut self) {
        if let Some((place, _)) = &mut self.held {
            place.heard();
        }
    }
}
