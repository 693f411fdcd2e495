//! ListenerSets of our Gateways, with their listeners.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::listener::{AttachedListener, Waiting};
use crate::api::{GATEWAY_GROUP, Kind, ListenerSet};
use crate::condition::Reason;
use crate::finding::Finding;
use crate::name::ObjectName;
use crate::validate::Valid;

/// A ListenerSet whose parent is one of our Gateways, allowed there or not.
#[derive(Clone, Debug)]
pub(crate) struct AttachedListenerSet {
    /// The object.
    pub(crate) object: Arc<ListenerSet>,
    /// Its Gateway.
    pub(crate) gateway: ObjectName,
    /// The name of the controller that the class of its Gateway asks for.
    pub(crate) controller: Arc<str>,
    /// Why none of its listeners has a place on the Gateway.
    pub(crate) refusal: Option<Finding>,
    /// Why nothing of its Gateway is served.
    pub(crate) waiting: Option<Waiting>,
    /// Its listeners, all of them, in the order of its specification.
    pub(crate) listeners: Vec<AttachedListener>,
}

/// The ListenerSets of each Gateway that some of them refer to, oldest first.
///
/// # Spec
/// LST-01, LST-07.
pub(super) fn by_gateway(
    sets: &BTreeMap<ObjectName, Valid<ListenerSet>>,
) -> HashMap<ObjectName, Vec<(&ObjectName, &Valid<ListenerSet>)>> {
    let mut found: HashMap<ObjectName, Vec<(&ObjectName, &Valid<ListenerSet>)>> = HashMap::new();
    for (key, set) in sets {
        let parent = &set.spec.parent_ref;
        if parent.group == GATEWAY_GROUP && parent.kind == Kind::Gateway.as_str() {
            let namespace = parent.namespace.as_deref().unwrap_or(&key.namespace);
            found.entry(ObjectName::new(namespace, parent.name.as_str())).or_default().push((key, set));
        }
    }
    for sets in found.values_mut() {
        sets.sort_by_cached_key(|(key, set)| set.metadata.age(key));
    }
    found
}

// === impl AttachedListenerSet ===

impl AttachedListenerSet {
    /// Whether the Gateway lets the ListenerSet attach.
    pub(crate) fn is_allowed(&self) -> bool {
        self.refusal.as_ref().is_none_or(|refusal| refusal.reason != Reason::NotAllowed)
    }

    /// Whether the ListenerSet may attach, and some listener of it could be served.
    pub(crate) fn is_accepted(&self) -> bool {
        self.refusal.is_none() && self.listeners.iter().any(|listener| listener.state.is_valid())
    }

    /// Whether it is accepted, and the port of some listener that could be served is bound as far as is known.
    pub(crate) fn is_placed(&self) -> bool {
        let placed = |listener: &AttachedListener| listener.state.is_valid() && listener.state.is_placed();
        self.refusal.is_none() && self.listeners.iter().any(placed)
    }
}
