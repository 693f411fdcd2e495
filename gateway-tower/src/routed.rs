//! The result of the search in the table, for everything that comes after it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gateway_core::exchange::forwarded::Trust;
use gateway_core::exchange::{Arrival, Exchange, Refusal, Search};
use gateway_core::filter::MirrorCopy;
use gateway_core::name::BackendId;
use gateway_core::rule::{Backend, Endpoint, HttpRule};
use gateway_core::table::{Certificate, Listener, Matched, RouteTable};
use http::Request;

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
    reached: Option<Reached>,
    /// Whom it tells how far its attempts have come.
    progress: Option<Progress>,
}

/// How far a request has come within the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reached {
    /// The backend of the exchange, or that of a mirror.
    pub(crate) backend: BackendId,
    /// The position of the endpoint among those of the backend.
    pub(crate) endpoint: Option<u32>,
}

/// How far the attempts of a request have come, for who gives up on them: where it has a time for all of them. Clones are the
/// same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress(Arc<Mutex<Stage>>);

/// Where the attempts of a request are.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stage {
    /// The backend, and the endpoint of the attempt that is under way.
    pub(crate) reached: Option<Reached>,
    /// The attempts after the first.
    pub(crate) retries: u32,
}

// === impl Progress ===

impl Progress {
    pub(crate) fn get(&self) -> Stage {
        *self.stage()
    }

    /// An attempt begins.
    fn set(&self, reached: Option<Reached>) {
        self.stage().reached = reached;
    }

    /// An attempt has ended, and another may follow after a pause: until then none is under way.
    pub(crate) fn pause(&self) {
        if let Some(reached) = &mut self.stage().reached {
            reached.endpoint = None;
        }
    }

    /// The pause is over: the next attempt is the retry of this number.
    pub(crate) fn try_again(&self, retries: u32) {
        self.stage().retries = retries;
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Routed ===

impl Routed {
    pub(crate) fn new(
        exchange: Exchange<Snapshot>,
        connection: Arc<Connection>,
        reached: Option<Reached>,
    ) -> Self {
        Self { exchange, connection, reached, progress: None }
    }

    /// The same, with what the authorization services of the listener have said in the course of a search.
    pub(crate) fn after(self, search: Search) -> Self {
        Self { exchange: self.exchange.after(search), ..self }
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
        self.reached.map(|reached| self.table().backend(reached.backend))
    }

    /// The endpoint that was chosen, once it was.
    pub fn endpoint(&self) -> Option<&Endpoint> {
        Some(self.backend_and_endpoint()?.1)
    }

    /// Both, once both were chosen.
    pub(crate) fn backend_and_endpoint(&self) -> Option<(&Backend, &Endpoint)> {
        let backend = self.backend()?;
        Some((backend, backend.endpoints.get(self.reached?.endpoint? as usize)?))
    }

    /// What is shown to endpoints of `backend` that ask for a certificate within TLS.
    #[inline]
    pub(crate) fn certificate_for(&self, backend: &Backend) -> Option<&Certificate> {
        // Before the listener is looked for.
        backend.tls.as_ref()?;
        self.table().certificate_for(backend, self.listener().frontend.gateway())
    }

    /// The request on its way from the match to the response filters.
    pub(crate) fn exchange(&self) -> &Exchange<Snapshot> {
        &self.exchange
    }

    /// Says how far the request has come.
    pub(crate) fn set_exchange(&mut self, exchange: Exchange<Snapshot>) {
        self.exchange = exchange;
        self.reached = self.exchange.backend_id().map(Reached::from);
    }

    /// Tells the backend about the client.
    pub(crate) fn tell<B>(&mut self, request: &mut Request<B>, trust: Trust) {
        let connection = &*self.connection;
        let arrival = Arrival {
            client: connection.client(),
            trust,
            ..Arrival::at(connection.owner.as_ref(), connection.port)
        };
        self.exchange.tell(&arrival, request);
    }

    /// Chooses the backend by weight; one without endpoints is known afterwards, but refused.
    pub(crate) fn choose_backend(&mut self, random: u64) -> Result<(), Refusal> {
        let chosen = self.exchange.choose_backend(random);
        self.reached = self.exchange.backend_id().map(Reached::from);
        chosen.map(|_| ())
    }

    /// Takes out the copies of the request for mirrors.
    pub(crate) fn take_mirrors(&mut self) -> Vec<MirrorCopy> {
        self.exchange.take_mirrors()
    }

    /// Says to which endpoint this attempt goes, by its position in the list of the backend; false when it is not there. The
    /// balance layer does it; another service that takes its place has to.
    pub fn choose_endpoint(&mut self, position: usize) -> bool {
        let is_there = self.backend().is_some_and(|backend| position < backend.endpoints.len());
        self.set_endpoint(is_there.then_some(position));
        is_there
    }

    /// The same with a position that is there.
    pub(crate) fn set_endpoint(&mut self, position: Option<usize>) {
        if let Some(reached) = &mut self.reached {
            reached.endpoint = position.map(|position| position as u32);
        }
        if let Some(progress) = &self.progress {
            progress.set(self.reached);
        }
    }

    /// The exchange, where the backend has sessions and this is no copy for a mirror.
    pub(crate) fn session(&self) -> Option<&Exchange<Snapshot>> {
        let is_chosen = || self.reached.map(|reached| reached.backend) == self.exchange.backend_id();
        (self.exchange.session().is_some() && is_chosen()).then_some(&self.exchange)
    }

    /// How far the request has come, once its backend was chosen.
    pub(crate) fn reached(&self) -> Option<Reached> {
        self.reached
    }

    /// How far this and those that are made of it will have come, told from now on.
    pub(crate) fn tell_progress(&mut self) -> Progress {
        self.progress.get_or_insert_default().clone()
    }

    /// How far it has come, where that is told.
    pub(crate) fn progress(&self) -> Option<&Progress> {
        self.progress.as_ref()
    }

    /// What tells a client where to go, once the endpoint was chosen.
    pub(crate) fn place(&self) -> Option<(&Snapshot, BackendId, u32)> {
        let reached = self.reached?;
        Some((self.exchange.table_keeper(), reached.backend, reached.endpoint?))
    }

    /// The same decision with a copy of the request going to `backend`.
    pub(crate) fn for_mirror(&self, backend: BackendId) -> Self {
        Self { reached: Some(Reached::from(backend)), progress: None, ..self.clone() }
    }
}

// === impl Reached ===

impl From<BackendId> for Reached {
    fn from(backend: BackendId) -> Self {
        Self { backend, endpoint: None }
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
