//! The body of a request as it comes from the client.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::stream_clock::StreamClock;
use crate::body::BoxError;

/// The body of a request as it comes from the client.
#[derive(Debug)]
pub struct ClientBody {
    incoming: Incoming,
    /// Over HTTP/2.
    clock: Option<Arc<StreamClock>>,
}

/// The client reset the stream before the end of its request.
///
/// It may do so with NO_ERROR, which hyper takes for the end of a body that nobody wants any more; but that is said by
/// servers, and half a request must not look whole to the backend.
///
/// # Spec
/// RFC 9113 section 8.1.
#[derive(Debug, thiserror::Error)]
#[error("the client broke the request off")]
struct BrokenOff;

// === impl ClientBody ===

impl ClientBody {
    pub(super) fn new(incoming: Incoming, clock: Option<Arc<StreamClock>>) -> Self {
        Self { incoming, clock }
    }
}

impl Body for ClientBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let frame = Pin::new(&mut this.incoming).poll_frame(cx);
        let frame = frame.map(|frame| frame.map(|frame| frame.map_err(Into::into)));
        let Some(clock) = &this.clock else { return frame };
        clock.body_polled(frame.is_pending());
        match frame {
            Poll::Ready(None) if !this.incoming.is_end_stream() => Poll::Ready(Some(Err(BrokenOff.into()))),
            frame => frame,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl Drop for ClientBody {
    fn drop(&mut self) {
        if let Some(clock) = &self.clock {
            clock.received();
        }
    }
}
