//! What is kept of a request in order to try it again.

use std::mem;
use std::time::Duration;

use bytes::Bytes;
use gateway_core::rule;
use http::{Request, Response, request};
use http_body::Body;

use crate::balance::Tried;
use crate::body::replay::Replay;
use crate::body::{BoxError, RequestBody};
use crate::outcome::Refused;
use crate::routed::Routed;
use crate::upgrade;

/// The request as the attempts share it, and the service for the next one.
pub(super) struct Plan<S, B> {
    pub(super) service: S,
    pub(super) retries: u32,
    routed: Routed,
    parts: request::Parts,
    /// None when the request has no body.
    body: Option<Replay<RequestBody<B>>>,
    /// The endpoints of the attempts so far.
    tried: Vec<u32>,
}

/// The next attempt: after this pause, with this body.
pub(super) struct Next<B> {
    pub(super) pause: Duration,
    pub(super) body: RequestBody<B>,
}

// === impl Plan ===

impl<S, B> Plan<S, B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    /// The plan for other attempts if the rule wants any; the request is the first of them from then on.
    pub(super) fn of(request: &mut Request<RequestBody<B>>, service: &S) -> Option<Box<Self>>
    where
        S: Clone,
    {
        let routed = request.extensions().get::<Routed>()?;
        routed.rule().retry.as_ref()?;
        let routed = routed.clone();
        if upgrade::is_requested(request.method(), request.headers()) {
            return None;
        }
        let (parts, body) = mem::take(request).into_parts();
        let replay = (!body.is_end_stream()).then(|| Replay::new(body));
        let body = replay.as_ref().and_then(Replay::attempt).map(RequestBody::replayed).unwrap_or_default();
        let tried = Vec::new();
        let plan =
            Self { service: service.clone(), retries: 0, routed, parts: parts.clone(), body: replay, tried };
        *request = Request::from_parts(parts, body);
        Some(Box::new(plan))
    }

    /// What is to follow when this was the last attempt's result, if anything.
    pub(super) fn next<RB>(&mut self, result: &Result<Response<RB>, Refused>) -> Option<Next<B>> {
        let retry = self.routed.rule().retry.as_deref()?;
        if self.retries >= retry.attempts || !is_failed(retry, result) {
            return None;
        }
        let body = match &self.body {
            Some(replay) => RequestBody::replayed(replay.attempt()?),
            None => RequestBody::empty(),
        };
        self.retries += 1;
        self.tried.extend(Refused::routed_of(result).and_then(Routed::endpoint_position));
        let least = retry.delay(self.retries);
        let pause = least.saturating_add(least.mul_f64(fastrand::f64() / 4.0));
        tracing::debug!(rule = %self.routed.rule().id, retry = self.retries, ?pause, "trying again");
        Some(Next { pause, body })
    }

    /// The request of the attempt that is on now.
    pub(super) fn request(&self, body: RequestBody<B>) -> Request<RequestBody<B>> {
        let mut request = Request::from_parts(self.parts.clone(), body);
        request.extensions_mut().insert(Tried(self.tried.as_slice().into()));
        request
    }
}

/// Whether another attempt may do better.
///
/// # Spec
/// RTY-01, RTY-04, RTY-07, RTY-08.
fn is_failed<B>(retry: &rule::Retry, result: &Result<Response<B>, Refused>) -> bool {
    match result {
        Ok(response) => retry.retries(response.status()),
        Err(refused) => refused.refusal().is_failed_attempt(),
    }
}
