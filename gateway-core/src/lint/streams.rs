//! Routes for streams and datagrams that another Route keeps from what comes.

use std::collections::BTreeMap;

use super::Lint;
use crate::api::{AnyObject, FromNamespaces, GATEWAY_GROUP, Kind, Listener, ParentReference, RouteGroupKind};
use crate::condition::{Condition, ConditionType, Reason};
use crate::name::{Age, ObjectName, RouteKey, RouteKind};

/// A Route that is attached to a listener.
struct Attached<'r> {
    age: Age,
    route: &'r ObjectName,
    /// The position of the reference among its parents.
    parent: usize,
}

/// What tells a listener: its object, and its name there.
type Place<'r> = (Kind, &'r ObjectName, &'r str);

/// Nothing in a stream or a datagram tells two Routes apart, so that one of them has all that comes to a listener: the oldest.
///
/// # Spec
/// TCR-03, TCR-04, UDR-03.
pub(super) fn look(lint: &mut Lint<'_>) {
    for (kind, protocol) in [(RouteKind::Tcp, "TCP"), (RouteKind::Udp, "UDP")] {
        let mut places: BTreeMap<Place<'_>, Vec<Attached<'_>>> = BTreeMap::new();
        for name in lint.resources.names(Kind::from(kind)) {
            let Some(route) = lint.resources.get(Kind::from(kind), name) else { continue };
            attach(lint, kind, protocol, name, &route, &mut places);
        }
        for ((owner_kind, owner, listener), mut routes) in places {
            routes.sort_by(|a, b| a.age.cmp(&b.age));
            let mut routes = routes.into_iter();
            let Some(first) = routes.next() else { continue };
            // That a Route names one listener twice is no harm.
            for Attached { route, parent, .. } in routes.filter(|other| other.route != first.route) {
                let message = format!(
                    "gets nothing of listener {listener} of {owner_kind} {owner}: all of it goes to {kind} {}, which came \
                     first; name another listener in one of the two, by sectionName",
                    first.route
                );
                let field = format!("spec.parentRefs[{parent}]");
                lint.say(kind.into(), route, Reason::Unsupported, field, message);
            }
        }
    }
}

/// Adds a Route to the listeners that it is attached to for certain: not to those which choose namespaces by label.
fn attach<'r>(
    lint: &Lint<'r>,
    kind: RouteKind,
    protocol: &str,
    name: &'r ObjectName,
    object: &AnyObject,
    places: &mut BTreeMap<Place<'r>, Vec<Attached<'r>>>,
) {
    let Some(route) = object.as_route() else { return };
    let Some(status) = lint.statuses.routes.get(&RouteKey::new(kind, name.clone())) else { return };
    let age = object.metadata().age(name);
    for (parent, reference) in route.parent_refs.iter().enumerate() {
        let namespace = reference.namespace.as_deref().unwrap_or(&name.namespace);
        let whole = ParentReference { namespace: Some(namespace.to_owned()), ..reference.clone() };
        let is_accepted = status.parents.iter().any(|known| {
            known.parent_ref == whole && Condition::holds(&known.conditions, ConditionType::Accepted)
        });
        if !is_accepted {
            continue;
        }
        let owner = ObjectName::new(namespace, reference.name.as_str());
        let gateway = lint.resources.gateways.get_key_value(&owner);
        let set = lint.resources.listener_sets.get_key_value(&owner);
        let (owner_kind, owner, listeners) = match (reference.kind.as_str(), gateway, set) {
            ("Gateway", Some((owner, gateway)), _) => (Kind::Gateway, owner, &gateway.spec.listeners),
            ("ListenerSet", _, Some((owner, set))) => (Kind::ListenerSet, owner, &set.spec.listeners),
            _ => continue,
        };
        let fits = |listener: &&Listener| {
            listener.protocol == protocol
                && reference.section_name.as_ref().is_none_or(|section| *section == listener.name)
                && reference.port.is_none_or(|port| port == listener.port)
                && is_allowed(listener, owner, name, kind)
        };
        for listener in listeners.iter().filter(fits) {
            let attached = Attached { age: age.clone(), route: name, parent };
            places.entry((owner_kind, owner, &listener.name)).or_default().push(attached);
        }
    }
}

fn is_allowed(listener: &Listener, owner: &ObjectName, route: &ObjectName, kind: RouteKind) -> bool {
    let allowed = &listener.allowed_routes;
    let from = match &allowed.namespaces.from {
        FromNamespaces::All => true,
        FromNamespaces::Same => owner.namespace == route.namespace,
        _ => false,
    };
    let is_kind = |of: &RouteGroupKind| of.group == GATEWAY_GROUP && of.kind == kind.as_str();
    from && (allowed.kinds.is_empty() || allowed.kinds.iter().any(is_kind))
}
