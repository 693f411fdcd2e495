//! The body of a backend's answer.

use std::any::Any;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::http2_pool::StreamLease;

/// The body of a backend's answer, and the hold on the connection that it comes over.
///
/// Dropping it before its end gives the answer up: over HTTP/1.1 that closes the connection to the backend.
pub struct UpstreamBody {
    /// None for the few answers that are made here.
    incoming: Option<Incoming>,
    lease: Lease,
}

/// What is to be done when the body has ended: dropping this does it.
#[expect(dead_code, reason = "held for what happens when it is dropped")]
pub(super) enum Lease {
    /// Nothing: the connection is back in its pool already.
    None,
    /// Puts a connection of HTTP/1.1 back.
    Connection(Box<dyn Any + Send>),
    /// Frees a stream of HTTP/2.
    Stream(StreamLease),
}

// === impl UpstreamBody ===

impl UpstreamBody {
    pub(super) fn new(incoming: Incoming, lease: Lease) -> Self {
        // An answer without body is at its end already, and nobody may ever poll it.
        let lease = if incoming.is_end_stream() { Lease::None } else { lease };
        Self { incoming: Some(incoming), lease }
    }

    pub(super) fn empty() -> Self {
        Self { incoming: None, lease: Lease::None }
    }
}

impl Body for UpstreamBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        let Some(incoming) = &mut this.incoming else {
            return Poll::Ready(None);
        };
        let frame = ready!(Pin::new(&mut *incoming).poll_frame(cx));
        if !matches!(frame, Some(Ok(_))) || incoming.is_end_stream() {
            this.lease = Lease::None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map_or(SizeHint::with_exact(0), Body::size_hint)
    }
}

impl fmt::Debug for UpstreamBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamBody").field("incoming", &self.incoming).finish_non_exhaustive()
    }
}
