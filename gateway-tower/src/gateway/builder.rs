//! Putting a gateway together: what is decided by, whose word counts, and the layers of one's own.

use std::fmt;
use std::sync::Arc;

use gateway_core::rule::SessionKey;
use tower_layer::{Identity, Layer, Stack};

use super::service::{AfterFilters, AfterRoute, Gateway, PerAttempt};
use crate::balance::{BalanceLayer, Pick};
use crate::dispatch::Trust;
use crate::handle::TableHandle;
use crate::observe::{AttemptsLayer, ObserveAttempts, ObserveMirrors};
use crate::route::{RouteLayer, Upgrades};

/// A gateway that has no client yet. [`client`](Self::client) completes it.
///
/// Layers that are put into the same place stand in each other in the order of the calls: the first sees a request first.
///
/// `R`, `F` and `A` are the layers after the route, after the filters and around each attempt.
#[derive(Clone)]
#[must_use = "a gateway needs a client"]
pub struct GatewayBuilder<R = Identity, F = Identity, A = Identity> {
    route: RouteLayer,
    trust: Trust,
    balance: BalanceLayer,
    mirrors: Option<Arc<dyn ObserveMirrors>>,
    after_route: R,
    after_filters: F,
    per_attempt: A,
}

// === impl Gateway ===

impl<C: Clone> Gateway<C> {
    /// A gateway that decides by the table in `tables` and sends requests through clones of `client`.
    ///
    /// Requests must have an `Arc<Connection>` in their extensions, unless a connection is [named](Self::on).
    pub fn new(tables: TableHandle, client: C) -> Self {
        GatewayBuilder::new(tables).client(client)
    }
}

impl Gateway<()> {
    /// A gateway that decides by the table in `tables`, with more to be said about it.
    pub fn builder(tables: TableHandle) -> GatewayBuilder {
        GatewayBuilder::new(tables)
    }
}

// === impl GatewayBuilder ===

impl GatewayBuilder {
    fn new(tables: TableHandle) -> Self {
        Self {
            route: RouteLayer::new(tables),
            trust: Trust::default(),
            balance: BalanceLayer::default(),
            mirrors: None,
            after_route: Identity::new(),
            after_filters: Identity::new(),
            per_attempt: Identity::new(),
        }
    }
}

impl<R, F, A> GatewayBuilder<R, F, A> {
    /// Whose word about clients [counts](gateway_core::exchange::forwarded): that of no proxy, unless this says so.
    pub fn trust(self, trust: Trust) -> Self {
        Self { trust, route: self.route.trust(trust), ..self }
    }

    /// To which protocols clients may have their connections upgraded: to WebSocket, unless this says more.
    ///
    /// A request that wants another is served as if it did not.
    pub fn upgrades(self, upgrades: Upgrades) -> Self {
        Self { route: self.route.upgrades(upgrades), ..self }
    }

    /// How the endpoints of a backend are [chosen](crate::balance): at random, unless this says otherwise.
    pub fn picker(self, picker: impl Pick) -> Self {
        Self { balance: self.balance.picked_by(Arc::new(picker)), ..self }
    }

    /// The key of [sessions](gateway_core::rule::SessionPersistence): one of its own, unless this says otherwise. Gateways that serve the same
    /// clients share one, or a session ends when its client comes to another.
    pub fn sessions(self, key: SessionKey) -> Self {
        Self { balance: self.balance.sessions(key), ..self }
    }

    /// Tells an observer what becomes of the copies for mirrors.
    pub fn observe_mirrors(self, observer: Arc<dyn ObserveMirrors>) -> Self {
        Self { mirrors: Some(observer), ..self }
    }

    /// Tells an observer of each attempt at a backend, as a layer [for each](Self::per_attempt) would see it. Requests are
    /// observed [around](crate::observe::RequestsLayer) the gateway.
    pub fn observe_attempts<O: ObserveAttempts>(
        self,
        observer: O,
    ) -> GatewayBuilder<R, F, Stack<AttemptsLayer<O>, A>> {
        self.per_attempt(AttemptsLayer::new(observer))
    }

    /// Puts a layer between the search for the rule and everything else.
    ///
    /// It sees the request as it was matched, also where a filter will answer it, and refusals as errors.
    pub fn after_route<L>(self, layer: L) -> GatewayBuilder<Stack<L, R>, F, A> {
        let Self { route, trust, balance, mirrors, after_route, after_filters, per_attempt } = self;
        let after_route = Stack::new(layer, after_route);
        GatewayBuilder { route, trust, balance, mirrors, after_route, after_filters, per_attempt }
    }

    /// Puts a layer within the filters of rule and backend.
    ///
    /// It sees the request as the backend will get it, once however often it is attempted. What it refuses is neither
    /// attempted nor mirrored; and it is within the timeout of the request, so waiting for a service counts.
    pub fn after_filters<L>(self, layer: L) -> GatewayBuilder<R, Stack<L, F>, A> {
        let Self { route, trust, balance, mirrors, after_route, after_filters, per_attempt } = self;
        let after_filters = Stack::new(layer, after_filters);
        GatewayBuilder { route, trust, balance, mirrors, after_route, after_filters, per_attempt }
    }

    /// Puts a layer around each attempt at an endpoint.
    ///
    /// It sees which endpoint was chosen, and as an error what became of the attempt, its timeout included. Copies for
    /// mirrors do not pass it.
    pub fn per_attempt<L>(self, layer: L) -> GatewayBuilder<R, F, Stack<L, A>> {
        let Self { route, trust, balance, mirrors, after_route, after_filters, per_attempt } = self;
        let per_attempt = Stack::new(layer, per_attempt);
        GatewayBuilder { route, trust, balance, mirrors, after_route, after_filters, per_attempt }
    }

    /// The gateway, which sends requests through clones of `client`.
    pub fn client<C: Clone>(self, client: C) -> Gateway<C, R, F, A>
    where
        A: Layer<PerAttempt<C>>,
        F: Layer<AfterFilters<C, A>>,
        R: Layer<AfterRoute<C, F, A>>,
    {
        let Self { route, trust, balance, mirrors, after_route, after_filters, per_attempt } = self;
        let layers = (&after_route, &after_filters, &per_attempt);
        Gateway::stacked(route, trust, &balance, mirrors, layers, client)
    }
}

impl<R, F, A> fmt::Debug for GatewayBuilder<R, F, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { route, trust, balance, mirrors, after_route: _, after_filters: _, per_attempt: _ } = self;
        f.debug_struct("GatewayBuilder")
            .field("route", route)
            .field("trust", trust)
            .field("balance", balance)
            .field("mirrors", mirrors)
            .finish_non_exhaustive()
    }
}
