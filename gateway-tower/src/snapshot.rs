//! The table as one connection sees it.

use std::fmt;
use std::sync::Arc;

use gateway_core::table::{PortId, RouteTable};

/// A table with the position of one connection's port in it.
///
/// There is one for each connection and table, and requests share it. So the references that requests take are counted
/// on the connection: were they counted on the table, which all cores use, every request would wait for that counter's
/// cache line to come from another core, several times.
pub(crate) struct Snapshot {
    pub(crate) table: Arc<RouteTable>,
    /// None when no listener is served there any more.
    pub(crate) port: Option<PortId>,
}

impl fmt::Debug for Snapshot {
    /// Names the table rather than printing it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("generation", &self.table.generation())
            .field("port", &self.port)
            .finish()
    }
}
