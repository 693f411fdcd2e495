//! One listener of a Gateway or a ListenerSet, and what was found out about it.

use std::net::IpAddr;
use std::sync::Arc;

use super::allowed_routes::{AllowedNamespaces, Namespaces};
use super::conflict::Conflict;
use super::listener_filters::Judged;
use super::protocol::Protocol;
use crate::condition::Reason;
use crate::filter::ListenerFilter;
use crate::finding::Finding;
use crate::hostname::Hostname;
use crate::name::{ListenerOwnerKind, ObjectName, RouteKind};
use crate::table::{ListenerTls, Unbound, UnboundCause};

/// A listener as it stands in the specification of its owner, with all that was found out about it.
///
/// Bad listeners are here too: Routes attach to them and are counted, so that they serve the moment the listener does.
///
/// # Spec
/// `Listener`, `ListenerEntry`; GWK-10, LST-15.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AttachedListener {
    /// The Gateway whose addresses it is bound to.
    pub(crate) gateway: ObjectName,
    /// Whether the Gateway itself or a ListenerSet holds it.
    pub(crate) owner_kind: ListenerOwnerKind,
    /// The object that holds it.
    pub(crate) owner: ObjectName,
    /// Its name, unique within its owner.
    pub(crate) name: Arc<str>,
    /// The port; 0 when what is written is no port, and then it is not served.
    pub(crate) port: u16,
    /// What is spoken there.
    pub(crate) protocol: Protocol,
    /// The hosts it serves; `None` serves every host.
    pub(crate) hostname: Option<Hostname>,
    /// The kinds of Routes it takes: supported, fit for the protocol, and allowed.
    pub(crate) kinds: Vec<RouteKind>,
    /// How it terminates TLS: with the certificates that could be read. A listener that terminates TLS and has none is not
    /// served.
    pub(crate) tls: Option<ListenerTls>,
    /// What runs on its requests before a Route is looked for; nothing until the services are found that it asks.
    pub(crate) filters: Arc<[ListenerFilter]>,
    /// The same before that.
    pub(super) judged_filters: Vec<Judged>,
    /// Its number among the listeners of this translation.
    pub(crate) key: ListenerKey,
    /// The namespaces whose Routes it takes.
    pub(crate) allowed_namespaces: AllowedNamespaces,
    /// What is wrong with it.
    pub(crate) state: ListenerState,
}

/// What keeps a listener from being served, and what else its owner should know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ListenerState {
    /// Why it is not accepted.
    pub(crate) refusal: Option<Finding>,
    /// Why it cannot stand beside the others; says more than `refusal`.
    pub(crate) conflict: Option<Conflict>,
    /// Why it cannot be programmed although it is accepted.
    pub(crate) obstacle: Option<Finding>,
    /// Why nothing of its Gateway is served.
    pub(crate) waiting: Option<Waiting>,
    /// Why the data plane has not bound its port. It stays in the table, since the data plane goes on trying.
    pub(crate) unbound: Option<Finding>,
    /// At which addresses it has not.
    pub(super) unbound_at: Vec<IpAddr>,
    /// References that lead nowhere.
    pub(crate) unresolved: Vec<Finding>,
    /// Whether another listener terminates TLS for some of its hosts.
    pub(crate) overlapping: bool,
}

/// Why nothing of a Gateway is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// It is not accepted.
    NotAccepted,
    /// It has no address that can be used.
    NoAddress,
}

/// A listener among those of one translation: its number, counted from 0 without gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ListenerKey(pub(super) u32);

// === impl AttachedListener ===

impl AttachedListener {
    /// Whether Routes of this kind may attach.
    ///
    /// # Spec
    /// RTE-05, RTE-08.
    pub(crate) fn admits_kind(&self, kind: RouteKind) -> bool {
        self.kinds.contains(&kind)
    }

    /// Whether Routes of this namespace may attach.
    ///
    /// # Spec
    /// GWK-07, LST-21.
    pub(crate) fn admits_namespace(&self, route_namespace: &str, namespaces: &Namespaces) -> bool {
        self.allowed_namespaces.admits(route_namespace, namespaces)
    }

    /// All that Routes that attach depend on, and the number under which they are counted.
    pub(super) fn for_routes(&self) -> impl PartialEq + '_ {
        let Self {
            owner_kind, owner, name, port, protocol, hostname, kinds, allowed_namespaces, key, ..
        } = self;
        (key, owner_kind, owner, name, port, protocol, hostname, kinds, allowed_namespaces, self.is_served())
    }

    /// Notes which sockets of its Gateway could not be bound.
    pub(super) fn note_unbound(&mut self, unbound: &[&Unbound]) {
        let mine = unbound.iter().filter(|unbound| {
            unbound.port == self.port
                && unbound.transport == self.protocol.transport()
                && unbound.cause == UnboundCause::Port
        });
        self.state.unbound_at = mine.clone().map(|unbound| unbound.address).collect();
        let reasons: Vec<_> =
            mine.map(|unbound| format!("{}: {}", unbound.address, unbound.message)).collect();
        self.state.unbound = (!reasons.is_empty()).then(|| {
            let message = format!(
                "port {} cannot be bound at {}; use another port or another address",
                self.port,
                reasons.join(", ")
            );
            Finding::new("port", Reason::PortUnavailable, message)
        });
    }

    /// Whether another holds its port at this address: a Gateway, or a process.
    pub(super) fn lost_port_at(&self, address: IpAddr) -> bool {
        let refusal = self.state.refusal.as_ref();
        refusal.is_some_and(|refusal| refusal.reason == Reason::PortUnavailable)
            || self.state.unbound_at.contains(&address)
    }

    /// Whether it goes into the table.
    pub(crate) fn is_served(&self) -> bool {
        self.state.is_valid() && self.state.waiting.is_none()
    }
}

// === impl ListenerState ===

impl ListenerState {
    /// Not accepted, for this reason if there is none yet.
    pub(super) fn refuse(&mut self, finding: Finding) {
        self.refusal.get_or_insert(finding);
    }

    /// Whether the listener makes sense.
    pub(crate) fn is_accepted(&self) -> bool {
        self.refusal.is_none() && self.conflict.is_none()
    }

    /// Whether it could be served, if its Gateway is.
    pub(crate) fn is_valid(&self) -> bool {
        self.is_accepted() && self.obstacle.is_none()
    }

    /// Whether it makes sense and its port is bound, as far as is known.
    pub(crate) fn is_placed(&self) -> bool {
        self.is_accepted() && self.unbound.is_none()
    }

    /// In one word, what keeps the listener from being served.
    pub(crate) fn defect(&self) -> Option<Reason> {
        let finding = || self.refusal.as_ref().or(self.obstacle.as_ref()).or(self.unbound.as_ref());
        self.conflict.map(Conflict::reason).or_else(|| finding().map(|finding| finding.reason))
    }
}

// === impl ListenerKey ===

impl ListenerKey {
    /// The number, below [`Gateways::listener_count`](super::Gateways::listener_count).
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}
