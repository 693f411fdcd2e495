//! Parents that are not there, or not served.

use super::Lint;
use crate::api::{AnyObject, Kind, MULTICLUSTER_GROUP, ParentReference, Resources};
use crate::condition::Reason;
use crate::feature::Feature;
use crate::finding::Finding;
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
    for (name, set) in &resources.listener_sets {
        if !lint.statuses.listener_sets.contains_key(name) {
            let parent = &set.spec.parent_ref;
            let namespace = parent.namespace.as_deref().unwrap_or(&name.namespace);
            let gateway = ObjectName::new(namespace, parent.name.as_str());
            let message = format!(
                "names no Gateway that is served here, so that no listener of the set is; {}",
                way_out(Kind::Gateway, &gateway, resources)
            );
            let finding = Finding::new("spec.parentRef", Reason::NoMatchingParent, message);
            lint.note(Kind::ListenerSet, name, without(finding, Kind::Gateway, gateway, resources));
        }
    }
}

/// Each parentRef that leads to something here has a status; the others are told.
fn of_route(kind: RouteKind, name: &ObjectName, route: &AnyObject, lint: &mut Lint<'_>) {
    let Some(found) = route.as_route() else { return };
    let resources = lint.resources;
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
        let namespace = parent.namespace.as_deref().unwrap_or(&name.namespace);
        let named = ObjectName::new(namespace, parent.name.as_str());
        let in_mesh = lint.options.supports(Feature::Mesh).then_some(Kind::Service);
        let parents = [Kind::Gateway, Kind::ListenerSet].into_iter().chain(in_mesh);
        let meant = parents.into_iter().find(|kind| kind.as_str() == parent.kind);
        let wanted = meant.filter(|kind| kind.group() == parent.group);
        let message = match (wanted, parent.group.as_str(), parent.kind.as_str()) {
            (Some(Kind::Service), ..) => "names no Service that is there; name one".to_owned(),
            (Some(wanted), ..) => {
                format!("names no {wanted} that is served here; {}", way_out(wanted, &named, resources))
            }
            (None, "", "Service") => {
                "no mesh is carried out here; name a Gateway, or carry one out (`--mesh`)".to_owned()
            }
            (None, MULTICLUSTER_GROUP, "ServiceImport") => {
                "no route can be attached to a ServiceImport here, and what is sent to its addresses goes on as if there were none; \
                 name a Service, or a Gateway with the ServiceImport as a backend"
                    .to_owned()
            }
            (None, group, kind) => {
                let way_out = match meant {
                    Some(meant) => format!("write `group: {:?}`", meant.group()),
                    None => "name a Gateway or a ListenerSet".to_owned(),
                };
                format!("no route can be attached to {kind} of group {group:?}; {way_out}")
            }
        };
        let finding = Finding::new(format!("spec.parentRefs[{index}]"), Reason::NoMatchingParent, message);
        let finding = match wanted {
            Some(wanted) => without(finding, wanted, named, resources),
            None => finding,
        };
        lint.note(kind.into(), name, finding);
    }
}

/// The same finding, with the object that is missing if it is not merely unserved, or written elsewhere, which the way out says.
fn without(finding: Finding, kind: Kind, name: ObjectName, resources: &Resources) -> Finding {
    if resources.contains(kind, &name) || elsewhere(&name, resources).is_some() {
        return finding;
    }
    finding.because_of(kind.as_str(), name)
}

/// A Gateway or ListenerSet of the same name, in another namespace or of the other kind.
fn elsewhere<'r>(name: &ObjectName, resources: &'r Resources) -> Option<(Kind, &'r ObjectName)> {
    let gateways = resources.gateways.keys().map(|name| (Kind::Gateway, name));
    let sets = resources.listener_sets.keys().map(|name| (Kind::ListenerSet, name));
    gateways.chain(sets).find(|(_, other)| other.name == name.name)
}

/// What to do about a parent that is not served, or not there: there may be one of the same name elsewhere.
fn way_out(kind: Kind, name: &ObjectName, resources: &Resources) -> String {
    if resources.get(kind, name).is_some() {
        return format!("{kind} {name} is written, and why it is not served is said there");
    }
    match elsewhere(name, resources) {
        Some((other, found)) if other == kind => {
            format!("there is {kind} {found}: write `namespace: {}`", found.namespace)
        }
        Some((other, found)) => format!("there is {other} {found}: write `kind: {other}`"),
        None => "name one".to_owned(),
    }
}
