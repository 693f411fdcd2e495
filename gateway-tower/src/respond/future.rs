//! The answer, of the backend or of the gateway.

use std::convert::Infallible;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Response;
use pin_project_lite::pin_project;

use super::Form;
use super::answer::answer;
use crate::outcome::{IntoRefused, OrRefused, Refused};

pin_project! {
    /// The answer of the service within, or the gateway's own to a request that was refused; never an error.
    #[derive(Debug)]
    pub struct RespondFuture<F> {
        #[pin]
        answer: OrRefused<F>,
        form: Form,
    }
}

// === impl RespondFuture ===

impl<F> RespondFuture<F> {
    pub(super) fn forwarded(future: F, form: Form) -> Self {
        Self { answer: OrRefused::forwarded(future), form }
    }

    pub(super) fn not_ready(refused: Refused, form: Form) -> Self {
        Self { answer: OrRefused::refused(refused), form }
    }
}

impl<F, B, E> Future for RespondFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: IntoRefused,
    B: From<Bytes>,
{
    type Output = Result<Response<B>, Infallible>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        match this.answer.poll(cx) {
            Poll::Ready(Ok(response)) => Poll::Ready(Ok(response)),
            Poll::Ready(Err(refused)) => Poll::Ready(Ok(answer(mem::take(this.form), refused))),
            Poll::Pending => Poll::Pending,
        }
    }
}
