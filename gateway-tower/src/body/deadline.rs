//! The time at which a body must have ended.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use gateway_core::exchange::GrpcCode;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::Frame;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep};

use super::BoxError;

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// Which of the two timeouts of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// `timeouts.request`, or the time that a call has by itself: the whole exchange with the client.
    Request,
    /// `timeouts.backendRequest`: one attempt at a backend.
    BackendRequest,
}

/// The answer had begun when its time was over; what is left is to break it off.
///
/// # Spec
/// [TMO-09](gateway_core::spec#TMO-09)
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the response was not complete when the {} timeout expired", .0.as_str())]
pub struct TimedOut(pub Limit);

/// A running timer and what it stands for.
// All of it in a box: what it limits is moved from layer to layer, and few rules have a timeout.
#[derive(Debug)]
pub(crate) struct Deadline(Pin<Box<Timer>>);

pin_project! {
    #[derive(Debug)]
    struct Timer {
        #[pin]
        sleep: Sleep,
        limit: Limit,
        late: Late,
    }
}

/// How a body ends that is not complete when its time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Late {
    /// It breaks.
    Broken,
    /// With trailers that say so: that of an answer to a call of gRPC.
    Told,
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
    /// A timer that runs from now on.
    ///
    /// # Panics
    /// When there is no tokio runtime with a timer.
    pub(crate) fn after(duration: Duration, limit: Limit) -> Self {
        Self(Box::pin(Timer { sleep: sleep(duration), limit, late: Late::Broken }))
    }

    /// The same for an answer to a call of gRPC, whose trailers say that it was late.
    pub(crate) fn told(mut self) -> Self {
        *self.0.as_mut().project().late = Late::Told;
        self
    }

    /// Ready when the time is over.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<TimedOut> {
        let timer = self.0.as_mut().project();
        timer.sleep.poll(cx).map(|()| TimedOut(*timer.limit))
    }

    /// The frame with which the body ends.
    pub(super) fn end(&self) -> Result<Frame<Bytes>, BoxError> {
        match self.0.late {
            Late::Broken => Err(TimedOut(self.0.limit).into()),
            Late::Told => Ok(Frame::trailers(HeaderMap::from_iter([
                (GRPC_STATUS, HeaderValue::from_static(GrpcCode::DeadlineExceeded.as_str())),
                (GRPC_MESSAGE, HeaderValue::from_static("the time for the call is over")),
            ]))),
        }
    }

    /// The one that expires first.
    pub(super) fn earlier(self, other: Self) -> Self {
        if other.expires() < self.expires() { other } else { self }
    }

    fn expires(&self) -> Instant {
        self.0.sleep.deadline()
    }
}
