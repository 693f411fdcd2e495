//! The service that chooses endpoints.

use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use gateway_core::exchange;
use gateway_core::rule::{BackendProtocol, Endpoint};
use http::header::{self, HeaderValue};
use http::uri::{PathAndQuery, Scheme};
use http::{Request, Response, Uri, Version};
use tower_service::Service;

use super::{Attempt, BalanceFuture, Pick, Picked};
use crate::body::ResponseBody;
use crate::body::guard::Guard;
use crate::outcome::{Refusal, Refused};
use crate::routed::Routed;

/// Sends each request to an endpoint of the backend that was chosen for it.
///
/// `poll_ready` is that of the service within, which must be ready for any endpoint.
#[derive(Clone, Debug)]
pub struct Balance<S> {
    pub(super) inner: S,
    pub(super) picker: Arc<dyn Pick>,
}

// === impl Balance ===

impl<S, B, RB> Service<Request<B>> for Balance<S>
where
    S: Service<Request<B>, Response = Response<ResponseBody<RB>>>,
    S::Error: Into<Refused>,
{
    type Response = S::Response;
    type Error = Refused;
    type Future = BalanceFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    #[inline]
    fn call(&mut self, mut request: Request<B>) -> BalanceFuture<S::Future> {
        match choose(&mut request, &*self.picker) {
            Ok((routed, guard)) => {
                if let (Some(backend), Some(endpoint)) = (routed.backend(), routed.endpoint()) {
                    aim(&mut request, endpoint, backend.protocol);
                }
                BalanceFuture::forwarded(self.inner.call(request), routed, guard)
            }
            Err(refusal) => BalanceFuture::refused(refusal),
        }
    }
}

/// The endpoint for this attempt.
///
/// # Spec
/// HRB-12; FMR-02 for mirrors; the choice for retries is RTY-09.
fn choose<B>(request: &mut Request<B>, picker: &dyn Pick) -> Result<(Routed, Guard), Refusal> {
    let routed = request.extensions().get::<Routed>().ok_or(Refusal::NotRouted)?;
    let backend = routed.backend().ok_or(exchange::Refusal::NoBackend)?;
    if backend.endpoints.is_empty() {
        return Err(exchange::Refusal::NoEndpoints.into());
    }
    let Picked { position, guard } =
        picker.pick(&Attempt::new(backend, request)).ok_or(exchange::Refusal::NoEndpoints)?;
    let routed = request.extensions_mut().get_mut::<Routed>().ok_or(Refusal::NotRouted)?;
    if !routed.choose_endpoint(position) {
        return Err(exchange::Refusal::NoEndpoints.into());
    }
    Ok((routed.clone(), guard))
}

/// Addresses the request to the endpoint, and keeps the host that the client asked for in the Host header.
///
/// For services that choose endpoints in a way of their own; the balance layer does it.
///
/// # Spec
/// FRW-08, AMB-43.
pub fn aim<B>(request: &mut Request<B>, endpoint: &Endpoint, protocol: BackendProtocol) {
    *request.version_mut() = match protocol {
        BackendProtocol::Http1 | BackendProtocol::WebSocket => Version::HTTP_11,
        BackendProtocol::H2c => Version::HTTP_2,
    };
    let mut target = mem::take(request.uri_mut()).into_parts();
    if let Some(authority) = target.authority.replace(endpoint.authority().clone())
        && request.headers().get(header::HOST).is_none_or(|host| host != authority.as_str())
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        // A request with so many headers that there is no room for another goes without.
        let _full = request.headers_mut().try_insert(header::HOST, host);
    }
    target.scheme = Some(Scheme::HTTP);
    // CONNECT names no path.
    target.path_and_query.get_or_insert_with(|| PathAndQuery::from_static("/"));
    *request.uri_mut() = Uri::from_parts(target).expect("a URI with all of its components");
}
