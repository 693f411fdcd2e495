//! The question to an authorization service: whom to ask, and on whose behalf.

use std::fmt;
use std::sync::Arc;

use gateway_core::filter::ExternalAuth;
use gateway_core::rule::Backend;

use crate::client::UpstreamTarget;
use crate::connection::Connection;
use crate::handle::Snapshot;

/// Whom to ask about a request, how, and on which connection the request came in.
#[derive(Clone)]
pub struct Question {
    snapshot: Snapshot,
    auth: Arc<ExternalAuth>,
    connection: Arc<Connection>,
}

// === impl Question ===

impl Question {
    pub(crate) fn new(snapshot: Snapshot, auth: Arc<ExternalAuth>, connection: Arc<Connection>) -> Self {
        Self { snapshot, auth, connection }
    }

    /// How the service is asked.
    pub fn auth(&self) -> &ExternalAuth {
        &self.auth
    }

    /// The service, with its endpoints.
    pub fn backend(&self) -> &Backend {
        self.snapshot.backend(self.auth.backend)
    }

    /// The connection that the request came in on.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Where a client finds an endpoint of the service.
    pub(super) fn target(&self, endpoint: usize) -> UpstreamTarget {
        let owner = &self.connection.owner;
        UpstreamTarget::in_table(self.snapshot.clone(), self.auth.backend, endpoint as u32, owner)
    }
}

impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Question")
            .field("service", &format_args!("{}", self.backend().service))
            .field("terms", &self.auth.terms)
            .finish_non_exhaustive()
    }
}
