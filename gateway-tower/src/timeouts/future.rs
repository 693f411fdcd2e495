//! The answer, if it comes in time.

use std::pin::Pin;
use std::task::{Context, Poll};

use http::header::{self, HeaderValue};
use http::{Response, StatusCode};
use pin_project_lite::pin_project;

use crate::body::ResponseBody;
use crate::body::deadline::Deadline;
use crate::outcome::{IntoRefused, Refusal, Refused};
use crate::routed::{Progress, Stage};

pin_project! {
    /// The answer of the service within, or a refusal with 504 when that takes too long.
    #[derive(Debug)]
    pub struct TimeoutsFuture<F> {
        #[pin]
        future: F,
        // Nothing where the rule has no timeout, or an answer has begun.
        limited: Option<Limited>,
    }
}

/// The time that an answer has to begin.
#[derive(Debug)]
struct Limited {
    deadline: Deadline,
    progress: Option<Progress>,
    /// Whether success makes the connection a tunnel, as for CONNECT.
    tunnel: bool,
}

// === impl TimeoutsFuture ===

impl<F> TimeoutsFuture<F> {
    pub(super) fn unlimited(future: F) -> Self {
        Self { future, limited: None }
    }

    pub(super) fn within(deadline: Deadline, progress: Option<Progress>, tunnel: bool, future: F) -> Self {
        Self { future, limited: Some(Limited { deadline, progress, tunnel }) }
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
        let Some(limited) = this.limited else { return E::refuse_from(|| this.future.poll(cx)) };
        match this.future.poll(cx) {
            Poll::Ready(Ok(mut response)) => {
                if let Some(limited) = this.limited.take() {
                    limited.limit_body(&mut response);
                }
                Poll::Ready(Ok(response))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error.into_refused())),
            Poll::Pending => limited.poll(cx).map(Err),
        }
    }
}

// === impl Limited ===

impl Limited {
    /// Ready when the time is over.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Refused> {
        self.deadline.poll(cx).map(|late| {
            // The attempt that goes on knows its endpoint, and is dropped with it.
            let Stage { reached, retries } = self.progress.as_ref().map(Progress::get).unwrap_or_default();
            Refused::from(Refusal::TimedOut(late.0)).with_reached(reached).with_retries(retries)
        })
    }

    /// The time goes on for the body of the answer, but for one that makes the connection something else.
    fn limit_body<B>(self, response: &mut Response<ResponseBody<B>>) {
        let Self { deadline, progress: _, tunnel } = self;
        let status = response.status();
        if status == StatusCode::SWITCHING_PROTOCOLS || (tunnel && status.is_success()) {
            return;
        }
        let deadline = if answers_call(response) { deadline.told() } else { deadline };
        response.body_mut().limit(deadline);
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
