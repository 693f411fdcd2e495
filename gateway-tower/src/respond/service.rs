//! The layer, and the service that turns refusals into answers.

use std::convert::Infallible;
use std::fmt;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use super::{Form, RespondFuture};
use crate::outcome::{IntoRefused, Refused};

/// Turns refusals into answers.
///
/// The page of [`respond`](crate::respond) has an example.
#[derive(Clone, Copy, Debug, Default)]
pub struct RespondLayer;

/// Answers requests that are refused within, in the form that the client understands.
///
/// `poll_ready` is that of the service within. A service that fails there does not fail here: the error becomes the answer
/// to the call that follows.
pub struct Respond<S> {
    inner: S,
    not_ready: Option<Refused>,
}

// === impl RespondLayer ===

impl<S> Layer<S> for RespondLayer {
    type Service = Respond<S>;

    fn layer(&self, inner: S) -> Respond<S> {
        Respond { inner, not_ready: None }
    }
}

// === impl Respond ===

impl<S> Respond<S> {
    /// The same around another service.
    pub(crate) fn map<T>(self, change: impl FnOnce(S) -> T) -> Respond<T> {
        Respond { inner: change(self.inner), not_ready: self.not_ready }
    }
}

impl<S, B, RB> Service<Request<B>> for Respond<S>
where
    S: Service<Request<B>, Response = Response<RB>>,
    S::Error: IntoRefused,
    RB: From<Bytes>,
{
    type Response = Response<RB>;
    type Error = Infallible;
    type Future = RespondFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        if self.not_ready.is_none() {
            self.not_ready = ready!(self.inner.poll_ready(cx)).err().map(IntoRefused::into_refused);
        }
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn call(&mut self, request: Request<B>) -> RespondFuture<S::Future> {
        let form = Form::from_request(request.method(), request.headers());
        match self.not_ready.take() {
            None => RespondFuture::forwarded(self.inner.call(request), form),
            Some(refused) => RespondFuture::not_ready(refused, form),
        }
    }
}

impl<S: Clone> Clone for Respond<S> {
    fn clone(&self) -> Self {
        // Whether a service is ready is not cloned along, and so neither is that it is not.
        Self { inner: self.inner.clone(), not_ready: None }
    }
}

impl<S: fmt::Debug> fmt::Debug for Respond<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Respond").field("inner", &self.inner).finish_non_exhaustive()
    }
}
