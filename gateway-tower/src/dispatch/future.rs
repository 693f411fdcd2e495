//! The answer on its way back.

use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use gateway_core::exchange::{Exchange, hop_by_hop};
use http::{Response, StatusCode, response};
use pin_project_lite::pin_project;

use crate::handle::Snapshot;
use crate::outcome::{AnsweredBy, IntoRefused, Outcome, Refused};

pin_project! {
    /// The answer of the service within, or of a filter, with the filters run on it.
    #[derive(Debug)]
    pub struct DispatchFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = StateProjected]
    #[derive(Debug)]
    enum State<F> {
        Forwarded { #[pin] future: F, on_answer: OnAnswer },
        Stopped { with: Option<Result<Box<Response<Bytes>>, Refused>> },
    }
}

/// What is to be done to the answer.
#[derive(Debug)]
pub(super) enum OnAnswer {
    /// No more than to take out what is for one hop; with whether the client asks for another protocol.
    Plain { upgrade: bool },
    /// That, and the filters that have run on the request.
    Filters(Box<Exchange<Snapshot>>),
}

// === impl DispatchFuture ===

impl<F> DispatchFuture<F> {
    pub(super) fn forwarded(future: F, on_answer: OnAnswer) -> Self {
        Self { state: State::Forwarded { future, on_answer } }
    }

    /// A filter answers, and the others have seen it.
    pub(super) fn answered(response: Response<Bytes>) -> Self {
        Self { state: State::Stopped { with: Some(Ok(Box::new(response))) } }
    }

    pub(super) fn refused(refused: impl Into<Refused>) -> Self {
        Self { state: State::Stopped { with: Some(Err(refused.into())) } }
    }
}

impl<F, B, E> Future for DispatchFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: IntoRefused,
    B: From<Bytes>,
{
    type Output = Result<Response<B>, Refused>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjected::Forwarded { future, on_answer } => {
                // Edited where it is: an answer is large to move.
                let mut answer = E::refuse(future.poll(cx));
                match &mut answer {
                    Poll::Ready(Ok(response)) => on_answer.finish(response),
                    Poll::Ready(Err(refused)) => on_answer.finish_refused(refused),
                    Poll::Pending => {}
                }
                answer
            }
            StateProjected::Stopped { with } => {
                let stopped = with.take().expect("a future is not polled after it was ready");
                Poll::Ready(stopped.map(|response| {
                    let mut response = response.map(B::from);
                    Outcome::of(&mut response).answered_by = AnsweredBy::Filter;
                    response
                }))
            }
        }
    }
}

// === impl OnAnswer ===

impl OnAnswer {
    /// What is to be done to the answer of a backend.
    fn finish<B>(&self, response: &mut Response<B>) {
        match self {
            Self::Plain { upgrade } => {
                let upgraded = *upgrade && response.status() == StatusCode::SWITCHING_PROTOCOLS;
                hop_by_hop::remove_from_response(response.headers_mut(), upgraded);
            }
            Self::Filters(exchange) => edit_head(response, |head| exchange.finish(head)),
        }
    }

    /// What is to be done to an answer of the gateway's own.
    ///
    /// # Spec
    /// FHM-11, FCO-02.
    fn finish_refused(&self, refused: &mut Refused) {
        match self {
            Self::Plain { .. } => {}
            Self::Filters(exchange) => refused.edit_head(|head| exchange.finish_local(head)),
        }
    }
}

fn edit_head<B>(response: &mut Response<B>, edit: impl FnOnce(&mut response::Parts)) {
    let mut swap = |head: &mut response::Parts| {
        mem::swap(&mut head.status, response.status_mut());
        mem::swap(&mut head.version, response.version_mut());
        mem::swap(&mut head.headers, response.headers_mut());
        mem::swap(&mut head.extensions, response.extensions_mut());
    };
    let (mut head, ()) = Response::new(()).into_parts();
    swap(&mut head);
    edit(&mut head);
    swap(&mut head);
}
