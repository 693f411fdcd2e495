//! The body that is sent to a backend.

use std::fmt;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::copy::{Copy, CopySender};
use super::inflow::Inflow;
use super::replay::Replayed;
use super::{BoxError, trailers};

pin_project! {
    /// The body of a request as a client is given it.
    ///
    /// Almost always it is the body that arrived, or nothing. Where a rule says so, it is copied for mirrors while it
    /// streams, or kept for a retry.
    pub struct RequestBody<B> {
        #[pin]
        kind: Kind<B>,
    }
}

pin_project! {
    #[project = KindProjected]
    enum Kind<B> {
        Empty,
        Streaming { #[pin] body: B, inflow: Inflow },
        /// What streams is copied for mirrors.
        Copied { #[pin] body: B, inflow: Inflow, copies: Vec<CopySender> },
        /// What a mirror gets.
        Copy { copy: Copy },
        /// What was read to its end before it is sent.
        Whole { data: Bytes, trailers: Option<Box<HeaderMap>> },
        /// What an attempt gets that may be repeated.
        Replayed { #[pin] replayed: Replayed<RequestBody<B>> },
    }
}

// === impl RequestBody ===

impl<B> RequestBody<B> {
    /// No body.
    pub fn empty() -> Self {
        Self { kind: Kind::Empty }
    }

    /// A body that is all here.
    pub(crate) fn whole(data: Bytes, trailers: Option<HeaderMap>) -> Self {
        match (data.is_empty(), trailers) {
            (true, None) => Self::empty(),
            (_, trailers) => Self { kind: Kind::Whole { data, trailers: trailers.map(Box::new) } },
        }
    }

    pub(crate) fn copy(copy: Copy) -> Self {
        Self { kind: Kind::Copy { copy } }
    }

    /// What one attempt reads of a body that others may read again.
    pub(crate) fn replayed(replayed: Replayed<Self>) -> Self {
        Self { kind: Kind::Replayed { replayed } }
    }

    /// Copies to `copies` what streams from now on; only the body that arrived can be copied, be it all here.
    pub(crate) fn copied_to(self, copies: Vec<CopySender>) -> Self {
        match self.kind {
            Kind::Streaming { body, inflow } => Self { kind: Kind::Copied { body, inflow, copies } },
            // Nothing streams, so the copies are complete.
            Kind::Empty => {
                copies.into_iter().for_each(CopySender::finish);
                self
            }
            Kind::Whole { data, trailers } => {
                for mut copy in copies {
                    let trailers = trailers.as_deref().cloned().map(Frame::trailers);
                    if copy.send(&Frame::data(data.clone())) && trailers.is_none_or(|it| copy.send(&it)) {
                        copy.finish();
                    }
                }
                Self { kind: Kind::Whole { data, trailers } }
            }
            // Dropping a sender tells its mirror that the copy is not complete.
            kind @ (Kind::Copied { .. } | Kind::Copy { .. } | Kind::Replayed { .. }) => Self { kind },
        }
    }
}

impl<B: Body> RequestBody<B> {
    /// The body that arrived.
    pub fn new(body: B) -> Self {
        if body.is_end_stream() {
            Self::empty()
        } else {
            Self { kind: Kind::Streaming { body, inflow: Inflow::default() } }
        }
    }

    /// What is known of the body that arrived; nothing where there is none.
    pub(crate) fn inflow(&self) -> Option<&Inflow> {
        match &self.kind {
            Kind::Streaming { inflow, .. } | Kind::Copied { inflow, .. } => Some(inflow),
            Kind::Empty | Kind::Copy { .. } | Kind::Whole { .. } | Kind::Replayed { .. } => None,
        }
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
            KindProjected::Streaming { body, inflow } => {
                ready!(inflow.poll_released(cx));
                let frame = ready!(body.poll_frame(cx));
                if matches!(frame, Some(Err(_))) {
                    inflow.note_broken();
                }
                Poll::Ready(frame.map(|frame| frame.map(trailers::clean).map_err(Into::into)))
            }
            KindProjected::Copied { mut body, inflow, copies } => {
                ready!(inflow.poll_released(cx));
                let frame = ready!(body.as_mut().poll_frame(cx)).map(|frame| frame.map(trailers::clean));
                match &frame {
                    Some(Ok(frame)) => {
                        copies.retain_mut(|copy| copy.send(frame));
                        if body.is_end_stream() {
                            copies.drain(..).for_each(CopySender::finish);
                        }
                    }
                    Some(Err(_)) => {
                        inflow.note_broken();
                        copies.clear();
                    }
                    None => copies.drain(..).for_each(CopySender::finish),
                }
                Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
            }
            KindProjected::Copy { copy } => copy.poll_frame(cx),
            KindProjected::Whole { data, trailers } => Poll::Ready(match data.is_empty() {
                false => Some(Ok(Frame::data(mem::take(data)))),
                true => trailers.take().map(|trailers| Ok(Frame::trailers(*trailers))),
            }),
            KindProjected::Replayed { replayed } => replayed.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Empty => true,
            Kind::Streaming { body, .. } | Kind::Copied { body, .. } => body.is_end_stream(),
            Kind::Copy { copy } => copy.is_end_stream(),
            Kind::Whole { data, trailers } => data.is_empty() && trailers.is_none(),
            Kind::Replayed { replayed } => replayed.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Streaming { body, .. } | Kind::Copied { body, .. } => body.size_hint(),
            Kind::Copy { copy } => copy.size_hint(),
            Kind::Whole { data, .. } => SizeHint::with_exact(data.len() as u64),
            Kind::Replayed { replayed } => replayed.size_hint(),
        }
    }
}

impl<B> fmt::Debug for RequestBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RequestBody")
            .field(&match &self.kind {
                Kind::Empty => "empty",
                Kind::Streaming { .. } => "streaming",
                Kind::Copied { .. } => "copied",
                Kind::Copy { .. } => "copy",
                Kind::Whole { .. } => "whole",
                Kind::Replayed { .. } => "replayed",
            })
            .finish()
    }
}
