//! The layer, and the service that turns errors into refusals.

use std::fmt;
use std::task::{Context, Poll, ready};

use http::{HeaderValue, Request, Response, header};
use tower_layer::Layer;
use tower_service::Service;

use super::RecoverFuture;
use crate::body::{BoxError, ResponseBody};
use crate::outcome::{OrRefused, Refused};
use crate::routed::Routed;

/// Refuses requests that the client fails.
///
/// The page of [`recover`](crate::recover) has an example.
#[derive(Clone, Copy, Debug, Default)]
pub struct RecoverLayer;

/// Refuses requests that the client fails, and gives all answers one body type.
///
/// `poll_ready` is that of the client. A client that fails there does not fail here: the error becomes the result of the
/// call that follows.
pub struct Recover<C> {
    client: C,
    not_ready: Option<Refused>,
}

// === impl RecoverLayer ===

impl<C> Layer<C> for RecoverLayer {
    type Service = Recover<C>;

    fn layer(&self, client: C) -> Recover<C> {
        Recover::new(client)
    }
}

// === impl Recover ===

impl<C> Recover<C> {
    pub(crate) fn new(client: C) -> Self {
        Self { client, not_ready: None }
    }
}

impl<C, B, RB> Service<Request<B>> for Recover<C>
where
    C: Service<Request<B>, Response = Response<RB>>,
    C::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody<RB>>;
    type Error = Refused;
    type Future = OrRefused<RecoverFuture<C::Future>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        if self.not_ready.is_none() {
            self.not_ready = ready!(self.client.poll_ready(cx))
                .err()
                .map(|error| Refused::from_client_error(error.into(), None));
        }
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn call(&mut self, request: Request<B>) -> Self::Future {
        match self.not_ready.take() {
            None => {
                let inflow = request.extensions().get().cloned();
                let upgrade = asked_upgrade(&request).cloned().map(Box::new);
                OrRefused::forwarded(RecoverFuture::new(self.client.call(request), inflow, upgrade))
            }
            Some(refused) => OrRefused::refused(refused),
        }
    }
}

/// The protocols that the client asks for on its connection, if it does.
fn asked_upgrade<B>(request: &Request<B>) -> Option<&HeaderValue> {
    // Of a request that a rule serves it is known whether, without a search among its headers.
    let routed: Option<&Routed> = request.extensions().get();
    if routed.is_some_and(|routed| !routed.exchange().wants_upgrade()) {
        return None;
    }
    request.headers().get(header::UPGRADE)
}

impl<C: Clone> Clone for Recover<C> {
    fn clone(&self) -> Self {
        // Whether a client is ready is not cloned along, and so neither is that it is not.
        Self::new(self.client.clone())
    }
}

impl<C: fmt::Debug> fmt::Debug for Recover<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recover").field("client", &self.client).finish_non_exhaustive()
    }
}
