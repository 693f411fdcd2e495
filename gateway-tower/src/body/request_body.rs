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

/// The body of a request as a client is given it.
///
/// Almost always it is the body that arrived, or nothing. Where a rule says so, it is copied for mirrors while it
/// streams, or kept for a retry.
// In a box: most requests have no body, and all are moved from layer to layer.
pub struct RequestBody<B>(Option<Pin<Box<Kind<B>>>>);

pin_project! {
    #[project = KindProjected]
    enum Kind<B> {
        /// What streams, and is copied for mirrors, where there are some.
        Streaming { #[pin] body: B, inflow: Inflow, copies: Vec<CopySender> },
        /// What a mirror gets.
        Copy { copy: Copy },
        /// What was read to its end before it is sent.
        Whole { data: Bytes, trailers: Option<HeaderMap> },
        /// What an attempt gets that may be repeated.
        Replayed { replayed: Replayed<RequestBody<B>> },
    }
}

// === impl RequestBody ===

impl<B> RequestBody<B> {
    /// No body.
    pub fn empty() -> Self {
        Self(None)
    }

    /// A body that is all here.
    pub(crate) fn whole(data: Bytes, trailers: Option<HeaderMap>) -> Self {
        match (data.is_empty(), trailers) {
            (true, None) => Self::empty(),
            (_, trailers) => Self::from_kind(Kind::Whole { data, trailers }),
        }
    }

    pub(crate) fn copy(copy: Copy) -> Self {
        Self::from_kind(Kind::Copy { copy })
    }

    /// What one attempt reads of a body that others may read again.
    pub(crate) fn replayed(replayed: Replayed<Self>) -> Self {
        Self::from_kind(Kind::Replayed { replayed })
    }

    fn from_kind(kind: Kind<B>) -> Self {
        Self(Some(Box::pin(kind)))
    }

    /// Copies to `copies` what streams from now on; only the body that arrived can be copied, be it all here.
    pub(crate) fn copied_to(mut self, copies: Vec<CopySender>) -> Self {
        match self.0.as_mut().map(|kind| kind.as_mut().project()) {
            Some(KindProjected::Streaming { copies: wanted, .. }) if wanted.is_empty() => *wanted = copies,
            // Nothing streams, so the copies are complete.
            None => copies.into_iter().for_each(CopySender::finish),
            Some(KindProjected::Whole { data, trailers }) => {
                for mut copy in copies {
                    let trailers = trailers.clone().map(Frame::trailers);
                    if copy.send(&Frame::data(data.clone())) && trailers.is_none_or(|it| copy.send(&it)) {
                        copy.finish();
                    }
                }
            }
            // Dropping a sender tells its mirror that the copy is not complete.
            Some(
                KindProjected::Streaming { .. } | KindProjected::Copy { .. } | KindProjected::Replayed { .. },
            ) => {}
        }
        self
    }
}

impl<B: Body> RequestBody<B> {
    /// The body that arrived.
    pub fn new(body: B) -> Self {
        if body.is_end_stream() {
            Self::empty()
        } else {
            Self::from_kind(Kind::Streaming { body, inflow: Inflow::default(), copies: Vec::new() })
        }
    }

    /// What is known of the body that arrived; nothing where there is none.
    pub(crate) fn inflow(&self) -> Option<&Inflow> {
        match self.0.as_deref()? {
            Kind::Streaming { inflow, .. } => Some(inflow),
            Kind::Copy { .. } | Kind::Whole { .. } | Kind::Replayed { .. } => None,
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
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Some(kind) = &mut self.0 else { return Poll::Ready(None) };
        match kind.as_mut().project() {
            KindProjected::Streaming { mut body, inflow, copies } => {
                ready!(inflow.poll_released(cx));
                let mut frame = ready!(body.as_mut().poll_frame(cx));
                if let Some(Ok(frame)) = &mut frame {
                    trailers::clean(frame);
                }
                match &frame {
                    Some(Ok(frame)) if !copies.is_empty() => {
                        copies.retain_mut(|copy| copy.send(frame));
                        if body.is_end_stream() {
                            copies.drain(..).for_each(CopySender::finish);
                        }
                    }
                    Some(Ok(_)) => {}
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
                true => trailers.take().map(|trailers| Ok(Frame::trailers(trailers))),
            }),
            KindProjected::Replayed { replayed } => Pin::new(replayed).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self.0.as_deref() {
            None => true,
            Some(Kind::Streaming { body, .. }) => body.is_end_stream(),
            Some(Kind::Copy { copy }) => copy.is_end_stream(),
            Some(Kind::Whole { data, trailers }) => data.is_empty() && trailers.is_none(),
            Some(Kind::Replayed { replayed }) => replayed.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self.0.as_deref() {
            None => SizeHint::with_exact(0),
            Some(Kind::Streaming { body, .. }) => body.size_hint(),
            Some(Kind::Copy { copy }) => copy.size_hint(),
            Some(Kind::Whole { data, .. }) => SizeHint::with_exact(data.len() as u64),
            Some(Kind::Replayed { replayed }) => replayed.size_hint(),
        }
    }
}

impl<B> fmt::Debug for RequestBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RequestBody")
            .field(&match self.0.as_deref() {
                None => "empty",
                Some(Kind::Streaming { copies, .. }) if copies.is_empty() => "streaming",
                Some(Kind::Streaming { .. }) => "copied",
                Some(Kind::Copy { .. }) => "copy",
                Some(Kind::Whole { .. }) => "whole",
                Some(Kind::Replayed { .. }) => "replayed",
            })
            .finish()
    }
}
