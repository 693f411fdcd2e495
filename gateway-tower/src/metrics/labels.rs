//! The labels of a series: the places of a table, and nothing that a client can make up.

use std::collections::HashSet;
use std::fmt::{self, Display, Write};
use std::hash::{Hash, Hasher};
use std::iter;
use std::sync::Arc;

use foldhash::fast::RandomState;
use gateway_core::filter::HttpFilter;
use gateway_core::name::{BackendId, ListenerOwnerKind, ObjectName};
use gateway_core::rule::{Backend, BackendKind, BackendTarget, Backends, RuleName};
use gateway_core::table::{FrontendOwner, Listener, ListenerId, RouteTable, RuleId};
use prometheus_client::encoding::{
    EncodeLabel, EncodeLabelSet, EncodeLabelValue, LabelSetEncoder, LabelValueEncoder,
};

use crate::outcome::StreamOutcome;
use crate::routed::Routed;

/// A place in a table, by its numbers there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) listener: ListenerId,
    pub(super) rule: Option<RuleId>,
    pub(super) to: To,
}

/// Where a place is in its rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum To {
    /// At none of its backends.
    None,
    Backend(BackendId),
    /// At the reference at this position, which leads nowhere.
    Unresolved(u16),
}

/// The same by name, which stays from table to table.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Labels {
    listener: Arc<ListenerLabels>,
    rule: Option<RuleName>,
    backend: Option<Arc<BackendName>>,
}

/// The parts of labels that many series have, each kept once.
#[derive(Debug, Default)]
pub(super) struct Parts {
    listeners: HashSet<Arc<ListenerLabels>, RandomState>,
    backends: HashSet<Arc<BackendName>, RandomState>,
}

/// The labels of a listener, or of its owner alone.
#[derive(Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct ListenerLabels {
    owner: FrontendOwner,
    name: Option<ListenerName>,
}

#[derive(Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct ListenerName {
    owner_kind: ListenerOwnerKind,
    owner: ObjectName,
    name: Arc<str>,
}

/// A backend by what it is displayed as.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum BackendName {
    Known {
        service: ObjectName,
        port: u16,
        kind: BackendKind,
    },
    /// What a reference is to that leads nowhere.
    Unresolved(Arc<str>),
}

/// What is in a table: the labels that series may have.
#[derive(Debug, Default)]
pub(super) struct Known<'t> {
    owners: HashSet<FrontendOwner<&'t ObjectName, &'t str>, RandomState>,
    listeners: HashSet<(ListenerOwnerKind, &'t ObjectName, &'t str), RandomState>,
    rules: HashSet<&'t RuleName, RandomState>,
    /// The backends of each rule, its mirrors among them: all pairs of the two would be a product.
    backends: HashSet<(&'t RuleName, BackendName), RandomState>,
}

/// Labels of a place with those of what happened there.
#[derive(Debug)]
pub(super) struct With<'a, L, const N: usize>(pub(super) &'a L, pub(super) [(&'static str, &'a str); N]);

/// Any text as the value of a label.
pub(super) struct Text<T>(pub(super) T);

// === impl Place ===

impl Place {
    /// The place of a request; with the backend of its last attempt, where there was one.
    #[inline]
    pub(super) fn from_routed(routed: &Routed) -> Self {
        let matched = routed.matched();
        let to = routed.reached().map_or(To::None, |reached| To::Backend(reached.backend));
        Self { listener: matched.listener, rule: Some(matched.rule), to }
    }
}

impl Place {
    /// What the reference is to that leads nowhere, where the place is at one.
    fn unresolved<'t>(&self, table: &'t RouteTable) -> Option<&'t Arc<str>> {
        let To::Unresolved(position) = self.to else { return None };
        table.rule(self.rule?).backends.unresolved(position.into())
    }
}

impl Hash for Place {
    /// Of the numbers alone, since each request is looked up by them: which of them are there makes hardly a difference.
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { listener, rule, to } = self;
        listener.hash(state);
        rule.iter().for_each(|rule| rule.hash(state));
        match to {
            To::None => {}
            To::Backend(backend) => backend.hash(state),
            To::Unresolved(position) => position.hash(state),
        }
    }
}

// === impl Labels ===

impl Labels {
    /// The labels of a Gateway or a Service, where nothing else is known. Which namespaces clients are in is not for a table to say.
    pub(super) fn of_owner(owner: &FrontendOwner) -> Self {
        let owner = match owner {
            FrontendOwner::ServiceFor(service, _) => FrontendOwner::Service(service.clone()),
            FrontendOwner::Gateway(_) | FrontendOwner::Service(_) => owner.clone(),
        };
        Self { listener: ListenerLabels { owner, name: None }.into(), rule: None, backend: None }
    }

    /// The labels of a place in `table`.
    pub(super) fn new(table: &RouteTable, place: Place) -> Self {
        Self {
            listener: ListenerLabels::from(&**table.listener(place.listener)).into(),
            rule: place.rule.map(|rule| table.rule(rule).id.clone()),
            backend: match place.to {
                To::None => None,
                To::Backend(id) => Some(BackendName::new(table.backend(id)).into()),
                To::Unresolved(_) => {
                    place.unresolved(table).map(|name| BackendName::Unresolved(Arc::clone(name)).into())
                }
            },
        }
    }

    /// The labels of the place that a stream had.
    pub(super) fn of_stream(stream: &StreamOutcome) -> Self {
        let listener = match &stream.listener {
            Some(listener) => ListenerLabels::from(&**listener),
            None => ListenerLabels { owner: FrontendOwner::Gateway(stream.gateway.clone()), name: None },
        };
        let unresolved = || stream.unresolved.clone().map(BackendName::Unresolved);
        Self {
            listener: listener.into(),
            rule: stream.rule.as_ref().map(|rule| rule.id.clone()),
            backend: stream.backend.as_ref().map(BackendName::new).or_else(unresolved).map(Arc::new),
        }
    }

    /// The labels of requests there: without the backend that they went to.
    pub(super) fn of_request(&self) -> Self {
        Self { backend: None, ..self.clone() }
    }

    /// Whether requests to both are counted together.
    pub(super) fn share_requests(&self, other: &Self) -> bool {
        self.listener == other.listener && self.rule == other.rule
    }

    /// Whether these name a backend, be it one that is not there.
    pub(super) fn have_backend(&self) -> bool {
        self.backend.is_some()
    }

    /// Whether these name a reference that leads nowhere: requests to it are refused, and so that is counted with its name.
    pub(super) fn are_unresolved(&self) -> bool {
        matches!(self.backend.as_deref(), Some(BackendName::Unresolved(_)))
    }

    /// Whether these are the labels of a place in `table`. Texts are shared between tables, so that in most cases pointers
    /// are compared.
    #[inline]
    pub(super) fn are_of(&self, table: &RouteTable, place: Place) -> bool {
        self.listener.is_of(table.listener(place.listener))
            && match (&self.rule, place.rule) {
                (Some(name), Some(rule)) => table.rule(rule).id == *name,
                (None, None) => true,
                (Some(_), None) | (None, Some(_)) => false,
            }
            && match (self.backend.as_deref(), place.to) {
                (Some(BackendName::Known { service, port, kind }), To::Backend(backend)) => {
                    let backend = table.backend(backend);
                    backend.port == *port && backend.service == *service && backend.kind == *kind
                }
                (Some(BackendName::Unresolved(name)), To::Unresolved(_)) => {
                    place.unresolved(table) == Some(name)
                }
                (None, To::Unresolved(_)) => place.unresolved(table).is_none(),
                (None, To::None) => true,
                (None, To::Backend(_)) | (Some(_), _) => false,
            }
    }
}

// === impl Parts ===

impl Parts {
    /// The same labels, of parts that others have as far as there are such.
    pub(super) fn share(&mut self, labels: Labels) -> Labels {
        let Labels { listener, rule, backend } = labels;
        Labels {
            listener: kept_once(&mut self.listeners, listener),
            rule,
            backend: backend.map(|backend| kept_once(&mut self.backends, backend)),
        }
    }

    /// Forgets those that no labels have any more.
    pub(super) fn forget_unused(&mut self) {
        self.listeners.retain(|listener| Arc::strong_count(listener) > 1);
        self.backends.retain(|backend| Arc::strong_count(backend) > 1);
    }
}

fn kept_once<T: Hash + Eq>(known: &mut HashSet<Arc<T>, RandomState>, part: Arc<T>) -> Arc<T> {
    if let Some(known) = known.get(&part) {
        return Arc::clone(known);
    }
    known.insert(Arc::clone(&part));
    part
}

// === impl ListenerLabels ===

impl ListenerLabels {
    fn is_of(&self, of: &Listener) -> bool {
        self.name.as_ref().is_some_and(|ListenerName { owner_kind, owner, name }| {
            *name == of.name && *owner_kind == of.owner_kind && *owner == of.owner
        }) && self.owner == of.frontend
    }
}

impl From<&Listener> for ListenerLabels {
    fn from(listener: &Listener) -> Self {
        let Listener { frontend, owner_kind, owner, name, .. } = listener;
        let (owner, name) = (owner.clone(), name.clone());
        let name = ListenerName { owner_kind: *owner_kind, owner, name };
        Self { owner: frontend.clone(), name: Some(name) }
    }
}

// === impl Labels for Prometheus ===

impl EncodeLabelSet for Labels {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        match &self.listener.owner {
            FrontendOwner::Gateway(name) => ("gateway", Text(name)).encode(encoder.encode_label())?,
            FrontendOwner::Service(name) => ("service", Text(name)).encode(encoder.encode_label())?,
            FrontendOwner::ServiceFor(name, namespace) => {
                ("service", Text(name)).encode(encoder.encode_label())?;
                ("client_namespace", &**namespace).encode(encoder.encode_label())?;
            }
        }
        if let Some(listener) = &self.listener.name {
            ("listener", Text(listener)).encode(encoder.encode_label())?;
        }
        if let Some(RuleName { route, index, name }) = &self.rule {
            ("route_kind", route.kind.as_str()).encode(encoder.encode_label())?;
            ("route", Text(&route.name)).encode(encoder.encode_label())?;
            ("rule", *index).encode(encoder.encode_label())?;
            if let Some(name) = name {
                ("rule_name", &**name).encode(encoder.encode_label())?;
            }
        }
        if let Some(backend) = self.backend.as_deref() {
            ("backend", Text(backend)).encode(encoder.encode_label())?;
        }
        Ok(())
    }
}

// === impl BackendName ===

impl BackendName {
    fn new(backend: &Backend) -> Self {
        Self::Known { service: backend.service.clone(), port: backend.port, kind: backend.kind }
    }
}

impl Display for BackendName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.clone() {
            Self::Known { service, port, kind } => {
                Backend { service, port, kind, ..Backend::default() }.fmt(f)
            }
            Self::Unresolved(name) => f.write_str(&name),
        }
    }
}

// === impl ListenerName ===

impl Display for ListenerName {
    /// The name within a Gateway or a Service; the names of a ListenerSet, which are others', have it before them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.owner_kind {
            ListenerOwnerKind::Gateway | ListenerOwnerKind::Service => f.write_str(&self.name),
            ListenerOwnerKind::ListenerSet => write!(f, "{}/{}", self.owner, self.name),
        }
    }
}

// === impl Known ===

impl<'t> Known<'t> {
    pub(super) fn new(table: &'t RouteTable) -> Self {
        let mut known = Self::default();
        for (_, listener) in table.listeners() {
            known.owners.insert(listener.frontend.as_ref());
            known.listeners.insert((listener.owner_kind, &listener.owner, &listener.name));
        }
        known.rules.extend(table.rules().map(|rule| &rule.id));
        known.rules.extend(table.stream_rules().map(|rule| &rule.id));
        for rule in table.stream_rules() {
            known.add_backends(table, &rule.id, found(&rule.backends));
            known.add_unresolved(&rule.id, &rule.backends);
        }
        for rule in table.rules() {
            let lists = iter::once(&rule.filters).chain(rule.backend_filters.lists());
            let mirrors = lists.flatten().filter_map(|filter| match filter {
                HttpFilter::RequestMirror(mirror) => Some(mirror.backend),
                _ => None,
            });
            known.add_backends(table, &rule.id, found(&rule.backends).chain(mirrors));
            known.add_unresolved(&rule.id, &rule.backends);
        }
        known
    }

    fn add_backends(
        &mut self,
        table: &RouteTable,
        rule: &'t RuleName,
        backends: impl Iterator<Item = BackendId>,
    ) {
        self.backends.extend(backends.map(|id| (rule, BackendName::new(table.backend(id)))));
    }

    fn add_unresolved(&mut self, rule: &'t RuleName, backends: &Backends) {
        let names = backends.all_unresolved().cloned();
        self.backends.extend(names.map(|name| (rule, BackendName::Unresolved(name))));
    }

    /// Whether all that these labels name is there.
    pub(super) fn contains(&self, labels: &Labels) -> bool {
        let Labels { listener, rule, backend } = labels;
        let ListenerLabels { owner, name } = &**listener;
        self.owners.contains(&owner.as_ref())
            && name.as_ref().is_none_or(|ListenerName { owner_kind, owner, name }| {
                self.listeners.contains(&(*owner_kind, owner, &**name))
            })
            && rule.as_ref().is_none_or(|rule| self.rules.contains(rule))
            && backend.as_deref().is_none_or(|backend| {
                rule.as_ref().is_some_and(|rule| self.backends.contains(&(rule, backend.clone())))
            })
    }
}

/// The backends that references lead to.
fn found(backends: &Backends) -> impl Iterator<Item = BackendId> {
    backends.refs().iter().filter_map(|backend| match backend.target {
        BackendTarget::Backend(id) => Some(id),
        BackendTarget::Unresolved => None,
    })
}

// === impl With ===

impl<L: EncodeLabelSet, const N: usize> EncodeLabelSet for With<'_, L, N> {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        EncodeLabelSet::encode(self.0, encoder)?;
        // What is not there has no label, which is the same to Prometheus as an empty one.
        for label in self.1.iter().filter(|(_, value)| !value.is_empty()) {
            label.encode(encoder.encode_label())?;
        }
        Ok(())
    }
}

// === impl Text ===

impl<T: Display> EncodeLabelValue for Text<T> {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        write!(encoder, "{}", self.0)
    }
}
