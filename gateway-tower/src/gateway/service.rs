//! The gateway as one service.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_layer::{Identity, Layer};
use tower_service::Service;

use crate::authorize::Authorizer;
use crate::balance::{Balance, BalanceLayer};
use crate::body::{Limit, RequestBody};
use crate::connection::Connection;
use crate::dispatch::{Dispatch, DispatchLayer, Trust};
use crate::mirror::{Mirror, MirrorLayer};
use crate::observe::ObserveMirrors;
use crate::recover::{Recover, RecoverLayer};
use crate::respond::{Respond, RespondLayer};
use crate::retry::{Retry, RetryLayer};
use crate::route::{Route, RouteLayer};
use crate::timeouts::{Timeouts, TimeoutsLayer};

/// A whole gateway between a server and a client: requests in, answers out, never an error.
///
/// `Gateway<C>` is one over the client `C`; `R`, `F` and `A` are the layers of one's own that it may have, as a
/// [`GatewayBuilder`](super::GatewayBuilder) was given them. A server that clones it for each connection and names the [connection](Self::on) has the
/// cheapest requests.
///
/// `poll_ready` is that of the client, except that an error of it becomes the answer to the call that follows.
pub struct Gateway<C, R = Identity, F = Identity, A = Identity>
where
    A: Layer<PerAttempt<C>>,
    F: Layer<AfterFilters<C, A>>,
    R: Layer<AfterRoute<C, F, A>>,
{
    stack: Whole<C, R, F, A>,
}

/// What a layer for each attempt is put around.
pub type PerAttempt<C> = Timeouts<Recover<C>>;

/// What a layer after the filters is put around.
pub type AfterFilters<C, A> = Mirror<Retry<Balance<Around<A, PerAttempt<C>>>>, Balance<Recover<C>>>;

/// What a layer after the route is put around.
pub type AfterRoute<C, F, A> = Dispatch<Timeouts<Around<F, AfterFilters<C, A>>>, Authorizer<C>>;

type Whole<C, R, F, A> = Respond<Route<Around<R, AfterRoute<C, F, A>>, Authorizer<C>>>;
type Around<L, S> = <L as Layer<S>>::Service;

// === impl Gateway ===

impl<C, R, F, A> Gateway<C, R, F, A>
where
    A: Layer<PerAttempt<C>>,
    F: Layer<AfterFilters<C, A>>,
    R: Layer<AfterRoute<C, F, A>>,
{
    /// All layers, in the order of the table in the documentation of the module.
    pub(super) fn stacked(
        route: RouteLayer,
        trust: Trust,
        balance: &BalanceLayer,
        mirrors: Option<Arc<dyn ObserveMirrors>>,
        (after_route, after_filters, per_attempt): (&R, &F, &A),
        client: C,
    ) -> Self
    where
        C: Clone,
    {
        let authorizer = Authorizer::new(client.clone(), balance.picker());
        let copy = balance.layer(RecoverLayer.layer(client.clone()));
        let attempt = TimeoutsLayer::new(Limit::BackendRequest).layer(RecoverLayer.layer(client));
        let attempts = RetryLayer.layer(balance.layer(per_attempt.layer(attempt)));
        let mirror = match mirrors {
            Some(observer) => MirrorLayer::new(copy).observed(observer),
            None => MirrorLayer::new(copy),
        };
        let mirrored = after_filters.layer(mirror.layer(attempts));
        let limited = TimeoutsLayer::new(Limit::Request).layer(mirrored);
        let dispatched = DispatchLayer::new(trust).authorizer(authorizer.clone()).layer(limited);
        Self { stack: RespondLayer.layer(route.authorizer(authorizer).layer(after_route.layer(dispatched))) }
    }

    /// The same gateway for requests that come in on `connection`, unless their extensions name another.
    pub fn on(self, connection: Arc<Connection>) -> Self {
        Self { stack: self.stack.map(|route| route.on(connection)) }
    }
}

impl<C, R, F, A, B, RB> Service<Request<B>> for Gateway<C, R, F, A>
where
    A: Layer<PerAttempt<C>>,
    F: Layer<AfterFilters<C, A>>,
    R: Layer<AfterRoute<C, F, A>>,
    Whole<C, R, F, A>: Service<Request<RequestBody<B>>, Response = Response<RB>, Error = Infallible>,
    B: Body,
{
    type Response = Response<RB>;
    type Error = Infallible;
    type Future = <Whole<C, R, F, A> as Service<Request<RequestBody<B>>>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.stack.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut request = request.map(RequestBody::new);
        if let Some(inflow) = request.body().inflow().cloned() {
            request.extensions_mut().insert(inflow);
        }
        self.stack.call(request)
    }
}

impl<C, R, F, A> Clone for Gateway<C, R, F, A>
where
    A: Layer<PerAttempt<C>>,
    F: Layer<AfterFilters<C, A>>,
    R: Layer<AfterRoute<C, F, A>>,
    Whole<C, R, F, A>: Clone,
{
    fn clone(&self) -> Self {
        Self { stack: self.stack.clone() }
    }
}

impl<C, R, F, A> fmt::Debug for Gateway<C, R, F, A>
where
    A: Layer<PerAttempt<C>>,
    F: Layer<AfterFilters<C, A>>,
    R: Layer<AfterRoute<C, F, A>>,
    Whole<C, R, F, A>: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Gateway").field(&self.stack).finish()
    }
}
