//! The answer of the chosen backend.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Response;
use pin_project_lite::pin_project;

use crate::decided::Decided;
use crate::filters::OnAnswer;
use crate::refusal::Refusal;
use crate::routed::Routed;

pin_project! {
    /// The answer of the chosen backend, with the backend's filters run on it; or a refusal, when there is none.
    #[derive(Debug)]
    pub struct DispatchFuture<F> {
        #[pin]
        answer: Decided<F>,
        on_answer: Option<Box<OnAnswer>>,
    }
}

// === impl DispatchFuture ===

impl<F> DispatchFuture<F> {
    pub(super) fn forwarded(future: F, on_answer: Option<Box<OnAnswer>>) -> Self {
        Self { answer: Decided::forwarded(future), on_answer }
    }

    /// No backend can be attempted; `routed` says which was chosen.
    pub(super) fn refused(refusal: Refusal, routed: Option<Routed>) -> Self {
        Self { answer: Decided::refused_after(routed, refusal), on_answer: None }
    }

    /// A filter of the backend fails.
    pub(super) fn failed(on_answer: Box<OnAnswer>) -> Self {
        Self { answer: Decided::refused(Refusal::Filter), on_answer: Some(on_answer) }
    }

    pub(super) fn answered(response: Box<Response<Bytes>>, on_answer: Box<OnAnswer>) -> Self {
        Self { answer: Decided::answered(response), on_answer: Some(on_answer) }
    }
}

impl<F, B, E> Future for DispatchFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: From<Bytes>,
{
    type Output = Result<Response<B>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = this.answer.poll(cx);
        match this.on_answer {
            Some(on_answer) => answer.map_ok(|response| on_answer.run(response)),
            None => answer,
        }
    }
}
