//! A socket that is asked for bytes once a turn.
//!
//! hyper asks several times whenever it is polled. A socket that had none at first has none until the runtime has looked, which
//! it does when the task is done; it wakes the task then, be it asked once or ten times.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

/// What is known of a socket in the turn of the task that polls its connection.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    /// The task that polls the connection at present, by its waker; 0 if none does.
    polled_by: AtomicUsize,
    /// It has found nothing to read.
    is_dry: AtomicBool,
}

// === impl Turn ===

impl Turn {
    /// Polls the connection.
    pub(crate) fn poll<R>(&self, cx: &mut Context<'_>, connection: impl FnOnce(&mut Context<'_>) -> R) -> R {
        self.is_dry.store(false, Ordering::Relaxed);
        self.polled_by.store(cx.waker().data().addr(), Ordering::Relaxed);
        let result = connection(cx);
        self.polled_by.store(0, Ordering::Relaxed);
        result
    }

    /// Reads from the socket, unless this task has found nothing there in its turn.
    pub(crate) fn read<R>(
        &self,
        cx: &mut Context<'_>,
        socket: impl FnOnce(&mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        // After an upgrade the socket is another task's, which has no turns.
        let is_turn = self.polled_by.load(Ordering::Relaxed) == cx.waker().data().addr();
        if is_turn && self.is_dry.load(Ordering::Relaxed) {
            return Poll::Pending;
        }
        let read = socket(cx);
        if is_turn && read.is_pending() {
            self.is_dry.store(true, Ordering::Relaxed);
        }
        read
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::Arc;
    use std::task::{Wake, Waker};

    use super::*;

    struct Task;

    impl Wake for Task {
        fn wake(self: Arc<Self>) {}
    }

    #[test]
    fn a_socket_that_has_nothing_is_asked_once_a_turn() {
        let waker = Waker::from(Arc::new(Task));
        let cx = &mut Context::from_waker(&waker);
        let (turn, asked) = (Turn::default(), Cell::new(0));
        let ask = |cx: &mut Context<'_>, has: Poll<()>| {
            turn.read(cx, |_| {
                asked.set(asked.get() + 1);
                has
            })
        };
        for polls in 1..=2 {
            turn.poll(cx, |cx| {
                assert!(ask(cx, Poll::Ready(())).is_ready());
                assert!((0..3).all(|_| ask(cx, Poll::Pending).is_pending()));
            });
            assert_eq!(asked.get(), 2 * polls, "once for what it had, and once for nothing");
        }
    }

    #[test]
    fn whoever_does_not_poll_the_connection_is_not_held_back() {
        let (waker, other) = (Waker::from(Arc::new(Task)), Waker::from(Arc::new(Task)));
        let (cx, other) = (&mut Context::from_waker(&waker), &mut Context::from_waker(&other));
        let turn = Turn::default();
        turn.poll(cx, |cx| {
            assert!(turn.read(cx, |_| Poll::<()>::Pending).is_pending());
            assert!(turn.read(other, |_| Poll::Ready(())).is_ready());
        });
        for _ in 0..2 {
            assert!(turn.read(cx, |_| Poll::<()>::Pending).is_pending());
            assert!(turn.read(cx, |_| Poll::Ready(())).is_ready());
        }
    }
}
