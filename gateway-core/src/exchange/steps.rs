//! The steps of a request, one call each.

use std::fmt;
use std::mem;
use std::ops::Deref;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, Version, request, response};

use super::arrival::Arrival;
use super::authorization::{AuthAnswer, Permit};
use super::form::Form;
use super::header_set::HeaderSet;
use super::refusal::Refusal;
use super::search::{Search, find};
use super::stopped::{Asked, Stopped};
use super::{forwarded, hop_by_hop};
use crate::filter::{self, FilterContext, HttpFilter, MirrorCopy, RequestEdits, Scheme, Verdict};
use crate::name::BackendId;
use crate::rule::{
    Backend, BackendTarget, HttpRule, NewSession, SessionHeader, SessionKey, SessionPersistence,
    ShownSessions,
};
use crate::table::{Listener, Matched, RouteTable};

/// One request and its answer, from the match to the response filters, in the one table that decided.
///
/// Each step is taken once: taken again, it changes nothing and says the same, and so a retry may go through all of them.
/// A step that would skip the filters of the rule or of the backend refuses the request, and so does every step after the
/// one that stopped it. So no request passes while an authorization service [is asked](Stopped::Asks): only its
/// [answer](Self::on_auth_answer) lets the steps go on.
///
/// `T` is what keeps the table: an `Arc`, or a type of a server with many cores that must not count all its requests at one
/// place. It has to lead to the same table for as long as it lives.
///
/// Making one allocates nothing where the request names its host in a header, and neither do the steps where there are no
/// filters. A clone is for those who wait for the
/// answer at a place of their own: it is as far as the original, and has no mirrors, because copies are to be sent once.
pub struct Exchange<T = Arc<RouteTable>> {
    table: T,
    matched: Matched,
    chosen: Option<Chosen>,
    /// The last list that has run on the request.
    ran: Option<List>,
    /// What every further step says, once one has stopped the request.
    stopped: Option<Refusal>,
    /// How far the list of the rule has come, where it has been left for an authorization service.
    asked: Asked,
    /// Whether the client asks for another protocol on its connection.
    upgrade: bool,
    /// Whether the client is connected within TLS.
    secure: bool,
    /// The sessions that the client has shown, before a filter could change what it says.
    sessions: Option<Arc<ShownSessions>>,
    /// What the filters left, where they left something: copies for mirrors, and what they must know later. Shared by
    /// clones until the next list has something to add; but while there are copies, it is not shared.
    edits: Option<Arc<RequestEdits>>,
}

/// The backend of a request.
#[derive(Clone, Copy, Debug)]
struct Chosen {
    /// Among those of the rule. Half a word, since exchanges are moved and cloned a lot.
    position: u32,
    id: BackendId,
}

/// The lists of filters, in the order in which they run on the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum List {
    /// Those of the rule: for all of its requests.
    Rule,
    /// Those of the backend that was chosen: for the requests that it gets by this rule.
    Backend,
}

// === impl Exchange ===

impl<T: Deref<Target = RouteTable>> Exchange<T> {
    /// Brings a request into the form that is matched and forwarded, runs the filters of the listener, and finds the rule that
    /// serves it.
    ///
    /// # Errors
    /// When the request is malformed, a filter answers it, no rule serves it, or it may not be forwarded.
    ///
    /// # Spec
    /// [AMB-01](crate::choices#AMB-01), [AMB-16](crate::choices#AMB-16), [HST-08](crate::spec#HST-08),
    /// [HRM-16](crate::spec#HRM-16); [PRF-01](crate::spec#PRF-01) to [PRF-05](crate::spec#PRF-05);
    /// [MSG-01](crate::choices#MSG-01) to [MSG-04](crate::choices#MSG-04), [MSG-06](crate::choices#MSG-06).
    pub fn begin<B>(table: &T, arrival: &Arrival<'_>, request: &mut Request<B>) -> Result<Self, Stopped>
    where
        T: Clone,
    {
        Ok(Self::new(table.clone(), find(table, arrival, request)?))
    }

    /// An exchange whose rule was [found](find) before, in this table.
    pub fn new(table: T, matched: Matched) -> Self {
        let asked = Asked::Not;
        Self {
            table,
            matched,
            chosen: None,
            ran: None,
            stopped: None,
            asked,
            upgrade: false,
            secure: false,
            sessions: None,
            edits: None,
        }
    }

    /// The same, with what the authorization services of the listener have said about the answer in the course of a search.
    pub fn after(self, search: Search) -> Self {
        search.permits().iter().fold(self, |mut exchange, permit| {
            exchange.note(permit);
            exchange
        })
    }

    /// Tells the backend about the client, and notes the sessions that it shows.
    ///
    /// Comes before the filters, which may change or remove what is added here, and what carries a session.
    ///
    /// # Spec
    /// [FRW-07](crate::spec#FRW-07), [SES-05](crate::spec#SES-05).
    pub fn tell<B>(&mut self, arrival: &Arrival<'_>, request: &mut Request<B>) {
        let present = HeaderSet::from_received(request.headers());
        // What is left of the wish after the search is forwarded.
        self.upgrade = present.has(HeaderSet::UPGRADE);
        self.secure = arrival.client.secure;
        self.note_sessions(request.headers());
        forwarded::add_beside(present, request, arrival.client, arrival.trust);
    }

    /// Notes the sessions that the client shows in these headers, which no filter of the rule has changed yet. For embeddings that
    /// [tell](Self::tell) backends of clients in a way of their own.
    ///
    /// # Spec
    /// [SES-05](crate::spec#SES-05), [SES-12](crate::spec#SES-12).
    pub fn note_sessions(&mut self, headers: &HeaderMap) {
        let sessions = self.rule().sessions.as_deref();
        self.sessions = sessions.and_then(|sessions| sessions.shown(headers)).map(Arc::new);
    }

    /// Takes all steps from the filters of the rule to those of the backend, and says which backend gets the request.
    ///
    /// `random` gives numbers that are uniform over all of `u64`: one for each mirror of the rule, one for the backend, one
    /// for each mirror of the backend.
    ///
    /// # Errors
    /// When the request is not to be forwarded.
    pub fn run(
        &mut self,
        parts: &mut request::Parts,
        random: &mut dyn FnMut() -> u64,
    ) -> Result<BackendId, Stopped> {
        self.on_request(parts, random)?;
        let backend = self.choose_backend(random())?;
        self.on_backend_request(parts, random)?;
        Ok(backend)
    }

    /// Runs the filters of the rule. `random` gives a number for each mirror.
    ///
    /// # Errors
    /// When one of them answers, asks an authorization service, or cannot be carried out.
    ///
    /// # Spec
    /// [FLT-01](crate::spec#FLT-01), [FLT-05](crate::spec#FLT-05), [FLT-10](crate::spec#FLT-10).
    pub fn on_request(
        &mut self,
        parts: &mut request::Parts,
        random: &mut dyn FnMut() -> u64,
    ) -> Result<(), Stopped> {
        self.go_on()?;
        match (self.ran, self.asked) {
            (None, _) | (Some(List::Rule), Asked::Passed(_)) => self.run_list(List::Rule, parts, random),
            (Some(List::Rule | List::Backend), _) => Ok(()),
        }
    }

    /// Takes what came of asking the authorization service that a step has [named](Stopped::Asks). Where the request passes,
    /// its headers are changed, and the steps go on.
    ///
    /// The client's answer has `form` where the service does not let the request pass.
    ///
    /// # Errors
    /// When the request does not pass; also when no service was named.
    ///
    /// # Spec
    /// [FEA-01](crate::spec#FEA-01), [FEA-02](crate::spec#FEA-02).
    pub fn on_auth_answer(
        &mut self,
        answer: AuthAnswer,
        headers: &mut HeaderMap,
        form: Form,
    ) -> Result<(), Stopped> {
        let Asked::Waits(position) = mem::take(&mut self.asked) else { return Err(Refusal::Filter.into()) };
        let passed = answer.pass(headers, form);
        if passed.is_err() {
            self.take_mirrors();
        }
        let permit = passed?;
        self.note(&permit);
        (self.asked, self.stopped) = (Asked::Passed(position), None);
        Ok(())
    }

    /// Notes what an authorization service has said about the answer.
    fn note(&mut self, permit: &Permit) {
        if !permit.of_answer().is_empty() {
            let edits = self.edits.get_or_insert_default();
            Arc::make_mut(edits).edit_answer(permit.of_answer());
        }
    }

    /// Whether something has been left for the answer, or for mirrors.
    pub fn has_edits(&self) -> bool {
        self.edits.is_some()
    }

    /// Chooses the backend by weight.
    ///
    /// The share of a reference that is invalid, or of a backend without endpoints, is refused; it is not given to the
    /// others.
    ///
    /// # Errors
    /// When there is none that can be attempted, or when the rule has filters that have not run.
    ///
    /// # Spec
    /// [HRB-03](crate::spec#HRB-03), [HRB-04](crate::spec#HRB-04), [HRB-10](crate::spec#HRB-10) to [HRB-13](crate::spec#HRB-13),
    /// [AMB-20](crate::choices#AMB-20), [AMB-21](crate::choices#AMB-21).
    pub fn choose_backend(&mut self, random: u64) -> Result<BackendId, Refusal> {
        self.go_on()?;
        if let Some(chosen) = self.chosen {
            return Ok(chosen.id);
        }
        let chosen = self.choose(random);
        if let Err(refusal) = chosen {
            // AMB-51: only what is attempted itself is mirrored.
            self.take_mirrors();
            self.stopped = Some(refusal);
        }
        chosen
    }

    /// How the requests of a client stay with one endpoint of the chosen backend, where they do.
    pub fn session(&self) -> Option<&SessionPersistence> {
        self.rule().sessions.as_deref()?.of_backend(self.chosen?.position as usize)
    }

    /// The endpoint of the chosen backend that the client has a session with at `now`, by its position among those of the backend.
    /// None where there is no session, or none any more: any endpoint may be chosen then, and one [begins](Self::begin_session).
    ///
    /// # Spec
    /// [SES-04](crate::spec#SES-04), [SES-05](crate::spec#SES-05), [SES-13](crate::spec#SES-13).
    pub fn session_endpoint(&self, key: &SessionKey, now: SystemTime) -> Option<usize> {
        self.session()?.endpoint(key, self.sessions.as_ref()?, self.backend()?, now)
    }

    /// The header of the answer by which a session begins at `now`, with the endpoint at this position among those of the chosen
    /// backend. None where the rule has no sessions.
    ///
    /// # Spec
    /// [SES-02](crate::spec#SES-02), [SES-03](crate::spec#SES-03), [SES-05](crate::spec#SES-05), [SES-09](crate::spec#SES-09),
    /// [SES-14](crate::spec#SES-14).
    pub fn begin_session(&self, key: &SessionKey, position: usize, now: SystemTime) -> Option<SessionHeader> {
        let session = self.session()?;
        let sessions = self.rule().sessions.as_deref()?;
        let refs = self.rule().backends.refs().iter().enumerate();
        let others = refs.filter_map(|(position, other)| match other.target {
            BackendTarget::Backend(id) if sessions.of_backend(position) == Some(session) => {
                Some(self.table.backend(id))
            }
            BackendTarget::Backend(_) | BackendTarget::Unresolved => None,
        });
        let (backend, others) = (self.backend()?, others.collect::<Vec<_>>());
        let secure = self.secure || self.listener().scheme() == Scheme::Https;
        let new = NewSession { backend, position, others: &others, now, secure };
        session.begin(key, self.sessions.as_deref(), new)
    }

    /// Runs the filters of the chosen backend: after those of the rule, within them. `random` gives a number for each mirror.
    ///
    /// # Errors
    /// When one of them answers, or cannot be carried out; or when no backend was chosen.
    ///
    /// # Spec
    /// [HRB-18](crate::spec#HRB-18), [FLT-11](crate::spec#FLT-11).
    pub fn on_backend_request(
        &mut self,
        parts: &mut request::Parts,
        random: &mut dyn FnMut() -> u64,
    ) -> Result<(), Stopped> {
        self.go_on()?;
        match (self.chosen, self.ran) {
            (None, _) => {
                self.stopped = Some(Refusal::NoBackend);
                Err(Refusal::NoBackend.into())
            }
            (Some(_), None | Some(List::Rule)) => self.run_list(List::Backend, parts, random),
            (Some(_), Some(List::Backend)) => Ok(()),
        }
    }

    /// Runs the filters of the chosen backend on its answer, or on that of one of them. Those of the rule come after.
    pub fn on_backend_response(&self, response: &mut response::Parts) {
        self.run_on_answer(filter::on_response, List::Backend, response);
    }

    /// Runs the filters of the chosen backend on an answer that the gateway makes by itself. Those of the rule come after.
    pub fn on_backend_local_response(&self, response: &mut response::Parts) {
        self.run_on_answer(filter::on_local_response, List::Backend, response);
    }

    /// Runs the filters of the rule on the answer of the backend, or on that of a filter.
    ///
    /// # Spec
    /// [FHM-08](crate::spec#FHM-08), [FHM-11](crate::spec#FHM-11), [FCO-02](crate::spec#FCO-02), [FCO-19](crate::spec#FCO-19),
    /// [FRD-11](crate::spec#FRD-11).
    pub fn on_response(&self, response: &mut response::Parts) {
        if let Some(edits) = &self.edits {
            edits.finish_answer(response);
        }
        self.run_on_answer(filter::on_response, List::Rule, response);
    }

    /// Runs the filters of the rule on an answer that the gateway makes by itself: 500, 503, 504.
    ///
    /// # Spec
    /// [FHM-11](crate::spec#FHM-11), [FCO-02](crate::spec#FCO-02).
    pub fn on_local_response(&self, response: &mut response::Parts) {
        self.run_on_answer(filter::on_local_response, List::Rule, response);
    }

    /// Does all that is to be done to the answer of the backend: takes out what the backend said about its own connection,
    /// the version of HTTP included, and runs the filters that have run on the request, the other way round.
    pub fn finish(&self, response: &mut response::Parts) {
        response.version = Version::default();
        let upgraded = self.upgrade && response.status == StatusCode::SWITCHING_PROTOCOLS;
        hop_by_hop::remove_from_response(&mut response.headers, upgraded);
        self.on_backend_response(response);
        self.on_response(response);
    }

    /// Does all that is to be done to an answer that the gateway makes by itself, because the backend cannot be reached,
    /// fails, or takes too long.
    pub fn finish_local(&self, response: &mut response::Parts) {
        self.on_backend_local_response(response);
        self.on_local_response(response);
    }

    /// The answer to a request that a step has stopped, with the filters run on it. The gateway's own has this form, which is
    /// that of the request as the client sent it.
    pub fn answer(&self, stopped: Stopped, form: Form) -> Response<Bytes> {
        let (local, response) = match stopped {
            Stopped::Answered(response) => (false, *response),
            Stopped::Refused(refusal) => (true, refusal.into_response(form)),
            // A service that is not asked lets nothing pass.
            Stopped::Asks(_) => (true, Refusal::NotAuthorized.into_response(form)),
        };
        let (mut parts, body) = response.into_parts();
        if local {
            self.finish_local(&mut parts);
        } else {
            self.on_backend_response(&mut parts);
            self.on_response(&mut parts);
        }
        Response::from_parts(parts, body)
    }

    /// Whether the client asks for another protocol on its connection, so that a 101 is an answer to it.
    pub fn wants_upgrade(&self) -> bool {
        self.upgrade
    }

    /// What keeps the table that decided.
    pub fn table_keeper(&self) -> &T {
        &self.table
    }

    /// The table that decided.
    pub fn table(&self) -> &RouteTable {
        &self.table
    }

    /// The decision.
    pub fn matched(&self) -> Matched {
        self.matched
    }

    /// The rule that serves the request.
    pub fn rule(&self) -> &HttpRule {
        self.table.rule(self.matched.rule)
    }

    /// The listener that took the request.
    pub fn listener(&self) -> &Listener {
        self.table.listener(self.matched.listener)
    }

    /// Where the table keeps the backend that was chosen, once one was; also one that has no endpoints.
    pub fn backend_id(&self) -> Option<BackendId> {
        self.chosen.map(|chosen| chosen.id)
    }

    /// The backend that was chosen, once one was; also one that has no endpoints.
    pub fn backend(&self) -> Option<&Backend> {
        self.chosen.map(|chosen| self.table.backend(chosen.id))
    }

    /// The copies for mirrors, in the order of the filters. Send them once the request itself is attempted.
    pub fn mirrors(&self) -> &[MirrorCopy] {
        self.edits.as_deref().map_or(&[], |edits| &edits.mirrors)
    }

    /// The same, to be changed; none where there are none.
    pub(super) fn mirrors_mut(&mut self) -> Option<&mut Vec<MirrorCopy>> {
        let edits = self.edits.as_mut().filter(|edits| !edits.mirrors.is_empty())?;
        Some(&mut Arc::make_mut(edits).mirrors)
    }

    /// Takes the copies out.
    pub fn take_mirrors(&mut self) -> Vec<MirrorCopy> {
        self.mirrors_mut().map(mem::take).unwrap_or_default()
    }

    /// An error when a step has stopped the request.
    fn go_on(&self) -> Result<(), Refusal> {
        self.stopped.map_or(Ok(()), Err)
    }

    fn choose(&mut self, random: u64) -> Result<BackendId, Refusal> {
        let rule = self.rule();
        // No service is asked twice, and nothing behind the filter that asked is left out.
        let is_left = matches!(self.asked, Asked::Passed(_)) && self.ran == Some(List::Rule);
        if is_left || self.ran.is_none() && !rule.filters.is_empty() {
            return Err(Refusal::Filter);
        }
        let (position, target) = rule.backends.pick(random).ok_or(Refusal::NoBackend)?;
        let id = match target {
            BackendTarget::Backend(id) => id,
            BackendTarget::Unresolved => {
                return Err(Refusal::UnresolvedBackend { position: position as u16 });
            }
        };
        self.chosen = Some(Chosen { position: position as u32, id });
        let backend = self.table.backend(id);
        if backend.endpoints.is_empty() && !backend.is_answered_by_client() {
            return Err(Refusal::without_endpoints(backend));
        }
        Ok(id)
    }

    /// The filters of one list; of the backend none before one was chosen.
    pub fn filters(&self, list: List) -> &[HttpFilter] {
        match (list, self.chosen) {
            (List::Rule, _) => &self.rule().filters,
            (List::Backend, Some(chosen)) => self.rule().filters_of(chosen.position as usize),
            (List::Backend, None) => &[],
        }
    }

    /// Runs a list on the request; from then on it has run.
    fn run_list(
        &mut self,
        list: List,
        parts: &mut request::Parts,
        random: &mut dyn FnMut() -> u64,
    ) -> Result<(), Stopped> {
        self.ran = Some(list);
        if self.filters(list).is_empty() {
            return Ok(());
        }
        let listener = self.listener();
        let context =
            FilterContext { scheme: listener.scheme(), port: listener.port, path: self.matched.path };
        // One value for both lists, so that CORS and path modifiers see the request as the client sent it.
        let mut kept = self.edits.take();
        let mut fresh = RequestEdits::default();
        let edits = kept.as_mut().map_or(&mut fresh, Arc::make_mut);
        let filters = self.filters(list);
        let verdict = match self.asked {
            Asked::Passed(position) if list == List::Rule => {
                filter::resume(filters, position.into(), &context, parts, edits, random)
            }
            Asked::Not | Asked::Passed(_) | Asked::Waits(_) => {
                filter::on_request(filters, &context, parts, edits, random)
            }
        };
        self.asked = Asked::Not;
        self.edits = kept.or_else(|| (!fresh.is_empty()).then(|| Arc::new(fresh)));
        let stopped = match verdict {
            Verdict::Continue => return Ok(()),
            Verdict::Respond(response) => Stopped::Answered(response),
            Verdict::Fail => Stopped::Refused(Refusal::Filter),
            Verdict::Ask(position) => match (list, self.filters(list).get(position)) {
                (List::Rule, Some(HttpFilter::ExternalAuth(auth))) => {
                    let auth = auth.clone();
                    self.asked = Asked::Waits(position as u8);
                    Stopped::Asks(auth)
                }
                // A backend has no filter that asks.
                (_, _) => Stopped::Refused(Refusal::Filter),
            },
        };
        self.stopped = Some(Refusal::Filter);
        Err(stopped)
    }

    /// Runs a list on the answer, if it has run on the request.
    fn run_on_answer(
        &self,
        run: fn(&[HttpFilter], &RequestEdits, &mut response::Parts),
        list: List,
        response: &mut response::Parts,
    ) {
        if Some(list) <= self.ran {
            let none = RequestEdits::default();
            run(self.filters(list), self.edits.as_deref().unwrap_or(&none), response);
        }
    }
}

impl<T: Clone> Clone for Exchange<T> {
    fn clone(&self) -> Self {
        let edits = match &self.edits {
            Some(edits) if !edits.mirrors.is_empty() => Some(Arc::new(edits.without_mirrors())),
            shared => shared.clone(),
        };
        Self { table: self.table.clone(), sessions: self.sessions.clone(), edits, ..*self }
    }
}

impl<T: Deref<Target = RouteTable>> fmt::Debug for Exchange<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("generation", &self.table.generation())
            .field("listener", &format_args!("{}", self.listener()))
            .field("rule", &format_args!("{}", self.rule().id))
            .field("entry", &self.matched.entry)
            .field("backend", &self.backend().map(|backend| &backend.service))
            .field("ran", &self.ran)
            .finish_non_exhaustive()
    }
}
