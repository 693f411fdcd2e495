//! The answer of an endpoint.

use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use gateway_core::rule::SessionHeader;
use http::Response;
use pin_project_lite::pin_project;

use crate::body::ResponseBody;
use crate::body::guard::Guard;
use crate::outcome::{IntoRefused, OrRefused, Refused};
use crate::routed::Reached;

pin_project! {
    /// The answer of the service within, with the endpoint in its [`Outcome`](crate::outcome::Outcome).
    #[derive(Debug)]
    pub struct BalanceFuture<F> {
        #[pin]
        answer: OrRefused<F>,
        reached: Option<Reached>,
        guard: Guard,
        begins: Option<Box<SessionHeader>>,
    }
}

// === impl BalanceFuture ===

impl<F> BalanceFuture<F> {
    pub(super) fn forwarded(
        future: F,
        reached: Option<Reached>,
        guard: Guard,
        begins: Option<Box<SessionHeader>>,
    ) -> Self {
        Self { answer: OrRefused::forwarded(future), reached, guard, begins }
    }

    pub(super) fn refused(refused: impl Into<Refused>) -> Self {
        Self { answer: OrRefused::refused(refused), reached: None, guard: Guard::none(), begins: None }
    }
}

impl<F, B, E> Future for BalanceFuture<F>
where
    F: Future<Output = Result<Response<ResponseBody<B>>, E>>,
    E: IntoRefused,
{
    type Output = Result<Response<ResponseBody<B>>, Refused>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        this.answer.poll_edited(cx, |mut result| {
            let guard = mem::take(this.guard);
            if let Ok(response) = &mut result {
                response.body_mut().hold(guard);
                if let Some(begins) = this.begins.take() {
                    begins.put(response.headers_mut());
                }
            }
            Refused::outcome_of(result).reached = *this.reached;
        })
    }
}
