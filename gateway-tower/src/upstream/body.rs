//! The body of a backend's answer.

use std::fmt;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::http2_body::Http2Body;
use super::pace::Pace;
use crate::body::BoxError;
use crate::body::gathered::Gathered;

/// The body of a backend's answer, and the hold on the connection that it comes over.
///
/// Dropping it before its end gives the answer up: over HTTP/1.1 that closes the connection to the backend, over HTTP/2 it
/// resets the stream.
// Small, since answers are moved from layer to layer: what only some have is in a box.
pub struct UpstreamBody(Kind);

enum Kind {
    /// Of an answer that is over, and of the few that are made here.
    Empty,
    /// Over a connection of HTTP/1.1 that is back in its pool already, or in none any more.
    Http1(Incoming),
    /// Over one that is held until the answer has ended.
    Lent(Box<dyn LentBody + Send>),
    Http2(Gathered<Http2Body>),
}

/// The body of an answer, and the connection of HTTP/1.1 that it comes over. Dropping both closes that.
pub(super) trait LentBody {
    /// The body.
    fn incoming(&mut self) -> &mut Incoming;

    /// How large it is.
    fn size_hint(&self) -> SizeHint;

    /// The answer has ended, and the connection may be used again.
    fn settle(self: Box<Self>);

    /// When the pieces of the answer are read.
    fn pace(&self) -> &Pace;
}

// === impl UpstreamBody ===

impl UpstreamBody {
    pub(super) fn http1(incoming: Incoming) -> Self {
        Self(Kind::Http1(incoming))
    }

    pub(super) fn lent(lent: impl LentBody + Send + 'static) -> Self {
        let mut body = Self(Kind::Lent(Box::new(lent)));
        // An answer without body is at its end already, and the server may never poll it.
        body.settle_at_end();
        body
    }

    pub(super) fn http2(body: Http2Body) -> Self {
        Self(Kind::Http2(Gathered::new(body)))
    }

    pub(super) fn empty() -> Self {
        Self(Kind::Empty)
    }

    fn settle_at_end(&mut self) {
        if let Kind::Lent(lent) = &mut self.0
            && lent.incoming().is_end_stream()
        {
            self.settle();
        }
    }

    fn settle(&mut self) {
        if let Kind::Lent(lent) = mem::replace(&mut self.0, Kind::Empty) {
            lent.settle();
        }
    }
}

impl Body for UpstreamBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.0 {
            Kind::Empty => Poll::Ready(None),
            Kind::Http1(incoming) => {
                let frame = ready!(Pin::new(incoming).poll_frame(cx));
                Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
            }
            Kind::Lent(lent) => {
                lent.pace().take();
                let Poll::Ready(frame) = Pin::new(lent.incoming()).poll_frame(cx) else {
                    lent.pace().ask();
                    return Poll::Pending;
                };
                match &frame {
                    Some(Ok(_)) => self.settle_at_end(),
                    Some(Err(_)) => self.0 = Kind::Empty,
                    None => self.settle(),
                }
                Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
            }
            Kind::Http2(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Empty => true,
            Kind::Http1(incoming) => incoming.is_end_stream(),
            // It would be settled.
            Kind::Lent(_) => false,
            Kind::Http2(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Http1(incoming) => incoming.size_hint(),
            Kind::Lent(lent) => lent.size_hint(),
            Kind::Http2(body) => body.size_hint(),
        }
    }
}

impl fmt::Debug for UpstreamBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.0 {
            Kind::Empty => "empty",
            Kind::Http1(_) | Kind::Lent(_) => "HTTP/1.1",
            Kind::Http2(_) => "HTTP/2",
        };
        f.debug_tuple("UpstreamBody").field(&kind).finish()
    }
}
