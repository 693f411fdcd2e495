//! The answer of an endpoint.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Response;
use pin_project_lite::pin_project;

use crate::decided::Decided;
use crate::outcome::Outcome;
use crate::refusal::Refusal;
use crate::routed::Routed;

pin_project! {
    /// The answer of the service within, with the endpoint in the answer's [`Outcome`].
    #[derive(Debug)]
    pub struct BalanceFuture<F> {
        #[pin]
        answer: Decided<F>,
        attempted: Option<Routed>,
    }
}

// === impl BalanceFuture ===

impl<F> BalanceFuture<F> {
    pub(super) fn forwarded(future: F, routed: Routed) -> Self {
        Self { answer: Decided::forwarded(future), attempted: Some(routed) }
    }

    pub(super) fn refused(refusal: Refusal) -> Self {
        Self { answer: Decided::refused(refusal), attempted: None }
    }
}

impl<F, B, E> Future for BalanceFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: From<Bytes>,
{
    type Output = Result<Response<B>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        // Edited where it is: an answer is large to move.
        let mut answer = this.answer.poll(cx);
        if let Poll::Ready(Ok(response)) = &mut answer
            && let Some(routed) = this.attempted.take()
        {
            Outcome::of(response).routed = Some(routed);
        }
        answer
    }
}
