//! The answer to a request that was looked up.

use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use gateway_core::exchange::Exchange;
use gateway_core::table::Matched;
use http::Response;
use pin_project_lite::pin_project;

use crate::connection::Connection;
use crate::handle::Snapshot;
use crate::outcome::{AnsweredBy, IntoRefused, OrRefused, Outcome, Refused};
use crate::routed::{Reached, Routed};

pin_project! {
    /// The answer of the service within, with the decision about the request in the answer's extensions; that of a filter of
    /// the listener; or a refusal.
    #[derive(Debug)]
    pub struct RouteFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = StateProjected]
    #[derive(Debug)]
    enum State<F> {
        Within { #[pin] answer: OrRefused<F>, known: Known },
        Answered { with: Option<(Box<Response<Bytes>>, Snapshot)> },
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

/// Where the way of a request begins: what makes a [`Routed`], and is smaller.
#[derive(Clone, Debug)]
pub(super) struct Start {
    pub(super) snapshot: Snapshot,
    pub(super) connection: Arc<Connection>,
    pub(super) matched: Matched,
}

// === impl RouteFuture ===

impl<F> RouteFuture<F> {
    pub(super) fn forwarded(future: F, start: Start) -> Self {
        Self::within(OrRefused::forwarded(future), Known::Matched(start))
    }

    /// A filter of the listener answers, so that no rule was looked for.
    pub(super) fn answered(response: Box<Response<Bytes>>, snapshot: Snapshot) -> Self {
        Self { state: State::Answered { with: Some((response, snapshot)) } }
    }

    pub(super) fn refused(refused: impl Into<Refused>, snapshot: Option<Snapshot>) -> Self {
        Self::within(OrRefused::refused(refused), snapshot.map_or(Known::Nothing, Known::Unmatched))
    }

    fn within(answer: OrRefused<F>, known: Known) -> Self {
        Self { state: State::Within { answer, known } }
    }
}

impl<F, B, E> Future for RouteFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: IntoRefused,
    B: From<Bytes>,
{
    type Output = Result<Response<B>, Refused>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjected::Within { answer, known } => answer.poll_edited(cx, |result| {
                let outcome = Refused::outcome_of(result);
                // A layer within knows more: the backend too.
                if outcome.routed.is_none() {
                    match mem::replace(known, Known::Nothing) {
                        Known::Nothing => {}
                        Known::Unmatched(snapshot) => outcome.unmatched(snapshot),
                        Known::Matched(start) => outcome.routed = Some(start.routed(outcome.reached)),
                    }
                }
            }),
            StateProjected::Answered { with } => {
                let (response, snapshot) = with.take().expect("a future is not polled after it was ready");
                let mut response = response.map(B::from);
                let outcome = Outcome::of(&mut response);
                outcome.answered_by = AnsweredBy::Filter;
                outcome.unmatched(snapshot);
                Poll::Ready(Ok(response))
            }
        }
    }
}

// === impl Start ===

impl Start {
    pub(super) fn routed(self, reached: Option<Reached>) -> Routed {
        let Self { snapshot, connection, matched } = self;
        Routed::new(Exchange::new(snapshot, matched), connection, reached)
    }
}
