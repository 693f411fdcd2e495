//! What a layer decides about a request: to carry it on, or to answer it.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Response;
use pin_project_lite::pin_project;

use crate::outcome::{AnsweredBy, Outcome};
use crate::refusal::Refusal;
use crate::routed::Routed;

pin_project! {
    /// The answer to a request, from within or from here.
    #[project = DecidedProjected]
    #[derive(Debug)]
    pub(crate) enum Decided<F> {
        /// The service within answers.
        Forwarded { #[pin] future: F },
        /// The gateway refuses.
        Refused { refusal: Option<Refusal>, routed: Option<Routed> },
        /// A filter answers.
        Answered { response: Option<Box<Response<Bytes>>> },
    }
}

// === impl Decided ===

impl<F> Decided<F> {
    pub(crate) fn forwarded(future: F) -> Self {
        Self::Forwarded { future }
    }

    pub(crate) fn refused(refusal: impl Into<Refusal>) -> Self {
        Self::Refused { refusal: Some(refusal.into()), routed: None }
    }

    /// Refuses what was routed like this.
    pub(crate) fn refused_after(routed: Option<Routed>, refusal: Refusal) -> Self {
        Self::Refused { refusal: Some(refusal), routed }
    }

    pub(crate) fn answered(response: Box<Response<Bytes>>) -> Self {
        Self::Answered { response: Some(response) }
    }
}

impl<F, B, E> Future for Decided<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: From<Bytes>,
{
    type Output = Result<Response<B>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            DecidedProjected::Forwarded { future } => future.poll(cx),
            DecidedProjected::Refused { refusal, routed } => {
                let refusal = refusal.take().expect("a future is not polled after it was ready");
                let mut response = refusal.into_response();
                Outcome::of(&mut response).routed = routed.take();
                Poll::Ready(Ok(response))
            }
            DecidedProjected::Answered { response } => {
                let response = *response.take().expect("a future is not polled after it was ready");
                let mut response = response.map(B::from);
                Outcome::of(&mut response).answered_by = AnsweredBy::Filter;
                Poll::Ready(Ok(response))
            }
        }
    }
}
