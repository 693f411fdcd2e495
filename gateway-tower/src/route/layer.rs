//! The layer that makes [`Route`].

use std::sync::Arc;

use tower_layer::Layer;

use super::Route;
use crate::connection::Connection;
use crate::handle::TableHandle;

/// Routes requests by the table of a handle.
#[derive(Clone, Debug)]
pub struct RouteLayer {
    tables: TableHandle,
    connection: Option<Arc<Connection>>,
}

// === impl RouteLayer ===

impl RouteLayer {
    /// Routes by the table in `tables`. Requests must have an `Arc<Connection>` in their extensions.
    pub fn new(tables: TableHandle) -> Self {
        Self { tables, connection: None }
    }

    /// Takes requests that have no `Arc<Connection>` in their extensions to have come in on this one.
    pub fn on(self, connection: Arc<Connection>) -> Self {
        Self { connection: Some(connection), ..self }
    }
}

impl<S> Layer<S> for RouteLayer {
    type Service = Route<S>;

    fn layer(&self, inner: S) -> Route<S> {
        Route::new(inner, self.tables.clone(), self.connection.clone())
    }
}
