//! The attachment of a route to listeners.

use gateway_core::api::{GATEWAY_GROUP, ParentReference, Resources};
use gateway_core::name::ObjectName;

use super::gateway::Listener;
use super::{allowed_namespaces, namespace};

/// RTE-03, RTE-05: some parentRef leads to the listener, and the listener lets the route in.
///
/// A route of which every rule is invalid is not accepted (RTE-25). Its status says so; but where it is a filter that
/// cannot be carried out, requests still get 500 and do not slip through to another route: FLT-05, AMB-62.
pub(super) fn is_attached(
    resources: &Resources,
    kind: &str,
    route: &ObjectName,
    parents: &[ParentReference],
    listener: &Listener<'_>,
) -> bool {
    // LST-16, LST-17: a Gateway has its own listeners here, and a ListenerSet its own.
    let (object_kind, object) = listener.object();
    // LST-19, RTE-12: each parentRef for itself.
    let leads_here = parents.iter().any(|parent| {
        parent.group == GATEWAY_GROUP
            && parent.kind == object_kind
            && *parent.name == *object.name
            && *namespace(parent.namespace.as_deref(), route) == *object.namespace
            && parent.section_name.as_deref().is_none_or(|section| section == listener.name)
            && parent.port.is_none_or(|port| port == i32::from(listener.port))
    });
    let namespaces = &listener.allowed_routes.namespaces;
    leads_here
        && listener.takes(kind)
        // GWK-07, LST-21: `Same` is the namespace of the object that the listener is written in.
        && allowed_namespaces::admit(
            resources,
            &namespaces.from,
            namespaces.selector.as_ref(),
            &object.namespace,
            &route.namespace,
        )
}
