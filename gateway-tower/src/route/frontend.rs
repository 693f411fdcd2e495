//! The frontend at which requests come in, looked up once for a connection and a table.

use std::sync::Arc;

use gateway_core::table::{FrontendId, RouteTable, Transport};

use crate::connection::Connection;

/// The frontend of the last request. Most are followed by one on the same connection, in the same table.
#[derive(Clone, Debug, Default)]
pub(super) struct LastFrontend(Option<Known>);

#[derive(Clone, Debug)]
struct Known {
    connection: Arc<Connection>,
    /// The number of the table, among those of one handle.
    generation: u64,
    frontend: Option<FrontendId>,
}

// === impl LastFrontend ===

impl LastFrontend {
    /// The frontend of this connection in `table`, which is one of those of a handle that is always the same.
    pub(super) fn of(&mut self, connection: &Arc<Connection>, table: &RouteTable) -> Option<FrontendId> {
        match &self.0 {
            Some(known) if known.is_of(connection, table) => known.frontend,
            Some(_) | None => self.0.insert(Known::new(connection, table)).frontend,
        }
    }
}

// === impl Known ===

impl Known {
    fn new(connection: &Arc<Connection>, table: &RouteTable) -> Self {
        Self {
            connection: Arc::clone(connection),
            generation: table.generation(),
            frontend: table.frontend_for(connection.owner.as_ref(), Transport::Tcp, connection.port),
        }
    }

    fn is_of(&self, connection: &Arc<Connection>, table: &RouteTable) -> bool {
        Arc::ptr_eq(&self.connection, connection) && self.generation == table.generation()
    }
}

#[cfg(test)]
mod tests {
    use gateway_core::name::ObjectName;
    use gateway_core::table::{Listener, ListenerProtocol};

    use super::*;
    use crate::handle::TableHandle;

    /// A table in which these Gateways listen at port 80.
    fn table(gateways: &[&str]) -> RouteTable {
        let mut table = RouteTable::builder(1);
        for gateway in gateways {
            let owner = ObjectName::new("default", *gateway);
            table.listener(Listener::new(owner, "http", 80, ListenerProtocol::Http));
        }
        table.build()
    }

    #[test]
    fn another_table_and_another_connection_have_another_frontend() {
        let connection = |gateway| Arc::new(Connection::new(ObjectName::new("default", gateway), 80));
        let (one, other) = (connection("b"), connection("c"));
        let tables = TableHandle::new(table(&["b"]));
        let mut last = LastFrontend::default();
        let mut name = |connection: &Arc<Connection>| {
            let table = tables.load();
            let frontend = last.of(connection, &table)?;
            Some(table.frontend_of(frontend).owner().name().name.to_string())
        };
        assert_eq!(name(&one).as_deref(), Some("b"));
        assert_eq!(name(&other), None);
        assert_eq!(name(&one).as_deref(), Some("b"));
        // In this table another frontend has the number.
        tables.store(table(&["a", "b", "c"]));
        assert_eq!(name(&one).as_deref(), Some("b"));
        assert_eq!(name(&other).as_deref(), Some("c"));
        tables.store(table(&["a", "c"]));
        assert_eq!(name(&one), None);
        assert_eq!(name(&other).as_deref(), Some("c"));
    }
}
