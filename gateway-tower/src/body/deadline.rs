//! The time at which a body must have ended.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use gateway_core::exchange::GrpcCode;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::Frame;
use tokio::time::Sleep;

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
#[derive(Debug)]
pub(crate) struct Deadline {
    pub(crate) sleep: Pin<Box<Sleep>>,
    pub(crate) limit: Limit,
    pub(crate) late: Late,
}

/// How a body ends that is not complete when its time is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Late {
    /// It breaks.
    #[default]
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
    /// Ready when the time is over.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<TimedOut> {
        self.sleep.as_mut().poll(cx).map(|()| TimedOut(self.limit))
    }

    /// The frame with which the body ends.
    pub(super) fn end(&self) -> Result<Frame<Bytes>, BoxError> {
        match self.late {
            Late::Broken => Err(TimedOut(self.limit).into()),
            Late::Told => Ok(Frame::trailers(HeaderMap::from_iter([
                (GRPC_STATUS, HeaderValue::from_static(GrpcCode::DeadlineExceeded.as_str())),
                (GRPC_MESSAGE, HeaderValue::from_static("the time for the call is over")),
            ]))),
        }
    }

    /// The one that expires first.
    pub(super) fn earlier(self, other: Self) -> Self {
        if other.sleep.deadline() < self.sleep.deadline() { other } else { self }
    }
}
