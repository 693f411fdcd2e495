//! The ListenerSets of a Gateway.

use gateway_core::api::{GATEWAY_GROUP, Gateway, ListenerSet, Resources};
use gateway_core::name::ObjectName;

use super::{age, allowed_namespaces, namespace};

/// LST-07: the ListenerSets whose listeners a Gateway has, in the order of precedence: the oldest first.
pub(super) fn of_gateway<'r>(
    resources: &'r Resources,
    key: &ObjectName,
    gateway: &Gateway,
) -> Vec<(&'r ObjectName, &'r ListenerSet)> {
    let mut sets: Vec<(&ObjectName, &ListenerSet)> = resources
        .listener_sets
        .iter()
        .map(|(set_key, set)| (set_key, &**set))
        .filter(|(set_key, set)| leads_to(set_key, set, key) && is_allowed(resources, set_key, key, gateway))
        .collect();
    sets.sort_by_key(|(set_key, set)| age::of(&set.metadata, set_key));
    sets
}

/// LST-01: one half of the handshake, what the ListenerSet says.
fn leads_to(set_key: &ObjectName, set: &ListenerSet, gateway: &ObjectName) -> bool {
    let parent = &set.spec.parent_ref;
    parent.group == GATEWAY_GROUP
        && parent.kind == "Gateway"
        && *parent.name == *gateway.name
        && *namespace(parent.namespace.as_deref(), set_key) == *gateway.namespace
}

/// LST-01 to LST-04: the other half, what the Gateway says; if it says nothing, no.
fn is_allowed(resources: &Resources, set: &ObjectName, key: &ObjectName, gateway: &Gateway) -> bool {
    gateway.spec.allowed_listeners.as_ref().is_some_and(|allowed| {
        let namespaces = &allowed.namespaces;
        allowed_namespaces::admit(
            resources,
            &namespaces.from,
            namespaces.selector.as_ref(),
            &key.namespace,
            &set.namespace,
        )
    })
}
