//! What names a series: the places of a table, and nothing that a client can make up.

use std::collections::HashSet;
use std::fmt::{self, Display, Write};
use std::iter;
use std::sync::Arc;

use foldhash::fast::RandomState;
use gateway_core::filter::HttpFilter;
use gateway_core::name::{BackendId, ListenerOwnerKind, ObjectName};
use gateway_core::rule::{Backend, BackendTarget, RuleName};
use gateway_core::table::{FrontendOwner, Listener, ListenerId, RouteTable, RuleId};
use prometheus_client::encoding::{
    EncodeLabel, EncodeLabelSet, EncodeLabelValue, LabelSetEncoder, LabelValueEncoder,
};

/// A place in a table, by its numbers there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) listener: ListenerId,
    pub(super) rule: Option<RuleId>,
    pub(super) backend: Option<BackendId>,
}

/// The same by name, which stays from table to table.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Labels {
    owner: FrontendOwner,
    listener: Option<ListenerName>,
    rule: Option<RuleName>,
    backend: Option<BackendName>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct ListenerName {
    owner_kind: ListenerOwnerKind,
    owner: ObjectName,
    name: Arc<str>,
}

/// A Service and the number of its port.
type BackendName = (ObjectName, u16);

/// What is in a table: the labels that series may have.
#[derive(Debug, Default)]
pub(super) struct Known<'t> {
    owners: HashSet<FrontendOwner<&'t ObjectName, &'t str>, RandomState>,
    listeners: HashSet<(ListenerOwnerKind, &'t ObjectName, &'t str), RandomState>,
    rules: HashSet<&'t RuleName, RandomState>,
    /// The backends of each rule, its mirrors among them: all pairs of the two would be a product.
    backends: HashSet<(&'t RuleName, &'t ObjectName, u16), RandomState>,
}

/// Labels of a place with those of what happened there.
#[derive(Debug)]
pub(super) struct With<'a, L, const N: usize>(pub(super) &'a L, pub(super) [(&'static str, &'a str); N]);

/// Any text as the value of a label.
pub(super) struct Text<T>(pub(super) T);

// === impl Labels ===

impl Labels {
    /// The labels of a Gateway or a Service, where nothing else is known. Which namespaces clients are in is not for a table to say.
    pub(super) fn of_owner(owner: &FrontendOwner) -> Self {
        let owner = match owner {
            FrontendOwner::ServiceFor(service, _) => FrontendOwner::Service(service.clone()),
            FrontendOwner::Gateway(_) | FrontendOwner::Service(_) => owner.clone(),
        };
        Self { owner, listener: None, rule: None, backend: None }
    }

    /// The labels of a place in `table`.
    pub(super) fn new(table: &RouteTable, place: Place) -> Self {
        let Listener { frontend, owner_kind, owner, name, .. } = table.listener(place.listener);
        Self {
            owner: frontend.clone(),
            listener: Some(ListenerName {
                owner_kind: *owner_kind,
                owner: owner.clone(),
                name: name.clone(),
            }),
            rule: place.rule.map(|rule| table.rule(rule).id.clone()),
            backend: place.backend.map(|id| {
                let Backend { service, port, .. } = table.backend(id);
                (service.clone(), *port)
            }),
        }
    }

    /// Whether these are the labels of a place in `table`. Texts are shared between tables, so that in most cases pointers
    /// are compared.
    #[inline]
    pub(super) fn are_of(&self, table: &RouteTable, place: Place) -> bool {
        self.is_at(table.listener(place.listener))
            && match (&self.rule, place.rule) {
                (Some(name), Some(rule)) => table.rule(rule).id == *name,
                (None, None) => true,
                (Some(_), None) | (None, Some(_)) => false,
            }
            && match (&self.backend, place.backend) {
                (Some((service, port)), Some(backend)) => {
                    let backend = table.backend(backend);
                    backend.port == *port && backend.service == *service
                }
                (None, None) => true,
                (Some(_), None) | (None, Some(_)) => false,
            }
    }

    fn is_at(&self, at: &Listener) -> bool {
        self.listener.as_ref().is_some_and(|listener| {
            listener.name == at.name && listener.owner_kind == at.owner_kind && listener.owner == at.owner
        }) && self.owner == at.frontend
    }
}

impl EncodeLabelSet for Labels {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        match &self.owner {
            FrontendOwner::Gateway(name) => ("gateway", Text(name)).encode(encoder.encode_label())?,
            FrontendOwner::Service(name) => ("service", Text(name)).encode(encoder.encode_label())?,
            FrontendOwner::ServiceFor(name, namespace) => {
                ("service", Text(name)).encode(encoder.encode_label())?;
                ("client_namespace", &**namespace).encode(encoder.encode_label())?;
            }
        }
        if let Some(listener) = &self.listener {
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
        if let Some((service, port)) = &self.backend {
            ("backend", Text(format_args!("{service}:{port}"))).encode(encoder.encode_label())?;
        }
        Ok(())
    }
}

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
        for rule in table.rules() {
            let backends = rule.backends.refs().iter().map(|backend| backend.target);
            let lists = iter::once(&rule.filters).chain(&rule.backend_filters);
            let mirrors = lists.flatten().filter_map(|filter| match filter {
                HttpFilter::RequestMirror(mirror) => Some(BackendTarget::Backend(mirror.backend)),
                _ => None,
            });
            known.backends.extend(backends.chain(mirrors).filter_map(|target| match target {
                BackendTarget::Backend(id) => {
                    let Backend { service, port, .. } = table.backend(id);
                    Some((&rule.id, service, *port))
                }
                BackendTarget::Unresolved => None,
            }));
        }
        known
    }

    /// Whether all that these labels name is there.
    pub(super) fn contains(&self, labels: &Labels) -> bool {
        let Labels { owner, listener, rule, backend } = labels;
        self.owners.contains(&owner.as_ref())
            && listener.as_ref().is_none_or(|ListenerName { owner_kind, owner, name }| {
                self.listeners.contains(&(*owner_kind, owner, &**name))
            })
            && rule.as_ref().is_none_or(|rule| self.rules.contains(rule))
            && backend.as_ref().is_none_or(|(service, port)| {
                rule.as_ref().is_some_and(|rule| self.backends.contains(&(rule, service, *port)))
            })
    }
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
