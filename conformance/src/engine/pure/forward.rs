//! A request at its backend, in virtual time: attempts, timeouts, copies.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, header, request};

use super::budgets::Budgets;
use super::tls::with_backend;
use crate::backend::{BackendPort, Served, VirtualBackends, check, read_echo};
use crate::decision::{
    Asked, AuthReply, Effect, Forwarded, Headers, Mirrored, Question, Reply, Retry, Sent, Session, Target,
    Timeouts,
};
use crate::engine::arrival::http_answer;
use crate::exchange::HttpAnswer;
use crate::store::Store;

/// The longest time between two attempts, unless the rule asks for more.
const MAX_BACKOFF: Duration = Duration::from_secs(10);

/// What came of an attempt, or of all of them.
enum Attempt {
    /// The backend answered.
    Answered(Response<Bytes>),
    /// It broke off, and may have processed the request.
    Broken,
    /// It did not answer in time, and may have processed the request.
    Late,
    /// There is no connection to it, or it may get no more retries.
    Unreachable,
    /// The time for the whole request is over.
    TimedOut,
}

/// Sends a request and its copies to backends, and gives what the client gets.
///
/// `first` is any number: it picks the endpoint of the first attempt. `again` decides once more about the request, now with
/// what the backend answers.
pub(super) fn forward(
    backends: &VirtualBackends,
    store: &Store,
    forwarded: Forwarded,
    first: u32,
    (budgets, now): (&mut Budgets, SystemTime),
    again: impl FnOnce(Response<()>) -> Effect,
) -> HttpAnswer {
    budgets.count_request(&forwarded.to, now);
    let (start, session) = (start(&forwarded, first), forwarded.session);
    let Forwarded { to, endpoints, sent, mirrors, failed, timeouts, retry, retry_budget, .. } = forwarded;
    mirror(backends, store, &mirrors, first);
    let mut course = Course { sent: &sent, timeouts, elapsed: Duration::ZERO };
    let (mut number, mut position) = (0, start);
    let last = loop {
        let attempt = match backends.at(endpoints[position]) {
            Some(backend) => match serve(backend, store, &to, course.sent) {
                Some(served) => course.attempt(served),
                None => Attempt::Broken,
            },
            None => Attempt::Unreachable,
        };
        let Some(pause) = retry.as_ref().and_then(|retry| pause(retry, number, course.sent, &attempt)) else {
            break attempt;
        };
        // RTB-03
        if retry_budget.is_some_and(|budget| !budgets.allow_retry(&to, budget, now)) {
            break Attempt::Unreachable;
        }
        number += 1;
        position = (position + 1) % endpoints.len();
        if !course.wait(pause) {
            break Attempt::TimedOut;
        }
    };
    match last {
        Attempt::Answered(response) => {
            let (mut parts, body) = response.into_parts();
            if let Some((name, value)) = begins(session.as_ref(), &endpoints, position) {
                let (name, value) = (name.parse::<HeaderName>(), HeaderValue::from_str(&value));
                parts.headers.append(name.expect("a name"), value.expect("a value"));
            }
            match again(Response::from_parts(parts, ())) {
                Effect::Forwarded(forwarded) => http_answer(&forwarded.reply, read_echo(&body)),
                Effect::Answered(reply) => http_answer(&reply, None),
                Effect::Asks(_) => unreachable!("all services were asked"),
            }
        }
        Attempt::Broken => by_gateway(StatusCode::BAD_GATEWAY, failed),
        Attempt::Unreachable => by_gateway(StatusCode::SERVICE_UNAVAILABLE, failed),
        Attempt::Late | Attempt::TimedOut => by_gateway(StatusCode::GATEWAY_TIMEOUT, failed),
    }
}

/// The position of the endpoint that the first attempt goes to: that of the session, or any.
pub(super) fn start(forwarded: &Forwarded, first: u32) -> usize {
    let kept = forwarded.session.as_ref().and_then(|session| session.kept);
    let kept = forwarded.endpoints.iter().position(|endpoint| Some(*endpoint) == kept);
    kept.unwrap_or(first as usize % forwarded.endpoints.len())
}

/// The header by which a session begins with the endpoint that answers, where it is not with that already.
pub(super) fn begins(
    session: Option<&Session>,
    endpoints: &[SocketAddr],
    position: usize,
) -> Option<(String, String)> {
    let session = session.filter(|session| session.kept != Some(endpoints[position]))?;
    session.begins.get(position).cloned()
}

/// Asks an authorization service.
///
/// `first` is any number: it picks the endpoint.
pub(super) fn ask(backends: &VirtualBackends, store: &Store, asked: &Asked, first: u32) -> AuthReply {
    let endpoint = asked.endpoints[first as usize % asked.endpoints.len()];
    let Some(backend) = backends.at(endpoint) else { return AuthReply::Nothing };
    match &asked.question {
        Question::Http(sent) => match serve(backend, store, &asked.to, sent).and_then(|it| it.response) {
            Some(response) => AuthReply::Http(response),
            None => AuthReply::Nothing,
        },
        Question::Check(told) if backend.is_grpc() && !backend.is_tls() => {
            let headers = told.headers.iter().map(|(name, lines)| (name.as_str(), lines.concat()));
            AuthReply::Check(check(&told.target, headers))
        }
        Question::Check(_) => AuthReply::Nothing,
    }
}

/// Sends copies.
pub(super) fn mirror(backends: &VirtualBackends, store: &Store, mirrors: &[Mirrored], first: u32) {
    for mirror in mirrors {
        let endpoint = mirror.endpoints.get(first as usize % mirror.endpoints.len().max(1));
        if let Some(backend) = endpoint.and_then(|endpoint| backends.at(*endpoint)) {
            // What became of a copy does not matter.
            let _ = serve(backend, store, &mirror.to, &mirror.sent);
        }
    }
}

fn by_gateway(status: StatusCode, headers: Headers) -> HttpAnswer {
    http_answer(&Reply { status, headers }, None)
}

/// How long to wait before the attempt after this one, if there is to be one.
///
/// # Spec
/// RTY-01 to RTY-08, RTY-11.
fn pause(retry: &Retry, number: u32, sent: &Sent, attempt: &Attempt) -> Option<Duration> {
    const IDEMPOTENT: [&str; 6] = ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"];
    let again = match attempt {
        Attempt::Answered(response) => retry.codes.contains(&response.status().as_u16()),
        Attempt::Unreachable => true,
        Attempt::Late => IDEMPOTENT.contains(&sent.method.as_str()),
        Attempt::Broken | Attempt::TimedOut => false,
    };
    let doubled = retry.backoff.saturating_mul(1u32.checked_shl(number).unwrap_or(u32::MAX));
    (again && number < retry.attempts).then(|| doubled.min(MAX_BACKOFF.max(retry.backoff)))
}

/// A request on its way, and how long it has taken.
struct Course<'s> {
    sent: &'s Sent,
    timeouts: Timeouts,
    elapsed: Duration,
}

// === impl Course ===

impl Course<'_> {
    /// # Spec
    /// TMO-01, TMO-02.
    fn attempt(&mut self, served: Served) -> Attempt {
        let late = self.timeouts.backend_request.filter(|limit| served.after > *limit);
        if !self.wait(late.unwrap_or(served.after)) {
            return Attempt::TimedOut;
        }
        match (late, served.response) {
            (Some(_), _) => Attempt::Late,
            (None, Some(response)) => Attempt::Answered(response),
            (None, None) => Attempt::Broken,
        }
    }

    /// Lets time pass; false if the time for the request is over.
    fn wait(&mut self, time: Duration) -> bool {
        self.elapsed = self.elapsed.saturating_add(time);
        self.timeouts.request.is_none_or(|limit| self.elapsed <= limit)
    }
}

/// Sends a request to a backend; nothing if the two do not understand each other.
fn serve(backend: &BackendPort, store: &Store, to: &Target, sent: &Sent) -> Option<Served> {
    let seen = match &to.tls {
        Some(tls) => Some(with_backend(tls, backend, store)?),
        None => None,
    };
    let understood = backend.is_tls() == seen.is_some() && (backend.is_http() || backend.is_grpc());
    understood.then(|| backend.http.serve(&head(sent), seen.as_ref()))
}

/// The head of a request as the backend gets it: its host is in the Host header.
fn head(sent: &Sent) -> request::Parts {
    let mut request = Request::builder().method(sent.method.as_str()).uri(sent.target.as_str());
    for (name, lines) in &sent.headers {
        for line in lines {
            request = request.header(name, line);
        }
    }
    // What was decided about was a request, and still is one.
    let (mut head, ()) = request.body(()).unwrap_or_default().into_parts();
    if let Some(host) = sent.authority.as_ref().and_then(|authority| HeaderValue::from_str(authority).ok()) {
        head.headers.insert(header::HOST, host);
    }
    head
}
