//! The answer on its way back.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::filtering::{Asking, Filtered};
use super::on_answer::OnAnswer;
use crate::outcome::{AnsweredBy, IntoRefused, Outcome, Refused};

pin_project! {
    /// The answer of the service within, or of a filter, with the filters run on it.
    pub struct DispatchFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S::Future, S, B>,
    }
}

pin_project! {
    #[project = StateProjected]
    enum State<F, S, B> {
        // Without filters, nothing is to be done to the answer.
        Forwarded { #[pin] future: F, on_answer: Option<OnAnswer> },
        Stopped { with: Option<Result<Box<Response<Bytes>>, Refused>> },
        // In a box: few requests wait for an authorization service.
        Asking { asking: Box<Asking<S, B>> },
    }
}

// === impl DispatchFuture ===

impl<S, B> DispatchFuture<S, B>
where
    S: Service<Request<B>>,
{
    pub(super) fn forwarded(future: S::Future, on_answer: Option<OnAnswer>) -> Self {
        Self { state: State::Forwarded { future, on_answer } }
    }

    /// A filter answers, and the others have seen it.
    pub(super) fn answered(response: Response<Bytes>) -> Self {
        Self { state: State::Stopped { with: Some(Ok(Box::new(response))) } }
    }

    pub(super) fn refused(refused: impl Into<Refused>) -> Self {
        Self { state: State::Stopped { with: Some(Err(refused.into())) } }
    }

    /// A service is asked before the request goes on.
    pub(super) fn asking(asking: Asking<S, B>) -> Self {
        Self { state: State::Asking { asking: Box::new(asking) } }
    }
}

impl<S, B, RB> Future for DispatchFuture<S, B>
where
    S: Service<Request<B>, Response = Response<RB>>,
    S::Error: IntoRefused,
    RB: From<Bytes>,
{
    type Output = Result<Response<RB>, Refused>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProjected::Forwarded { future, on_answer } => {
                    return poll_forwarded(future, on_answer.as_ref(), cx);
                }
                StateProjected::Stopped { with } => {
                    let stopped = with.take().expect("a future is not polled after it was ready");
                    return Poll::Ready(stopped.map(|response| {
                        let mut response = response.map(RB::from);
                        Outcome::of(&mut response).answered_by = AnsweredBy::Filter;
                        response
                    }));
                }
                StateProjected::Asking { asking } => match ready!(asking.poll(cx)) {
                    Filtered::Passed(request, on_answer) => {
                        let future = asking.inner.call(request);
                        State::Forwarded { future, on_answer: Some(on_answer) }
                    }
                    Filtered::Answered(response) => State::Stopped { with: Some(Ok(Box::new(response))) },
                    Filtered::Refused(refused) => State::Stopped { with: Some(Err(refused)) },
                    Filtered::Asks(_) => unreachable!("all services were asked"),
                },
            };
            state.set(next);
        }
    }
}

/// The answer, edited where it is, if at all: it is large to move.
#[inline]
fn poll_forwarded<F, RB, E>(
    future: Pin<&mut F>,
    on_answer: Option<&OnAnswer>,
    cx: &mut Context<'_>,
) -> Poll<Result<Response<RB>, Refused>>
where
    F: Future<Output = Result<Response<RB>, E>>,
    E: IntoRefused,
{
    let Some(on_answer) = on_answer else { return E::refuse_from(|| future.poll(cx)) };
    let mut answer = E::refuse_from(|| future.poll(cx));
    let Poll::Ready(end) = &mut answer else { return Poll::Pending };
    match end {
        Ok(response) => on_answer.finish(response),
        Err(refused) => on_answer.finish_refused(refused),
    }
    answer
}

impl<S, B> fmt::Debug for DispatchFuture<S, B>
where
    S: Service<Request<B>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DispatchFuture").finish_non_exhaustive()
    }
}
