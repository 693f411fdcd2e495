//! The answer of a client, or what its error means.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use pin_project_lite::pin_project;

use crate::body::{BoxError, ResponseBody};
use crate::outcome::Refused;

pin_project! {
    /// The client's answer, or a refusal in place of its error.
    #[derive(Debug)]
    pub struct RecoverFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = StateProjected]
    #[derive(Debug)]
    enum State<F> {
        Forwarded { #[pin] future: F },
        Failed { error: Option<BoxError> },
    }
}

// === impl RecoverFuture ===

impl<F> RecoverFuture<F> {
    pub(super) fn forwarded(future: F) -> Self {
        Self { state: State::Forwarded { future } }
    }

    pub(super) fn failed(error: BoxError) -> Self {
        Self { state: State::Failed { error: Some(error) } }
    }
}

impl<F, B, E> Future for RecoverFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Into<BoxError>,
{
    type Output = Result<Response<ResponseBody<B>>, Refused>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let error = match self.project().state.project() {
            StateProjected::Forwarded { future } => match ready!(future.poll(cx)) {
                Ok(response) => return Poll::Ready(Ok(response.map(ResponseBody::upstream))),
                Err(error) => error.into(),
            },
            StateProjected::Failed { error } => {
                error.take().expect("a future is not polled after it was ready")
            }
        };
        Poll::Ready(Err(Refused::from_client_error(error)))
    }
}
