//! The layer, and the service that retries.

use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use super::RetryFuture;
use super::plan::Plan;
use crate::body::{BoxError, RequestBody};
use crate::outcome::{IntoRefused, Refused};

/// Tries requests again as their rules say.
///
/// The page of [`retry`](crate::retry) has an example.
#[derive(Clone, Copy, Debug, Default)]
pub struct RetryLayer;

/// Tries requests again as their rules say.
///
/// `poll_ready` is that of the service within. A retry waits until a clone of that service is ready.
///
/// # Panics
/// A retry panics when there is no tokio runtime with a timer.
#[derive(Clone, Debug)]
pub struct Retry<S> {
    inner: S,
}

// === impl RetryLayer ===

impl<S> Layer<S> for RetryLayer {
    type Service = Retry<S>;

    fn layer(&self, inner: S) -> Retry<S> {
        Retry { inner }
    }
}

// === impl Retry ===

impl<S, B, RB> Service<Request<RequestBody<B>>> for Retry<S>
where
    S: Service<Request<RequestBody<B>>, Response = Response<RB>> + Clone,
    S::Error: IntoRefused,
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Response = Response<RB>;
    type Error = Refused;
    type Future = RetryFuture<S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        S::Error::refuse(self.inner.poll_ready(cx))
    }

    #[inline]
    fn call(&mut self, mut request: Request<RequestBody<B>>) -> RetryFuture<S, B> {
        let plan = Plan::for_request(&mut request, &self.inner);
        RetryFuture::new(self.inner.call(request), plan)
    }
}
