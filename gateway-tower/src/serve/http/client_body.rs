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
// In a box: most requests have no body, and all are moved from layer to layer.
#[derive(Debug)]
pub struct ClientBody(Option<Box<Arriving>>);

/// A body that is not here yet.
#[derive(Debug)]
struct Arriving {
    incoming: Incoming,
    /// Whether it had ended when it was last asked: each layer asks whether it has, and over HTTP/2 that takes a lock.
    has_ended: bool,
    /// Over HTTP/2.
    clock: Option<Arc<StreamClock>>,
}

/// The client reset the stream before the end of its request.
///
/// It may do so with NO_ERROR, which hyper takes for the end of a body that is not wanted any more; but that is said by
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
        let is_here = incoming.is_end_stream();
        let arriving = Arriving { incoming, has_ended: false, clock };
        Self((!is_here).then(|| Box::new(arriving)))
    }
}

impl Body for ClientBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Some(Arriving { incoming, has_ended, clock }) = self.0.as_deref_mut() else {
            return Poll::Ready(None);
        };
        let mut poll = |cx: &mut Context<'_>| Pin::new(&mut *incoming).poll_frame(cx);
        let frame = match clock {
            Some(clock) => clock.poll_body(cx, poll),
            None => poll(cx),
        };
        let frame = frame.map(|frame| frame.map(|frame| frame.map_err(Into::into)));
        if frame.is_ready() {
            *has_ended = incoming.is_end_stream();
        }
        let Some(clock) = clock else { return frame };
        if *has_ended {
            clock.received();
        }
        match frame {
            Poll::Ready(None) if !*has_ended => Poll::Ready(Some(Err(BrokenOff.into()))),
            frame => frame,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(|arriving| arriving.has_ended)
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or(SizeHint::with_exact(0), |arriving| arriving.incoming.size_hint())
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        if let Some(clock) = &self.clock {
            clock.received();
        }
    }
}
