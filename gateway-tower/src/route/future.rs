//! The answer to a request that was looked up.

use std::pin::Pin;
use std::task::{Context, Poll};

use http::Response;
use pin_project_lite::pin_project;

use crate::handle::Snapshot;
use crate::outcome::{OrRefused, Refused};
use crate::routed::Routed;

pin_project! {
    /// The answer of the service within, with the decision about the request in the answer's extensions; or a refusal.
    #[derive(Debug)]
    pub struct RouteFuture<F> {
        #[pin]
        answer: OrRefused<F>,
        routed: Option<Routed>,
        // The table, when it has no rule for the request.
        unmatched: Option<Snapshot>,
    }
}

// === impl RouteFuture ===

impl<F> RouteFuture<F> {
    pub(super) fn forwarded(future: F, routed: Routed) -> Self {
        Self { answer: OrRefused::forwarded(future), routed: Some(routed), unmatched: None }
    }

    pub(super) fn refused(refused: impl Into<Refused>, snapshot: Option<Snapshot>) -> Self {
        Self { answer: OrRefused::refused(refused), routed: None, unmatched: snapshot }
    }
}

impl<F, B, E> Future for RouteFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Into<Refused>,
{
    type Output = Result<Response<B>, Refused>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        // Edited where it is: an answer is large to move.
        let mut answer = this.answer.poll(cx);
        if let Poll::Ready(result) = &mut answer {
            let outcome = Refused::outcome_of(result);
            // A layer within knows more: the backend too.
            if outcome.routed.is_none() {
                outcome.routed = this.routed.take();
                outcome.unmatched(this.unmatched.take());
            }
        }
        answer
    }
}
