//! The time at which a body must have ended.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::Sleep;

/// Which of the two timeouts of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// `timeouts.request`: the whole exchange with the client.
    Request,
    /// `timeouts.backendRequest`: one attempt at a backend.
    BackendRequest,
}

/// The answer had begun when its time was over; what is left is to break it off.
///
/// # Spec
/// TMO-09
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the response was not complete when the {} timeout expired", .0.as_str())]
pub struct TimedOut(pub Limit);

/// A running timer and what it stands for.
#[derive(Debug)]
pub(crate) struct Deadline {
    pub(crate) sleep: Pin<Box<Sleep>>,
    pub(crate) limit: Limit,
}

// === impl Limit ===

impl Limit {
    /// The field of the rule's `timeouts`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::BackendRequest => "backendRequest",
        }
    }
}

// === impl Deadline ===

impl Deadline {
    /// Ready when the time is over.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<TimedOut> {
        self.sleep.as_mut().poll(cx).map(|()| TimedOut(self.limit))
    }

    /// The one that expires first.
    pub(super) fn earlier(self, other: Self) -> Self {
        if other.sleep.deadline() < self.sleep.deadline() { other } else { self }
    }
}
