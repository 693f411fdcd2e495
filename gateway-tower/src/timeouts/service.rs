//! The service that keeps to a timeout.

use std::task::{Context, Poll};
use std::time::Duration;

use http::{Method, Request, Response};
use tower_service::Service;

use super::{Limit, TimeoutsFuture};
use crate::authorize::Began;
use crate::body::ResponseBody;
use crate::body::deadline::Deadline;
use crate::outcome::{IntoRefused, Refused};
use crate::routed::Routed;

/// Refuses with 504 when a request takes longer than its rule allows.
///
/// `poll_ready` is that of the service within, and is not limited in time.
///
/// # Panics
/// A call panics for a rule with the timeout, when there is no tokio runtime with a timer.
#[derive(Clone, Debug)]
pub struct Timeouts<S> {
    pub(super) inner: S,
    pub(super) limit: Limit,
}

// === impl Timeouts ===

impl<S, B, RB> Service<Request<B>> for Timeouts<S>
where
    S: Service<Request<B>, Response = Response<ResponseBody<RB>>>,
    S::Error: IntoRefused,
{
    type Response = S::Response;
    type Error = Refused;
    type Future = TimeoutsFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        S::Error::refuse(self.inner.poll_ready(cx))
    }

    #[inline]
    fn call(&mut self, request: Request<B>) -> TimeoutsFuture<S::Future> {
        // A request that was not routed has no rule, and so no timeout.
        let routed: Option<&Routed> = request.extensions().get();
        let timeouts = routed.map(|routed| routed.rule().timeouts_for(request.headers()));
        let after = timeouts.and_then(|timeouts| match self.limit {
            // What was spent on authorization services is gone.
            Limit::Request => timeouts.request().map(|limit| match request.extensions().get::<Began>() {
                Some(began) => limit.saturating_sub(began.0.elapsed()),
                None => limit,
            }),
            Limit::BackendRequest => timeouts.backend_request(),
        });
        match after {
            None => TimeoutsFuture::unlimited(self.inner.call(request)),
            Some(after) => self.call_within(after, request),
        }
    }
}

impl<S> Timeouts<S> {
    /// Out of line, to keep the way of a request without a timeout short.
    #[inline(never)]
    fn call_within<B>(&mut self, after: Duration, mut request: Request<B>) -> TimeoutsFuture<S::Future>
    where
        S: Service<Request<B>>,
    {
        let deadline = Deadline::after(after, self.limit);
        // That of a single attempt is told by who makes it.
        let routed = request.extensions_mut().get_mut().filter(|_| self.limit == Limit::Request);
        let progress = routed.map(Routed::tell_progress);
        let tunnel = *request.method() == Method::CONNECT;
        TimeoutsFuture::within(deadline, progress, tunnel, self.inner.call(request))
    }
}
