//! Parents that are not there, or not served.

use super::Lint;
use crate::api::{AnyObject, GATEWAY_GROUP, Kind, ParentReference};
use crate::condition::Reason;
use crate::name::{ObjectName, RouteKey, RouteKind};

pub(super) fn look(lint: &mut Lint<'_>) {
    let resources = lint.resources;
    for kind in RouteKind::ALL {
        for name in resources.names(Kind::from(kind)) {
            if let Some(route) = resources.get(Kind::from(kind), name) {
                of_route(kind, name, &route, lint);
            }
        }
    }
    for name in resources.listener_sets.keys() {
        if !lint.statuses.listener_sets.contains_key(name) {
            let message = "names no Gateway that is served here, so that no listener of the set is; name one";
            lint.say(Kind::ListenerSet, name, Reason::NoMatchingParent, "spec.parentRef", message);
        }
    }
}

/// Each parentRef that leads to something here has a status; the others are told.
fn of_route(kind: RouteKind, name: &ObjectName, route: &AnyObject, lint: &mut Lint<'_>) {
    let Some(found) = route.as_route() else { return };
    let status = lint.statuses.routes.get(&RouteKey::new(kind, name.clone()));
    if status.is_some_and(|status| status.parents.len() == found.parent_refs.len()) {
        return;
    }
    let known = |parent: &ParentReference| {
        let namespace = parent.namespace.as_deref().unwrap_or(&name.namespace);
        let whole = ParentReference { namespace: Some(namespace.to_owned()), ..parent.clone() };
        status.is_some_and(|status| status.parents.iter().any(|known| known.parent_ref == whole))
    };
    if found.parent_refs.is_empty() {
        let message = "names no Gateway or ListenerSet, so that the route serves nothing; name one";
        lint.say(kind.into(), name, Reason::NoMatchingParent, "spec.parentRefs", message);
    }
    for (index, parent) in found.parent_refs.iter().enumerate().filter(|(_, parent)| !known(parent)) {
        let message = match (parent.group.as_str(), parent.kind.as_str()) {
            (GATEWAY_GROUP, "Gateway" | "ListenerSet") => {
                "names no Gateway or ListenerSet that is served here; name one".to_owned()
            }
            ("", "Service") => "meshes are not supported; name a Gateway".to_owned(),
            (group, kind) => {
                format!(
                    "no route can be attached to {kind} of group {group:?}; name a Gateway or a ListenerSet"
                )
            }
        };
        let field = format!("spec.parentRefs[{index}]");
        lint.say(kind.into(), name, Reason::NoMatchingParent, field, message);
    }
}
