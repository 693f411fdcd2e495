//! The state of a request's body while it comes in, for those on its way that do not see the body itself.
//!
//! A body that ends too early or is framed wrongly is an error on its way to the backend, and a client tells that error like
//! any other of the attempt. Whether the body [broke](Inflow::is_broken) is therefore noted where it is read, so that the backend is
//! not blamed.
//!
//! A client that announces a body and waits for 100 is told to send it as soon as the body is read. So a client that forwards
//! the question [holds](Inflow::hold) the body until the backend has answered it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

/// What is known of the body of a request; in the extensions of the request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inflow(Arc<State>);

#[derive(Debug, Default)]
struct State {
    broken: AtomicBool,
    held: AtomicBool,
    /// Who waits for the body while it is held.
    waiting: Mutex<Option<Waker>>,
}

// === impl Inflow ===

impl Inflow {
    /// The body broke.
    pub(super) fn note_broken(&self) {
        self.0.broken.store(true, Ordering::Relaxed);
    }

    /// Whether it did.
    pub(crate) fn is_broken(&self) -> bool {
        self.0.broken.load(Ordering::Relaxed)
    }

    /// From now on the body is not read.
    #[cfg_attr(
        not(feature = "client"),
        allow(dead_code, reason = "only our own client knows when to release it")
    )]
    pub(crate) fn hold(&self) {
        self.0.held.store(true, Ordering::Release);
    }

    /// From now on it is.
    #[cfg_attr(not(feature = "client"), allow(dead_code, reason = "only our own client holds it"))]
    pub(crate) fn release(&self) {
        self.0.held.store(false, Ordering::Release);
        let waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(waiting) = waiting {
            waiting.wake();
        }
    }

    /// Waits until the body may be read.
    pub(super) fn poll_released(&self, cx: &Context<'_>) -> Poll<()> {
        if !self.0.held.load(Ordering::Acquire) {
            return Poll::Ready(());
        }
        *self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner) = Some(cx.waker().clone());
        // It may have been released before there was a waker to wake.
        if self.0.held.load(Ordering::Acquire) { Poll::Pending } else { Poll::Ready(()) }
    }
}
