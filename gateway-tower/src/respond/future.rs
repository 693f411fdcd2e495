//! The answer, whoever made it.

use std::convert::Infallible;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::Response;
use pin_project_lite::pin_project;

use super::Form;
use crate::outcome::{OrRefused, Refused};

pin_project! {
    /// The answer of the service within, or the gateway's own to a request that was refused; never an error.
    #[derive(Debug)]
    pub struct RespondFuture<F> {
        #[pin]
        future: OrRefused<F>,
        form: Form,
    }
}

// === impl RespondFuture ===

impl<F> RespondFuture<F> {
    pub(super) fn new(future: OrRefused<F>, form: Form) -> Self {
        Self { future, form }
    }
}

impl<F, B, E> Future for RespondFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Into<Refused>,
    B: From<Bytes>,
{
    type Output = Result<Response<B>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(this.future.poll(cx));
        Poll::Ready(Ok(result.unwrap_or_else(|refused| mem::take(this.form).answer(refused))))
    }
}
