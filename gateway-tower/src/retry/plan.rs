//! The plan of a request's retries, with what is kept of the request for them.

use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use gateway_core::rule;
use http::{Method, Request, Response, request};
use http_body::Body;
use tokio::time::{self, Sleep};
use tower_service::Service;

use crate::balance::Tried;
use crate::body::replay::Replay;
use crate::body::{BoxError, RequestBody};
use crate::client::{allow_retry, count_request};
use crate::outcome::{IntoRefused, Refused};
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
    /// What is waited for between attempts.
    next: Option<Next<B>>,
}

/// What comes after the result of an attempt.
pub(super) enum Follows {
    /// Nothing: it is the last.
    Nothing,
    /// Another attempt.
    Attempt,
    /// A refusal in its place: the backend has got as many retries as its budget allows.
    Refusal,
}

/// The next attempt: after this pause, with this body.
struct Next<B> {
    pause: Pin<Box<Sleep>>,
    body: RequestBody<B>,
}

// === impl Plan ===

impl<S, B> Plan<S, B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    /// The plan for other attempts if the rule wants any; the request is the first of them from then on.
    pub(super) fn for_request(request: &mut Request<RequestBody<B>>, service: &S) -> Option<Box<Self>>
    where
        S: Clone,
    {
        let routed = request.extensions().get::<Routed>()?;
        if let Some(backend) = routed.backend() {
            count_request(backend);
        }
        routed.rule().retry.as_ref()?;
        Self::begin(routed.clone(), request, service)
    }

    /// The same for a rule that wants some: out of line, to keep the way of the others short.
    #[inline(never)]
    fn begin(routed: Routed, request: &mut Request<RequestBody<B>>, service: &S) -> Option<Box<Self>>
    where
        S: Clone,
    {
        if upgrade::is_requested(request.method(), request.headers()) {
            return None;
        }
        let (parts, body) = mem::take(request).into_parts();
        let replay = (!body.is_end_stream()).then(|| Replay::new(body));
        let body = replay.as_ref().and_then(Replay::attempt).map(RequestBody::replayed).unwrap_or_default();
        *request = Request::from_parts(parts.clone(), body);
        let service = service.clone();
        let (tried, next) = (Vec::new(), None);
        Some(Box::new(Self { service, retries: 0, routed, parts, body: replay, tried, next }))
    }

    /// What follows when this is the result of the last attempt. The pause before another one begins now.
    pub(super) fn prepare_next<RB>(&mut self, result: &Result<Response<RB>, Refused>) -> Follows {
        let Some(body) = self.body_of_next(result) else { return Follows::Nothing };
        if !self.routed.backend().is_none_or(allow_retry) {
            return Follows::Refusal;
        }
        self.next = Some(self.next(result, body));
        Follows::Attempt
    }

    /// The body of another attempt, where one may be made.
    fn body_of_next<RB>(&self, result: &Result<Response<RB>, Refused>) -> Option<RequestBody<B>> {
        let retry = self.routed.rule().retry.as_deref()?;
        if self.retries >= retry.attempts || !is_failed(retry, &self.parts.method, result) {
            return None;
        }
        match &self.body {
            Some(replay) => replay.attempt().map(RequestBody::replayed),
            None => Some(RequestBody::empty()),
        }
    }

    fn next<RB>(&mut self, result: &Result<Response<RB>, Refused>, body: RequestBody<B>) -> Next<B> {
        self.retries += 1;
        if let Some(progress) = self.routed.progress() {
            progress.pause();
        }
        self.tried.extend(Refused::reached_of(result).and_then(|reached| reached.endpoint));
        let retry = self.routed.rule().retry.as_deref();
        let least = retry.map_or(Duration::ZERO, |retry| retry.delay(self.retries));
        let pause = least.saturating_add(least.mul_f64(fastrand::f64() / 4.0));
        tracing::debug!(rule = %self.routed.rule().id, retry = self.retries, ?pause, "trying again");
        Next { pause: Box::pin(time::sleep(pause)), body }
    }

    /// The next attempt, after its pause and once the service is ready.
    pub(super) fn poll_attempt(&mut self, cx: &mut Context<'_>) -> Poll<Result<S::Future, Refused>>
    where
        S: Service<Request<RequestBody<B>>>,
        S::Error: IntoRefused,
    {
        if let Some(next) = &mut self.next {
            ready!(next.pause.as_mut().poll(cx));
        }
        ready!(S::Error::refuse(self.service.poll_ready(cx)))?;
        let body = self.next.take().map(|next| next.body).unwrap_or_default();
        if let Some(progress) = self.routed.progress() {
            progress.try_again(self.retries);
        }
        let mut request = Request::from_parts(self.parts.clone(), body);
        request.extensions_mut().insert(Tried(self.tried.as_slice().into()));
        Poll::Ready(Ok(self.service.call(request)))
    }
}

/// Whether another attempt may do better.
///
/// # Spec
/// RTY-01, RTY-04, RTY-07, RTY-08, RTY-11.
fn is_failed<B>(retry: &rule::Retry, method: &Method, result: &Result<Response<B>, Refused>) -> bool {
    match result {
        Ok(response) => retry.retries(response.status()) || is_unavailable(response),
        Err(refused) => refused.refusal().is_failed_attempt(method),
    }
}

/// Whether this is the answer of gRPC by which a backend says that it has not taken the call: one that has nothing before
/// its trailers.
fn is_unavailable<B>(response: &Response<B>) -> bool {
    const UNAVAILABLE: &str = "14";
    response.headers().get("grpc-status").is_some_and(|status| status == UNAVAILABLE)
}
