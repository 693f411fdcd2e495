//! The layer that makes [`Route`].

use std::sync::Arc;

use gateway_core::exchange::forwarded::Trust;
use gateway_core::exchange::hop_by_hop::Upgrades;
use tower_layer::Layer;

use super::Route;
use crate::connection::Connection;
use crate::handle::TableHandle;

/// Routes requests by the table of a handle.
#[derive(Clone, Debug)]
pub struct RouteLayer {
    tables: TableHandle,
    connection: Option<Arc<Connection>>,
    trust: Trust,
    upgrades: Upgrades,
}

// === impl RouteLayer ===

impl RouteLayer {
    /// Routes by the table in `tables`. Requests must have an `Arc<Connection>` in their extensions.
    pub fn new(tables: TableHandle) -> Self {
        Self { tables, connection: None, trust: Trust::default(), upgrades: Upgrades::default() }
    }

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
}

impl<S> Layer<S> for RouteLayer {
    type Service = Route<S>;

    fn layer(&self, inner: S) -> Route<S> {
        Route::new(inner, self.tables.clone(), self.connection.clone(), (self.trust, self.upgrades))
    }
}
