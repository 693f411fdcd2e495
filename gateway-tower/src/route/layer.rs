//! The layer that makes [`Route`].

use std::sync::Arc;

use gateway_core::exchange::forwarded::Trust;
use gateway_core::exchange::hop_by_hop::Upgrades;
use tower_layer::Layer;

use super::Route;
use super::frontend::LastFrontend;
use crate::authorize::AskNobody;
use crate::connection::Connection;
use crate::handle::TableHandle;

/// Routes requests by the table of a handle.
///
/// The page of [`route`](crate::route) has an example.
#[derive(Clone, Debug)]
pub struct RouteLayer<A = AskNobody> {
    tables: TableHandle,
    connection: Option<Arc<Connection>>,
    trust: Trust,
    upgrades: Upgrades,
    authorizer: A,
}

// === impl RouteLayer ===

impl RouteLayer {
    /// Routes by the table in `tables`. Requests must have an `Arc<Connection>` in their extensions.
    pub fn new(tables: TableHandle) -> Self {
        let (trust, upgrades) = (Trust::default(), Upgrades::default());
        Self { tables, connection: None, trust, upgrades, authorizer: AskNobody }
    }
}

impl<A> RouteLayer<A> {
    /// Says whose word counts about where a request came from; what does not count decides no match and goes no further.
    pub fn trust(self, trust: Trust) -> Self {
        Self { trust, ..self }
    }

    /// Says to which protocols connections may be upgraded; the wish for another goes no further.
    pub fn upgrades(self, upgrades: Upgrades) -> Self {
        Self { upgrades, ..self }
    }

    /// Takes requests that have no `Arc<Connection>` in their extensions to have come in on this one.
    pub fn on(self, connection: Arc<Connection>) -> Self {
        Self { connection: Some(connection), ..self }
    }

    /// Has the authorization services of listeners asked. Without it none is, and no request of such a listener passes.
    pub fn authorizer<N>(self, authorizer: N) -> RouteLayer<N> {
        let Self { tables, connection, trust, upgrades, authorizer: _ } = self;
        RouteLayer { tables, connection, trust, upgrades, authorizer }
    }
}

impl<S, A: Clone> Layer<S> for RouteLayer<A> {
    type Service = Route<S, A>;

    fn layer(&self, inner: S) -> Route<S, A> {
        let Self { tables, connection, trust, upgrades, authorizer } = self.clone();
        Route { inner, tables, connection, trust, upgrades, authorizer, frontend: LastFrontend::default() }
    }
}
