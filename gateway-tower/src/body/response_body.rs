//! The body that is sent to the client.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::deadline::Deadline;
use super::guard::Guard;
use super::{BoxError, trailers};

pin_project! {
    /// The body of an answer: a backend's, or the gateway's own.
    ///
    /// Trailers and the size hint of the backend's body pass through, but for fields that no trailer may be. Where the rule has a timeout, a body that is not
    /// complete in time ends in the error [`TimedOut`](crate::timeouts::TimedOut), by which a server resets the stream; that of an answer
    /// to a call of gRPC ends in trailers with the code `DEADLINE_EXCEEDED`.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        kind: Kind<B>,
        deadline: Option<Deadline>,
        // What counts requests under way.
        guard: Guard,
    }
}

pin_project! {
    #[project = KindProjected]
    #[derive(Debug)]
    enum Kind<B> {
        Local { rest: Bytes },
        Upstream { #[pin] body: B },
    }
}

// === impl ResponseBody ===

impl<B> ResponseBody<B> {
    /// The body of a backend's answer.
    pub fn upstream(body: B) -> Self {
        Self { kind: Kind::Upstream { body }, deadline: None, guard: Guard::none() }
    }

    /// Holds `guard` until the body has ended or is dropped.
    pub(crate) fn hold(&mut self, guard: Guard) {
        self.guard = guard;
    }

    /// Breaks the body off at this time, unless something does so before.
    pub(crate) fn limit(&mut self, deadline: Deadline) {
        self.deadline = Some(match self.deadline.take() {
            Some(earlier) => earlier.earlier(deadline),
            None => deadline,
        });
    }
}

/// The body of an answer that is made here.
impl<B> From<Bytes> for ResponseBody<B> {
    fn from(bytes: Bytes) -> Self {
        Self { kind: Kind::Local { rest: bytes }, deadline: None, guard: Guard::none() }
    }
}

impl<B> Default for ResponseBody<B> {
    fn default() -> Self {
        Bytes::new().into()
    }
}

impl<B> Body for ResponseBody<B>
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
        let mut this = self.project();
        // Before the frame: a backend that always has one more must not outrun its time.
        if let Some(deadline) = this.deadline
            && deadline.poll(cx).is_ready()
        {
            let end = deadline.end();
            *this.deadline = None;
            this.kind.set(Kind::Local { rest: Bytes::new() });
            *this.guard = Guard::none();
            return Poll::Ready(Some(end));
        }
        match this.kind.project() {
            KindProjected::Local { rest } if rest.is_empty() => Poll::Ready(None),
            KindProjected::Local { rest } => Poll::Ready(Some(Ok(Frame::data(std::mem::take(rest))))),
            KindProjected::Upstream { mut body } => {
                let mut frame = ready!(body.as_mut().poll_frame(cx));
                if let Some(Ok(frame)) = &mut frame {
                    trailers::clean(frame);
                }
                if !matches!(frame, Some(Ok(_))) || body.is_end_stream() {
                    *this.guard = Guard::none();
                }
                Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Local { rest } => rest.is_empty(),
            Kind::Upstream { body } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Local { rest } => SizeHint::with_exact(rest.len() as u64),
            Kind::Upstream { body } => body.size_hint(),
        }
    }
}
