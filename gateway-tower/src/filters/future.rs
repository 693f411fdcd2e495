//! The answer on its way through the filters.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use gateway_core::exchange::Exchange;
use http::Response;
use pin_project_lite::pin_project;

use super::List;
use crate::handle::Snapshot;
use crate::outcome::{AnsweredBy, IntoRefused, OrRefused, Outcome, Refused};

pin_project! {
    /// The answer of the service within, or of a filter, with the filters of the list run on it.
    #[derive(Debug)]
    pub struct FiltersFuture<F> {
        #[pin]
        state: State<F>,
        // In a box, so that requests without filters have a small future.
        on_answer: Option<Box<OnAnswer>>,
    }
}

pin_project! {
    #[project = StateProjected]
    #[derive(Debug)]
    enum State<F> {
        Passed { #[pin] answer: OrRefused<F> },
        // A filter answers.
        Answered { response: Option<Box<Response<Bytes>>> },
    }
}

/// The filters of one list, waiting for the answer.
#[derive(Debug)]
pub(super) struct OnAnswer {
    pub(super) exchange: Exchange<Snapshot>,
    pub(super) list: List,
}

// === impl FiltersFuture ===

impl<F> FiltersFuture<F> {
    pub(super) fn forwarded(future: F, on_answer: Option<Box<OnAnswer>>) -> Self {
        Self { state: State::Passed { answer: OrRefused::forwarded(future) }, on_answer }
    }

    pub(super) fn refused(refused: impl Into<Refused>, on_answer: Option<Box<OnAnswer>>) -> Self {
        Self { state: State::Passed { answer: OrRefused::refused(refused) }, on_answer }
    }

    pub(super) fn answered(response: Box<Response<Bytes>>, on_answer: Box<OnAnswer>) -> Self {
        Self { state: State::Answered { response: Some(response) }, on_answer: Some(on_answer) }
    }
}

impl<F, B, E> Future for FiltersFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: IntoRefused,
    B: From<Bytes>,
{
    type Output = Result<Response<B>, Refused>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = match this.state.project() {
            StateProjected::Passed { answer } if this.on_answer.is_none() => return answer.poll(cx),
            StateProjected::Passed { answer } => answer.poll(cx),
            StateProjected::Answered { response } => {
                let response = *response.take().expect("a future is not polled after it was ready");
                let mut response = response.map(B::from);
                Outcome::of(&mut response).answered_by = AnsweredBy::Filter;
                Poll::Ready(Ok(response))
            }
        };
        match (this.on_answer, answer) {
            (Some(on_answer), Poll::Ready(answer)) => Poll::Ready(on_answer.run(answer)),
            (_, answer) => answer,
        }
    }
}

// === impl OnAnswer ===

impl OnAnswer {
    /// Runs them; for a refusal only those that are for answers of the gateway's own.
    ///
    /// # Spec
    /// FHM-11, FCO-02.
    fn run<B>(&self, answer: Result<Response<B>, Refused>) -> Result<Response<B>, Refused> {
        match answer {
            Ok(response) => {
                let (mut head, body) = response.into_parts();
                match self.list {
                    List::Rule => self.exchange.on_response(&mut head),
                    List::Backend => self.exchange.on_backend_response(&mut head),
                }
                Ok(Response::from_parts(head, body))
            }
            Err(mut refused) => {
                refused.edit_head(|head| match self.list {
                    List::Rule => self.exchange.on_local_response(head),
                    List::Backend => self.exchange.on_backend_local_response(head),
                });
                Err(refused)
            }
        }
    }
}
