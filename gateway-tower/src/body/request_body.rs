//! The body that is sent to a backend.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::BoxError;

pin_project! {
    /// The body of a request as a client is given it: the body that arrived, or nothing.
    #[derive(Debug)]
    pub struct RequestBody<B> {
        #[pin]
        kind: Kind<B>,
    }
}

pin_project! {
    #[project = KindProjected]
    #[derive(Debug)]
    enum Kind<B> {
        Empty,
        Streaming { #[pin] body: B },
    }
}

// === impl RequestBody ===

impl<B> RequestBody<B> {
    /// No body.
    pub fn empty() -> Self {
        Self { kind: Kind::Empty }
    }
}

impl<B: Body> RequestBody<B> {
    /// The body that arrived.
    pub fn new(body: B) -> Self {
        if body.is_end_stream() { Self::empty() } else { Self { kind: Kind::Streaming { body } } }
    }
}

impl<B> Default for RequestBody<B> {
    fn default() -> Self {
        Self::empty()
    }
}

impl<B> Body for RequestBody<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.project().kind.project() {
            KindProjected::Empty => Poll::Ready(None),
            KindProjected::Streaming { body } => body.poll_frame(cx).map_err(Into::into),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Empty => true,
            Kind::Streaming { body } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Streaming { body } => body.size_hint(),
        }
    }
}
