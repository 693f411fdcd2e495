//! The answer, whoever made it.

use std::convert::Infallible;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Response;
use pin_project_lite::pin_project;

use super::Form;
use crate::outcome::Refused;

pin_project! {
    /// The answer of the service within, or the gateway's own to a request that was refused; never an error.
    #[derive(Debug)]
    pub struct RespondFuture<F> {
        #[pin]
        state: State<F>,
        form: Form,
    }
}

pin_project! {
    #[project = StateProjected]
    #[derive(Debug)]
    enum State<F> {
        Forwarded { #[pin] future: F },
        NotReady { refused: Option<Refused> },
    }
}

// === impl RespondFuture ===

impl<F> RespondFuture<F> {
    pub(super) fn forwarded(future: F, form: Form) -> Self {
        Self { state: State::Forwarded { future }, form }
    }

    pub(super) fn not_ready(refused: Refused, form: Form) -> Self {
        Self { state: State::NotReady { refused: Some(refused) }, form }
    }
}

impl<F, B, E> Future for RespondFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Into<Refused>,
    B: From<Bytes>,
{
    type Output = Result<Response<B>, Infallible>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let refused = match this.state.project() {
            // Passed on as it comes: an answer is large to move.
            StateProjected::Forwarded { future } => match future.poll(cx) {
                Poll::Ready(Ok(response)) => return Poll::Ready(Ok(response)),
                Poll::Ready(Err(error)) => error.into(),
                Poll::Pending => return Poll::Pending,
            },
            StateProjected::NotReady { refused } => {
                refused.take().expect("a future is not polled after it was ready")
            }
        };
        Poll::Ready(Ok(mem::take(this.form).answer(refused)))
    }
}
