//! The answer to a request that was looked up.

use std::fmt;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::search::{Asking, NotFound, Start};
use crate::handle::Snapshot;
use crate::outcome::{AnsweredBy, IntoRefused, OrRefused, Outcome, Refused};

pin_project! {
    /// The answer of the service within, with the decision about the request in the answer's extensions; that of a filter of
    /// the listener; or a refusal.
    pub struct RouteFuture<S, B>
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
        Within { #[pin] answer: OrRefused<F>, known: Known },
        Answered { with: Option<(Box<Response<Bytes>>, Snapshot)> },
        // In a box: few requests wait for an authorization service before they have a rule.
        Asking { asking: Box<Asking<S, B>>, snapshot: Snapshot },
    }
}

/// What the answer says when no layer within knows more.
#[derive(Debug)]
enum Known {
    Nothing,
    /// The table has no rule for the request.
    Unmatched(Snapshot),
    Matched(Start),
}

// === impl RouteFuture ===

impl<S, B> RouteFuture<S, B>
where
    S: Service<Request<B>>,
{
    pub(super) fn forwarded(future: S::Future, start: Start) -> Self {
        Self { state: State::within(OrRefused::forwarded(future), Known::Matched(start)) }
    }

    /// A filter of the listener answers, so that no rule was looked for.
    pub(super) fn answered(response: Box<Response<Bytes>>, snapshot: Snapshot) -> Self {
        Self { state: State::Answered { with: Some((response, snapshot)) } }
    }

    pub(super) fn refused(refused: impl Into<Refused>, snapshot: Option<Snapshot>) -> Self {
        Self { state: State::refused(refused, snapshot) }
    }

    /// A service is asked before a rule is looked for.
    pub(super) fn asking(asking: Asking<S, B>, snapshot: Snapshot) -> Self {
        Self { state: State::Asking { asking: Box::new(asking), snapshot } }
    }
}

impl<S, B, RB> Future for RouteFuture<S, B>
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
                StateProjected::Within { answer, known } => {
                    return answer.poll_edited(cx, |result| known.tell(result));
                }
                StateProjected::Answered { with } => {
                    let (response, snapshot) =
                        with.take().expect("a future is not polled after it was ready");
                    let mut response = response.map(RB::from);
                    let outcome = Outcome::of(&mut response);
                    outcome.answered_by = AnsweredBy::Filter;
                    outcome.unmatched(snapshot);
                    return Poll::Ready(Ok(response));
                }
                StateProjected::Asking { asking, snapshot } => match ready!(asking.poll(cx)) {
                    Ok((request, start)) => {
                        let answer = OrRefused::forwarded(asking.inner.call(request));
                        State::within(answer, Known::Matched(start))
                    }
                    Err(NotFound::Answered(response)) => {
                        State::Answered { with: Some((response, snapshot.clone())) }
                    }
                    Err(NotFound::Refused(refused)) => State::refused(refused, Some(snapshot.clone())),
                },
            };
            state.set(next);
        }
    }
}

impl<S, B> fmt::Debug for RouteFuture<S, B>
where
    S: Service<Request<B>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RouteFuture").finish_non_exhaustive()
    }
}

// === impl State ===

impl<F, S, B> State<F, S, B> {
    fn within(answer: OrRefused<F>, known: Known) -> Self {
        Self::Within { answer, known }
    }

    fn refused(refused: impl Into<Refused>, snapshot: Option<Snapshot>) -> Self {
        Self::within(OrRefused::refused(refused), snapshot.map_or(Known::Nothing, Known::Unmatched))
    }
}

// === impl Known ===

impl Known {
    /// Says what is known, unless a layer within knows more: the backend too.
    fn tell<B>(&mut self, result: Result<&mut Response<B>, &mut Refused>) {
        let outcome = Refused::outcome_of(result);
        if outcome.routed.is_none() {
            match mem::replace(self, Self::Nothing) {
                Self::Nothing => {}
                Self::Unmatched(snapshot) => outcome.unmatched(snapshot),
                Self::Matched(start) => outcome.routed = Some(start.routed(outcome.reached)),
            }
        }
    }
}
