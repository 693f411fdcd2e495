//! What the search in the table found, for everything that comes after it.

use std::fmt;
use std::sync::Arc;

use gateway_core::exchange::{Exchange, Refusal};
use gateway_core::name::BackendId;
use gateway_core::rule::{Backend, Endpoint, HttpRule};
use gateway_core::table::{Listener, Matched, RouteTable};

use crate::connection::Connection;
use crate::handle::Snapshot;

/// The decision for a request, as far as it has come, and the one table in which it is made.
///
/// The route layer puts it into the extensions of the request; the layers within read it there, and take the
/// [exchange](Exchange) that it holds further. A clone is cheap. The table lives as long as the requests that use it.
#[derive(Clone)]
pub struct Routed {
    exchange: Exchange<Snapshot>,
    connection: Arc<Connection>,
    /// The backend of the exchange, or that of a mirror.
    backend: Option<BackendId>,
    /// The position of the endpoint among those of the backend.
    endpoint: Option<u32>,
}

// === impl Routed ===

impl Routed {
    pub(crate) fn new(exchange: Exchange<Snapshot>, connection: Arc<Connection>) -> Self {
        Self { exchange, connection, backend: None, endpoint: None }
    }

    /// The table in which the decision was made.
    pub fn table(&self) -> &RouteTable {
        self.exchange.table()
    }

    /// The connection that the request came in on.
    pub fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    /// The decision.
    pub fn matched(&self) -> Matched {
        self.exchange.matched()
    }

    /// The rule that serves the request. Its `id` names it and its route.
    pub fn rule(&self) -> &HttpRule {
        self.exchange.rule()
    }

    /// The listener that took the request.
    pub fn listener(&self) -> &Listener {
        self.exchange.listener()
    }

    /// The backend that was chosen, once it was.
    pub fn backend(&self) -> Option<&Backend> {
        self.backend.map(|id| self.table().backend(id))
    }

    /// The endpoint that was chosen, once it was.
    pub fn endpoint(&self) -> Option<&Endpoint> {
        self.backend()?.endpoints.get(self.endpoint? as usize)
    }

    /// The request on its way from the match to the response filters.
    pub(crate) fn exchange(&self) -> &Exchange<Snapshot> {
        &self.exchange
    }

    /// Says how far the request has come.
    pub(crate) fn set_exchange(&mut self, exchange: Exchange<Snapshot>) {
        self.exchange = exchange;
    }

    /// Chooses the backend by weight; one without endpoints is known afterwards, but refused.
    pub(crate) fn choose_backend(&mut self, random: u64) -> Result<(), Refusal> {
        let chosen = self.exchange.choose_backend(random);
        self.backend = self.exchange.backend_id();
        chosen.map(|_| ())
    }

    /// Says to which endpoint this attempt goes, by its position in the list of the backend; false when it is not there. The
    /// balance layer does it; another service that takes its place has to.
    pub fn choose_endpoint(&mut self, position: usize) -> bool {
        let endpoints = self.backend().map_or(0, |backend| backend.endpoints.len());
        self.endpoint = (position < endpoints).then_some(position as u32);
        self.endpoint.is_some()
    }

    /// The position of the endpoint in the list of the backend, once it was chosen.
    pub(crate) fn endpoint_position(&self) -> Option<u32> {
        self.endpoint
    }

    /// What tells a client where to go, once the endpoint was chosen.
    pub(crate) fn place(&self) -> Option<(&Snapshot, BackendId, u32)> {
        Some((self.exchange.table_keeper(), self.backend?, self.endpoint?))
    }

    /// The same decision with a copy of the request going to `backend`.
    pub(crate) fn for_mirror(&self, backend: BackendId) -> Self {
        Self { backend: Some(backend), endpoint: None, ..self.clone() }
    }
}

impl fmt::Debug for Routed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Routed")
            .field("generation", &self.table().generation())
            .field("listener", &format_args!("{}", self.listener()))
            .field("rule", &format_args!("{}", self.rule().id))
            .field("entry", &self.matched().entry)
            .field("backend", &self.backend().map(|backend| &backend.service))
            .field("endpoint", &self.endpoint())
            .finish_non_exhaustive()
    }
}
