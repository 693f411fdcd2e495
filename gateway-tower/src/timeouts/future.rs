//! The answer, if it comes in time.

use std::pin::Pin;
use std::task::{Context, Poll};

use http::header::{self, HeaderValue};
use http::{Response, StatusCode};
use pin_project_lite::pin_project;

use crate::body::ResponseBody;
use crate::body::deadline::{Deadline, Late};
use crate::outcome::{IntoRefused, Refusal, Refused};
use crate::routed::{Progress, Stage};

pin_project! {
    /// The answer of the service within, or a refusal with 504 when that takes too long.
    #[derive(Debug)]
    pub struct TimeoutsFuture<F> {
        #[pin]
        future: F,
        deadline: Option<Deadline>,
        progress: Option<Progress>,
        // Whether success makes the connection a tunnel, as for CONNECT.
        tunnel: bool,
    }
}

// === impl TimeoutsFuture ===

impl<F> TimeoutsFuture<F> {
    pub(super) fn unlimited(future: F) -> Self {
        Self { future, deadline: None, progress: None, tunnel: false }
    }

    pub(super) fn within(deadline: Deadline, progress: Option<Progress>, tunnel: bool, future: F) -> Self {
        Self { future, deadline: Some(deadline), progress, tunnel }
    }
}

impl<F, RB, E> Future for TimeoutsFuture<F>
where
    F: Future<Output = Result<Response<ResponseBody<RB>>, E>>,
    E: IntoRefused,
{
    type Output = Result<Response<ResponseBody<RB>>, Refused>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(deadline) = this.deadline else { return E::refuse_from(|| this.future.poll(cx)) };
        match this.future.poll(cx) {
            Poll::Ready(Ok(mut response)) => {
                let upgraded = response.status() == StatusCode::SWITCHING_PROTOCOLS
                    || (*this.tunnel && response.status().is_success());
                if let Some(mut deadline) = this.deadline.take()
                    && !upgraded
                {
                    if answers_call(&response) {
                        deadline.late = Late::Told;
                    }
                    response.body_mut().limit(deadline);
                }
                Poll::Ready(Ok(response))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error.into_refused())),
            Poll::Pending => deadline.poll(cx).map(|late| {
                // The attempt that goes on knows its endpoint, and is dropped with it.
                let Stage { reached, retries } =
                    this.progress.as_ref().map(Progress::get).unwrap_or_default();
                let refused = Refused::from(Refusal::TimedOut(late.0));
                Err(refused.with_reached(reached).with_retries(retries))
            }),
        }
    }
}

/// Whether it is an answer to a call of gRPC, which ends in trailers. In `grpc-web` they are a part of the body.
fn answers_call<B>(response: &Response<B>) -> bool {
    const GRPC: &[u8] = b"application/grpc";
    let content_type = response.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    content_type.is_some_and(|value| {
        value.starts_with(GRPC) && matches!(value.get(GRPC.len()), None | Some(b'+' | b';' | b' '))
    })
}
