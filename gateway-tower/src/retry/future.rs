//! The answer to the last attempt.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::plan::{Follows, Plan};
use crate::body::{BoxError, RequestBody};
use crate::outcome::{IntoRefused, Refusal, Refused};

pin_project! {
    /// The answer of the service within to the attempt that did not fail, or to the last one.
    pub struct RetryFuture<S, B>
    where
        S: Service<Request<RequestBody<B>>>,
    {
        // None between attempts.
        #[pin]
        attempt: Option<S::Future>,
        plan: Option<Box<Plan<S, B>>>,
    }
}

// === impl RetryFuture ===

impl<S, B> RetryFuture<S, B>
where
    S: Service<Request<RequestBody<B>>>,
{
    pub(super) fn new(future: S::Future, plan: Option<Box<Plan<S, B>>>) -> Self {
        Self { attempt: Some(future), plan }
    }
}

impl<S, B, RB> Future for RetryFuture<S, B>
where
    S: Service<Request<RequestBody<B>>, Response = Response<RB>>,
    S::Error: IntoRefused,
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Output = Result<Response<RB>, Refused>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match (this.attempt.as_mut().as_pin_mut(), this.plan.as_deref_mut()) {
                (Some(attempt), None) => return S::Error::refuse_from(|| attempt.poll(cx)),
                (Some(attempt), Some(plan)) => {
                    let result = ready!(S::Error::refuse(attempt.poll(cx)));
                    match plan.prepare_next(&result) {
                        Follows::Attempt => {}
                        Follows::Nothing => return Poll::Ready(counted(result, plan.retries)),
                        // RTB-03
                        Follows::Refusal => {
                            let reached = Refused::reached_of(&result);
                            let refused = Refused::from(Refusal::RetriesUsedUp).with_reached(reached);
                            return Poll::Ready(counted(Err(refused), plan.retries));
                        }
                    }
                    // Dropped before the pause, and with it whatever it still holds of a connection.
                    this.attempt.set(None);
                }
                (None, Some(plan)) => {
                    let future = ready!(plan.poll_attempt(cx))?;
                    this.attempt.set(Some(future));
                }
                (None, None) => unreachable!("only a plan leads to another attempt"),
            }
        }
    }
}

fn counted<B>(mut result: Result<Response<B>, Refused>, retries: u32) -> Result<Response<B>, Refused> {
    if retries > 0 {
        Refused::outcome_of(result.as_mut()).retries = retries;
    }
    result
}

impl<S, B> fmt::Debug for RetryFuture<S, B>
where
    S: Service<Request<RequestBody<B>>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let retries = self.plan.as_ref().map(|plan| plan.retries);
        f.debug_struct("RetryFuture").field("retries", &retries).finish_non_exhaustive()
    }
}
