//! The answer to the last attempt.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tokio::time::{self, Sleep};
use tower_service::Service;

use super::plan::{Next, Plan};
use crate::body::{BoxError, RequestBody};
use crate::outcome::Refused;

pin_project! {
    /// The answer of the service within to the attempt that did not fail, or to the last one.
    pub struct RetryFuture<S, B>
    where
        S: Service<Request<RequestBody<B>>>,
    {
        #[pin]
        state: State<S::Future, B>,
        plan: Option<Box<Plan<S, B>>>,
    }
}

pin_project! {
    #[project = StateProjected]
    enum State<F, B> {
        Attempt { #[pin] future: F },
        Pause { #[pin] sleep: Sleep, body: Option<RequestBody<B>> },
        Ready { body: Option<RequestBody<B>> },
    }
}

// === impl RetryFuture ===

impl<S, B> RetryFuture<S, B>
where
    S: Service<Request<RequestBody<B>>>,
{
    pub(super) fn new(future: S::Future, plan: Option<Box<Plan<S, B>>>) -> Self {
        Self { state: State::Attempt { future }, plan }
    }
}

impl<S, B, RB> Future for RetryFuture<S, B>
where
    S: Service<Request<RequestBody<B>>, Response = Response<RB>>,
    S::Error: Into<Refused>,
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Output = Result<Response<RB>, Refused>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match (this.state.as_mut().project(), this.plan.as_deref_mut()) {
                (StateProjected::Attempt { future }, None) => return future.poll(cx).map_err(Into::into),
                (StateProjected::Attempt { future }, Some(plan)) => {
                    let result = ready!(future.poll(cx)).map_err(Into::into);
                    match plan.next(&result) {
                        Some(Next { pause, body }) => {
                            State::Pause { sleep: time::sleep(pause), body: Some(body) }
                        }
                        None => return Poll::Ready(counted(result, plan.retries)),
                    }
                }
                (StateProjected::Pause { sleep, body }, _) => {
                    ready!(sleep.poll(cx));
                    State::Ready { body: body.take() }
                }
                (StateProjected::Ready { body }, Some(plan)) => {
                    ready!(plan.service.poll_ready(cx)).map_err(Into::into)?;
                    let request = plan.request(body.take().unwrap_or_default());
                    State::Attempt { future: plan.service.call(request) }
                }
                (StateProjected::Ready { .. }, None) => unreachable!("only a plan leads to another attempt"),
            };
            // Drops the attempt before it, and with that whatever it still holds of a connection.
            this.state.set(next);
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
