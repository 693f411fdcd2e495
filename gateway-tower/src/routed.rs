//! What the search in the table found, for everything that comes after it.

use std::fmt;
use std::sync::Arc;

use gateway_core::filter::{FilterContext, HttpFilter};
use gateway_core::name::BackendId;
use gateway_core::rule::{Backend, Endpoint, HttpRule};
use gateway_core::table::{Listener, Matched, RouteTable};

use crate::connection::Connection;
use crate::snapshot::Snapshot;

/// The decision for a request, and the one table in which it was made.
///
/// The route layer puts it into the extensions of the request; the layers within read it there. A clone is cheap. The
/// table lives as long as the requests that use it.
#[derive(Clone)]
pub struct Routed {
    snapshot: Arc<Snapshot>,
    connection: Arc<Connection>,
    matched: Matched,
    backend: Option<BackendId>,
    /// The position of the reference to it among those of the rule.
    reference: Option<u32>,
    /// The position of the endpoint among those of the backend.
    endpoint: Option<u32>,
    attempt: Attempt,
}

/// Which attempt at the backend it is, so that each goes to another endpoint.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Attempt {
    /// The only one: any endpoint.
    Only,
    /// One of several: the endpoint this many places after the first one's, which is random.
    OneOf {
        /// A random number, the same for all of them.
        first: u32,
        /// From 0.
        number: u32,
    },
}

// === impl Routed ===

impl Routed {
    pub(crate) fn new(snapshot: Arc<Snapshot>, connection: Arc<Connection>, matched: Matched) -> Self {
        Self {
            snapshot,
            connection,
            matched,
            backend: None,
            reference: None,
            endpoint: None,
            attempt: Attempt::Only,
        }
    }

    /// The table in which the decision was made.
    pub fn table(&self) -> &RouteTable {
        &self.snapshot.table
    }

    /// The connection that the request came in on.
    pub fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    /// The decision.
    pub fn matched(&self) -> Matched {
        self.matched
    }

    /// The rule that serves the request. Its `id` names it and its route.
    pub fn rule(&self) -> &HttpRule {
        self.table().rule(self.matched.rule)
    }

    /// The listener that took the request.
    pub fn listener(&self) -> &Listener {
        self.table().listener(self.matched.listener)
    }

    /// The backend that was chosen, once it was.
    pub fn backend(&self) -> Option<&Backend> {
        self.backend.map(|id| self.table().backend(id))
    }

    /// The filters of the backend that was chosen; none before one was, and none for mirrors.
    pub fn backend_filters(&self) -> &[HttpFilter] {
        self.reference.map_or(&[], |position| self.rule().filters_of(position as usize))
    }

    /// The endpoint that was chosen, once it was.
    pub fn endpoint(&self) -> Option<&Endpoint> {
        self.backend()?.endpoints.get(self.endpoint? as usize)
    }

    /// What the filters of the rule must know.
    pub fn filter_context(&self) -> FilterContext {
        let listener = self.listener();
        FilterContext { scheme: listener.scheme(), port: listener.port, path: self.matched.path }
    }

    /// Says where the request goes, by the reference of the rule at this position.
    pub(crate) fn choose_backend(&mut self, backend: BackendId, reference: usize) {
        self.backend = Some(backend);
        self.reference = Some(reference as u32);
    }

    /// Says to which endpoint of the backend this attempt goes.
    pub(crate) fn choose_endpoint(&mut self, endpoint: u32) {
        self.endpoint = Some(endpoint);
    }

    /// The position of the endpoint, once it was chosen.
    pub(crate) fn place(&self) -> Option<(&Arc<Snapshot>, BackendId, u32)> {
        Some((&self.snapshot, self.backend?, self.endpoint?))
    }

    /// The same decision with a copy of the request going to `backend`.
    pub(crate) fn for_mirror(&self, backend: BackendId) -> Self {
        Self {
            backend: Some(backend),
            reference: None,
            endpoint: None,
            attempt: Attempt::Only,
            ..self.clone()
        }
    }

    pub(crate) fn attempt(&self) -> Attempt {
        self.attempt
    }

    pub(crate) fn set_attempt(&mut self, attempt: Attempt) {
        self.attempt = attempt;
    }
}

impl fmt::Debug for Routed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Routed")
            .field("generation", &self.table().generation())
            .field("listener", &format_args!("{}", self.listener()))
            .field("rule", &format_args!("{}", self.rule().id))
            .field("entry", &self.matched.entry)
            .field("backend", &self.backend().map(|backend| &backend.service))
            .field("endpoint", &self.endpoint())
            .finish_non_exhaustive()
    }
}
