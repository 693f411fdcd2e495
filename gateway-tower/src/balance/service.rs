//! The service that chooses endpoints.

use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::SystemTime;

use gateway_core::exchange::{self, Exchange};
use gateway_core::rule::{Backend, BackendProtocol, Endpoint, SessionHeader, SessionKey};
use http::header::{self, HeaderValue};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Request, Response, Uri, Version};
use tower_service::Service;

use super::{Attempt, BalanceFuture, Pick, Picked};
use crate::body::ResponseBody;
use crate::body::guard::Guard;
use crate::handle::Snapshot;
use crate::outcome::{IntoRefused, Refusal, Refused};
use crate::routed::{Reached, Routed};

/// Sends each request to an endpoint of the backend that was chosen for it.
///
/// `poll_ready` is that of the service within, which must be ready for any endpoint.
#[derive(Clone, Debug)]
pub struct Balance<S> {
    pub(super) inner: S,
    pub(super) picker: Arc<dyn Pick>,
    pub(super) sessions: SessionKey,
}

// === impl Balance ===

impl<S, B, RB> Service<Request<B>> for Balance<S>
where
    S: Service<Request<B>, Response = Response<ResponseBody<RB>>>,
    S::Error: IntoRefused,
{
    type Response = S::Response;
    type Error = Refused;
    type Future = BalanceFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        S::Error::refuse(self.inner.poll_ready(cx))
    }

    #[inline]
    fn call(&mut self, mut request: Request<B>) -> BalanceFuture<S::Future> {
        match choose(&mut request, &*self.picker, &self.sessions) {
            Ok(Chosen { reached, guard, begins }) => {
                BalanceFuture::forwarded(self.inner.call(request), reached, guard, begins)
            }
            Err(refusal) => BalanceFuture::refused(refusal),
        }
    }
}

/// The endpoint of an attempt, and what is held until that is over.
struct Chosen {
    reached: Option<Reached>,
    guard: Guard,
    /// What the answer says where a session begins.
    begins: Option<Box<SessionHeader>>,
}

/// Chooses the endpoint for this attempt, and aims the request at it, unless the client answers for the backend.
///
/// # Spec
/// HRB-12; FMR-02 for mirrors; SES-05, SES-13; the choice for retries is RTY-09.
fn choose<B>(request: &mut Request<B>, picker: &dyn Pick, sessions: &SessionKey) -> Result<Chosen, Refusal> {
    let Some(routed) = request.extensions().get::<Routed>() else { return Err(Refusal::NotRouted) };
    let backend = routed.backend().ok_or(exchange::Refusal::NoBackend)?;
    if backend.is_answered_by_client() {
        return Ok(Chosen { reached: routed.reached(), guard: Guard::none(), begins: None });
    }
    if backend.endpoints.is_empty() {
        return Err(exchange::Refusal::without_endpoints(backend).into());
    }
    let attempt = Attempt::new(backend, request);
    let (Picked { position, guard }, begins) = match routed.session() {
        None => (picker.pick(&attempt).ok_or(exchange::Refusal::NoEndpoints)?, None),
        Some(exchange) => in_session(exchange, &attempt, picker, sessions)?,
    };
    let endpoint = backend.endpoints.get(position).ok_or(exchange::Refusal::NoEndpoints)?;
    let (authority, version, scheme) = (endpoint.authority().clone(), version(backend), scheme(backend));
    let Some(routed) = request.extensions_mut().get_mut::<Routed>() else { return Err(Refusal::NotRouted) };
    routed.set_endpoint(Some(position));
    let reached = routed.reached();
    aim_at(request, authority, version, scheme);
    Ok(Chosen { reached, guard, begins })
}

/// The endpoint of the client's session, or another, with which one begins.
#[inline(never)]
fn in_session(
    exchange: &Exchange<Snapshot>,
    attempt: &Attempt<'_>,
    picker: &dyn Pick,
    sessions: &SessionKey,
) -> Result<(Picked, Option<Box<SessionHeader>>), Refusal> {
    let now = SystemTime::now();
    let kept = exchange.session_endpoint(sessions, now);
    // One that has failed this request is left.
    if let Some(position) = kept.filter(|kept| attempt.tried().all(|tried| tried != *kept)) {
        return Ok((picker.keep(attempt, position), None));
    }
    let picked = picker.pick(attempt).ok_or(exchange::Refusal::NoEndpoints)?;
    // With the only endpoint that there is, it goes on.
    let begins = if kept == Some(picked.position) {
        None
    } else {
        exchange.begin_session(sessions, picked.position, now).map(Box::new)
    };
    Ok((picked, begins))
}

/// Addresses the request to the endpoint, and keeps the host that the client asked for in the Host header.
///
/// For services that choose endpoints in a way of their own; the balance layer does it.
///
/// # Spec
/// [FRW-08](gateway_core::spec#FRW-08), [AMB-43](gateway_core::choices#AMB-43).
pub fn aim<B>(request: &mut Request<B>, endpoint: &Endpoint, backend: &Backend) {
    aim_at(request, endpoint.authority().clone(), version(backend), scheme(backend));
}

fn version(backend: &Backend) -> Version {
    match backend.protocol {
        BackendProtocol::Http1 | BackendProtocol::WebSocket => Version::HTTP_11,
        BackendProtocol::H2c => Version::HTTP_2,
    }
}

/// A client that knows nothing of TLS refuses the scheme rather than send plain text.
fn scheme(backend: &Backend) -> Scheme {
    if backend.tls.is_some() { Scheme::HTTPS } else { Scheme::HTTP }
}

fn aim_at<B>(request: &mut Request<B>, endpoint: Authority, version: Version, scheme: Scheme) {
    *request.version_mut() = version;
    let mut target = mem::take(request.uri_mut()).into_parts();
    if let Some(authority) = target.authority.replace(endpoint)
        && request.headers().get(header::HOST).is_none_or(|host| host != authority.as_str())
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        // A request with so many headers that there is no room for another goes without.
        let _full = request.headers_mut().try_insert(header::HOST, host);
    }
    target.scheme = Some(scheme);
    // CONNECT names no path.
    target.path_and_query.get_or_insert_with(|| PathAndQuery::from_static("/"));
    *request.uri_mut() = Uri::from_parts(target).expect("a URI with all of its components");
}
