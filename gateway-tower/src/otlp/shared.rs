//! The state that an outbox and its exporter share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use gateway_core::name::ObjectName;
use opentelemetry_sdk::trace::SpanData;
use tokio::sync::Notify;

use super::waiting::Waiting;

/// What an outbox and its exporter share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    waiting: Mutex<Waiting>,
    /// There is enough for a batch, or no more to come.
    pub(super) wake: Notify,
    closed: AtomicBool,
}

// === impl Shared ===

impl Shared {
    pub(super) fn put(&self, gateway: &ObjectName, span: SpanData) {
        if self.waiting().put(gateway, span) {
            self.wake.notify_one();
        }
    }

    pub(super) fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // It is whole between any two of its steps.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Lets what sends end once nothing waits.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.wake.notify_one();
    }
}
