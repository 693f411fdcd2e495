//! The answer of a client, or to its error.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use pin_project_lite::pin_project;

use crate::body::{BoxError, ResponseBody};
use crate::refusal::Refusal;

pin_project! {
    /// The client's answer; never an error.
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
        Refused { refusal: Option<Refusal> },
    }
}

// === impl RecoverFuture ===

impl<F> RecoverFuture<F> {
    pub(super) fn forwarded(future: F) -> Self {
        Self { state: State::Forwarded { future } }
    }

    pub(super) fn refused(refusal: Refusal) -> Self {
        Self { state: State::Refused { refusal: Some(refusal) } }
    }
}

impl<F, B, E> Future for RecoverFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Into<BoxError>,
{
    type Output = Result<Response<ResponseBody<B>>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(Ok(match self.project().state.project() {
            StateProjected::Forwarded { future } => match ready!(future.poll(cx)) {
                Ok(response) => response.map(ResponseBody::upstream),
                Err(error) => Refusal::of_client_error(error.into()).into_response(),
            },
            StateProjected::Refused { refusal } => {
                refusal.take().expect("a future is not polled after it was ready").into_response()
            }
        }))
    }
}
