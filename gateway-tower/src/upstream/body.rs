//! The body of a backend's answer.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

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
pub struct UpstreamBody(Kind);

enum Kind {
    /// Of the few answers that are made here.
    Empty,
    Http1 {
        incoming: Incoming,
        /// None when the connection is back in its pool already.
        connection: Option<Box<dyn Settle + Send>>,
    },
    Http2(Gathered<Http2Body>),
}

/// A connection of HTTP/1.1 that an answer comes over. Dropping it closes it.
pub(super) trait Settle {
    /// The answer has ended, and the connection may be used again.
    fn settle(self: Box<Self>);

    /// When its pieces are read.
    fn pace(&self) -> &Pace;
}

// === impl UpstreamBody ===

impl UpstreamBody {
    pub(super) fn http1(incoming: Incoming, connection: Option<Box<dyn Settle + Send>>) -> Self {
        let mut body = Self(Kind::Http1 { incoming, connection });
        // An answer without body is at its end already, and nobody may ever poll it.
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
        if let Kind::Http1 { incoming, connection } = &mut self.0
            && incoming.is_end_stream()
            && let Some(connection) = connection.take()
        {
            connection.settle();
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
            Kind::Http1 { incoming, connection } => {
                if let Some(connection) = &connection {
                    connection.pace().take();
                }
                let Poll::Ready(frame) = Pin::new(incoming).poll_frame(cx) else {
                    if let Some(connection) = &connection {
                        connection.pace().ask();
                    }
                    return Poll::Pending;
                };
                match &frame {
                    Some(Ok(_)) => self.settle_at_end(),
                    Some(Err(_)) => *connection = None,
                    None => {
                        if let Some(connection) = connection.take() {
                            connection.settle();
                        }
                    }
                }
                Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
            }
            Kind::Http2(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Empty => true,
            Kind::Http1 { incoming, .. } => incoming.is_end_stream(),
            Kind::Http2(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Http1 { incoming, .. } => incoming.size_hint(),
            Kind::Http2(body) => body.size_hint(),
        }
    }
}

impl fmt::Debug for UpstreamBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.0 {
            Kind::Empty => "empty",
            Kind::Http1 { .. } => "HTTP/1.1",
            Kind::Http2(_) => "HTTP/2",
        };
        f.debug_tuple("UpstreamBody").field(&kind).finish()
    }
}
