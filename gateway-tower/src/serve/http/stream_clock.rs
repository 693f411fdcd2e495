//! The clock of a request of HTTP/2 that waits for its client.
//!
//! Bytes on the connection say nothing about one of its streams: other requests keep it busy, and pings do. Each stream
//! therefore knows whether it is the client's turn, to send more of the request or to take more of the answer, and its task
//! looks at that a few times within the limit. A timer is set only while it may be the client's turn; a backend may take
//! any time, which is for the timeouts of a rule.

use std::cell::Cell;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::task::{ArcWake, AtomicWaker, waker_ref};
use hyper::rt::Executor;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep};

use crate::span::{FOREVER, MOMENT};

/// How often a stream is looked at within the limit.
const LOOKS: u32 = 4;

/// Whose turn it is in one stream, and whether anything has moved.
#[derive(Debug, Default)]
pub(super) struct StreamClock {
    /// A piece of either body has gone through since the last look.
    moved: AtomicBool,
    /// More of the request may come, and the answer has not begun.
    receiving: AtomicBool,
    /// More of the request is wanted, and none has come since.
    wants_body: AtomicBool,
    /// Who wants it.
    waiting: AtomicWaker,
    /// A piece of the answer waits until the client takes it.
    wants_room: AtomicBool,
}

/// The tasks of the streams of one connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Streams {
    limit: Option<Duration>,
}

thread_local! {
    /// The clock of the stream whose task is the next: hyper calls the service, and then starts the task.
    static NEXT: Cell<Option<Arc<StreamClock>>> = const { Cell::new(None) };
}

pin_project! {
    /// A stream, given up when it has waited for its client too long; h2 resets it then.
    struct Watched<F> {
        #[pin]
        stream: F,
        clock: Arc<StreamClock>,
        look: Duration,
        timer: Option<Pin<Box<Sleep>>>,
        waited: u32,
    }
}

// === impl StreamClock ===

impl StreamClock {
    fn new(receiving: bool) -> Self {
        Self { receiving: AtomicBool::new(receiving), ..Self::default() }
    }

    /// Asks for more of the request, and knows when some comes: who wanted it may not be able to take it then, which is not for the client
    /// to answer for.
    pub(super) fn poll_body<T>(
        self: &Arc<Self>,
        cx: &Context<'_>,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        loop {
            // Before it is asked for: some may come while it is.
            self.wants_body.store(true, Ordering::Relaxed);
            let polled = poll(&mut Context::from_waker(&waker_ref(self)));
            if polled.is_ready() {
                self.body_came();
                return polled;
            }
            self.waiting.register(cx.waker());
            // What came before that has woken no task.
            if self.wants_body.load(Ordering::Acquire) {
                return Poll::Pending;
            }
        }
    }

    /// A piece of the request has come.
    fn body_came(&self) {
        self.moved.store(true, Ordering::Relaxed);
        self.wants_body.store(false, Ordering::Release);
    }

    /// No more of the request is wanted, or its answer has begun: then it is for both to say when they are done.
    pub(super) fn received(&self) {
        self.receiving.store(false, Ordering::Relaxed);
    }

    /// The client has taken what there was of the answer.
    pub(super) fn answer_taken(&self) {
        self.wants_room.store(false, Ordering::Relaxed);
        self.moved.store(true, Ordering::Relaxed);
    }

    /// A piece of the answer is there for the client.
    pub(super) fn answer_ready(&self) {
        self.wants_room.store(true, Ordering::Relaxed);
    }

    /// Whether it may become the client's turn without this stream's task being told.
    fn must_be_watched(&self) -> bool {
        self.receiving.load(Ordering::Relaxed) || self.wants_room.load(Ordering::Relaxed)
    }

    fn is_clients_turn(&self) -> bool {
        let sending = self.receiving.load(Ordering::Relaxed) && self.wants_body.load(Ordering::Relaxed);
        sending || self.wants_room.load(Ordering::Relaxed)
    }
}

/// Some of the request has come, or its end.
impl ArcWake for StreamClock {
    fn wake_by_ref(clock: &Arc<Self>) {
        clock.body_came();
        clock.waiting.wake();
    }
}

// === impl Streams ===

impl Streams {
    /// Streams that wait for their client no longer than `limit`, or a quarter more.
    pub(super) fn new(limit: Option<Duration>) -> Self {
        Self { limit }
    }

    /// The clock of a stream that begins; its task must be started next.
    pub(super) fn begin(self, receiving: bool) -> Arc<StreamClock> {
        let clock = Arc::new(StreamClock::new(receiving));
        NEXT.set(Some(Arc::clone(&clock)));
        clock
    }
}

impl<F> Executor<F> for Streams
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        match (self.limit, NEXT.take()) {
            (Some(limit), Some(clock)) => {
                let look = (limit / LOOKS).clamp(MOMENT, FOREVER);
                tokio::spawn(Watched { stream, clock, look, timer: None, waited: 0 });
            }
            (Some(_) | None, _) => {
                tokio::spawn(stream);
            }
        }
    }
}

// === impl Watched ===

impl<F: Future<Output = ()>> Future for Watched<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        if this.stream.poll(cx).is_ready() {
            return Poll::Ready(());
        }
        while this.clock.must_be_watched() {
            let timer = this.timer.get_or_insert_with(|| Box::pin(sleep(*this.look)));
            ready!(timer.as_mut().poll(cx));
            timer.as_mut().reset(Instant::now() + *this.look);
            let stands = !this.clock.moved.swap(false, Ordering::Relaxed) && this.clock.is_clients_turn();
            *this.waited = if stands { *this.waited + 1 } else { 0 };
            if *this.waited == LOOKS {
                tracing::debug!("a client neither sends nor takes anything: the stream is reset");
                return Poll::Ready(());
            }
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use tokio::sync::oneshot;
    use tokio::time::timeout;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(4);

    /// More of the request is wanted, and there is none.
    fn want_body(clock: &Arc<StreamClock>) {
        let polled = clock.poll_body(&Context::from_waker(Waker::noop()), |_| Poll::<()>::Pending);
        assert!(polled.is_pending());
    }

    /// Whether a stream with this clock, whose future never ends, is given up within `time`.
    async fn is_given_up(streams: &Streams, time: Duration) -> bool {
        let (held, mut given_up) = oneshot::channel::<()>();
        streams.execute(async move {
            let _held = held;
            std::future::pending().await
        });
        timeout(time, &mut given_up).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_clients_turn_is_limited() {
        let streams = Streams::new(Some(LIMIT));
        want_body(&streams.begin(true));
        assert!(is_given_up(&streams, LIMIT * 2).await, "more of the request is wanted");
        streams.begin(false).answer_ready();
        assert!(is_given_up(&streams, LIMIT * 2).await, "the answer is not taken");

        let _backends_turn = streams.begin(true);
        assert!(!is_given_up(&streams, LIMIT * 10).await, "the backend takes nothing");
        let answered = streams.begin(true);
        want_body(&answered);
        answered.received();
        assert!(!is_given_up(&streams, LIMIT * 10).await, "the answer has begun");

        let untaken = streams.begin(true);
        want_body(&untaken);
        ArcWake::wake_by_ref(&untaken);
        assert!(!is_given_up(&streams, LIMIT * 10).await, "the backend takes nothing of what has come");
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_of_no_time_is_not_looked_at_without_a_pause() {
        let streams = Streams::new(Some(Duration::ZERO));
        let _backends_turn = streams.begin(true);
        assert!(!is_given_up(&streams, LIMIT).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_may_be_slow() {
        let streams = Streams::new(Some(LIMIT));
        let clock = streams.begin(true);
        want_body(&clock);
        let slow = async {
            for _ in 0..10 {
                sleep(LIMIT / 2).await;
                clock.body_came();
                want_body(&clock);
            }
        };
        let (given_up, ()) = tokio::join!(is_given_up(&streams, LIMIT * 5), slow);
        assert!(!given_up);
    }
}
