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
        future: F,
    }
}

// === impl RecoverFuture ===

impl<F> RecoverFuture<F> {
    pub(super) fn new(future: F) -> Self {
        Self { future }
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
        Poll::Ready(match ready!(self.project().future.poll(cx)) {
            Ok(response) => Ok(response.map(ResponseBody::upstream)),
            Err(error) => Err(Refused::from_client_error(error.into())),
        })
    }
}
