//! Statuses that say something wrong.

use std::sync::Arc;

use gateway_core::api::{
    AnyObject, BackendStatus, Condition, ConditionStatus, GatewayClassStatus, GatewayStatus,
    ListenerSetStatus, ListenerStatus, PolicyStatus, RouteGroupKind, RouteStatus,
};

use super::{Fault, Mutant};

pub(super) const MUTANTS: &[Mutant] = &[
    status("conditions keep the generation that they were first about", |object| {
        each(object, &mut |condition| condition.observed_generation = Some(1));
    }),
    status("conditions do not say which generation they are about", |object| {
        each(object, &mut |condition| condition.observed_generation = None);
    }),
    status("messages say nothing", |object| each(object, &mut |condition| condition.message.clear())),
    status("conditions of other controllers are thrown away", |object| {
        let is_ours = |condition: &Condition| !condition.r#type.contains('/');
        if let AnyObject::Gateway(gateway) = object {
            Arc::make_mut(gateway).status.conditions.retain(is_ours);
        }
        listeners(object, |listener| listener.conditions.retain(is_ours));
    }),
    status("conditions of other controllers are brought up to date", |object| {
        let generation = object.metadata().generation;
        each(object, &mut |condition| {
            if condition.r#type.contains('/') {
                condition.observed_generation = generation;
            }
        });
    }),
    status("a Gateway whose name is no label has no status", |object| {
        if let AnyObject::Gateway(gateway) = object
            && gateway.metadata.name.len() > 63
        {
            Arc::make_mut(gateway).status = GatewayStatus::default();
        }
    }),
    status("every reference resolves", |object| always_true(object, "ResolvedRefs")),
    status("everything is accepted", |object| always_true(object, "Accepted")),
    status("everything is programmed", |object| always_true(object, "Programmed")),
    status("nothing says that it is programmed", |object| {
        if let AnyObject::Gateway(gateway) = object {
            let status = &mut Arc::make_mut(gateway).status;
            status.conditions.retain(|condition| condition.r#type != "Programmed");
        }
        listeners(object, |listener| {
            listener.conditions.retain(|condition| condition.r#type != "Programmed")
        });
    }),
    status("nothing says whether its references resolve", |object| {
        if let AnyObject::HttpRoute(route) = object {
            for parent in &mut Arc::make_mut(route).status.parents {
                parent.conditions.retain(|condition| condition.r#type != "ResolvedRefs");
            }
        }
    }),
    status("whether a reference is permitted is looked at last", |object| {
        reason(object, "RefNotPermitted", "BackendNotFound");
    }),
    status("a route that no listener allows matches no parent", |object| {
        reason(object, "NotAllowedByListeners", "NoMatchingParent");
    }),
    status("a route that names no listener of its parent is not allowed", |object| {
        reason(object, "NoMatchingParent", "NotAllowedByListeners");
    }),
    status("a route whose hostnames match no listener is not allowed", |object| {
        reason(object, "NoMatchingListenerHostname", "NotAllowedByListeners");
    }),
    status("an unknown kind of backend is not found", |object| {
        reason(object, "InvalidKind", "BackendNotFound")
    }),
    status("no routes are counted", |object| listeners(object, |listener| listener.attached_routes = 0)),
    status("routes that are refused are counted too", |object| {
        listeners(object, |listener| listener.attached_routes += 1);
    }),
    status("listeners support the kinds that they are asked for", |object| {
        listeners(object, |listener| {
            let kind = RouteGroupKind { group: "invalid.io".to_owned(), kind: "InvalidRoute".to_owned() };
            listener.supported_kinds.push(kind);
        });
    }),
    status("listeners do not say which kinds they support", |object| {
        listeners(object, |listener| listener.supported_kinds.clear());
    }),
    status("a Gateway with one bad listener is not accepted", |object| {
        if let AnyObject::Gateway(gateway) = object {
            for condition in &mut Arc::make_mut(gateway).status.conditions {
                if condition.reason == "ListenersNotValid" {
                    condition.status = ConditionStatus::False;
                }
            }
        }
    }),
    status("a Gateway with one bad listener is accepted without a word", |object| {
        if let AnyObject::Gateway(_) = object {
            reason(object, "ListenersNotValid", "Accepted");
        }
    }),
    status("conflicts are not reported", |object| {
        listeners(object, |listener| {
            listener.conditions.retain(|condition| condition.r#type != "Conflicted")
        });
    }),
    status("refused ListenerSets are counted", |object| {
        if let AnyObject::Gateway(gateway) = object {
            let sets = &mut Arc::make_mut(gateway).status.attached_listener_sets;
            *sets = Some(sets.unwrap_or_default() + 1);
        }
    }),
    status("a Gateway has no address", |object| {
        if let AnyObject::Gateway(gateway) = object {
            Arc::make_mut(gateway).status.addresses.clear();
        }
    }),
    status("addresses do not say from where they are reached", |object| {
        if let AnyObject::Gateway(gateway) = object {
            Arc::make_mut(gateway).status.addresses.iter_mut().for_each(|address| address.routability = None);
        }
    }),
    status("addresses promise what was asked for in other words", |object| {
        if let AnyObject::Gateway(gateway) = object {
            let addresses = Arc::make_mut(gateway).status.addresses.iter_mut();
            addresses.for_each(|address| address.routability = Some("Cluster".to_owned()));
        }
    }),
    status("the entries of other controllers are thrown away", |object| {
        if let AnyObject::HttpRoute(route) = object {
            let parents = &mut Arc::make_mut(route).status.parents;
            if let Some(own) = parents.last().map(|parent| parent.controller_name.clone()) {
                parents.retain(|parent| parent.controller_name == own);
            }
        }
    }),
    status("the status of a ListenerSet's listeners is missing", |object| {
        if let AnyObject::ListenerSet(set) = object {
            Arc::make_mut(set).status.listeners.clear();
        }
    }),
];

const fn status(name: &'static str, change: fn(&mut AnyObject)) -> Mutant {
    Mutant { name, fault: Fault::Status(change) }
}

/// Every condition in the status of an object.
fn each(object: &mut AnyObject, change: &mut dyn FnMut(&mut Condition)) {
    // By the type of the status, so that a kind that comes is among them.
    if let Some(status) = object.status_mut::<GatewayClassStatus>() {
        status.conditions.iter_mut().for_each(&mut *change);
    }
    if let Some(status) = object.status_mut::<GatewayStatus>() {
        status.conditions.iter_mut().for_each(&mut *change);
    }
    if let Some(status) = object.status_mut::<ListenerSetStatus>() {
        status.conditions.iter_mut().for_each(&mut *change);
    }
    if let Some(status) = object.status_mut::<RouteStatus>() {
        status.parents.iter_mut().flat_map(|parent| &mut parent.conditions).for_each(&mut *change);
    }
    if let Some(status) = object.status_mut::<PolicyStatus>() {
        status.ancestors.iter_mut().flat_map(|ancestor| &mut ancestor.conditions).for_each(&mut *change);
    }
    if let Some(status) = object.status_mut::<BackendStatus>() {
        status.ancestors.iter_mut().flat_map(|ancestor| &mut ancestor.conditions).for_each(&mut *change);
    }
    listeners(object, |listener| listener.conditions.iter_mut().for_each(&mut *change));
}

pub(super) fn listeners(object: &mut AnyObject, change: impl FnMut(&mut ListenerStatus)) {
    match object {
        AnyObject::Gateway(gateway) => Arc::make_mut(gateway).status.listeners.iter_mut().for_each(change),
        AnyObject::ListenerSet(set) => Arc::make_mut(set).status.listeners.iter_mut().for_each(change),
        _ => {}
    }
}

pub(super) fn always_true(object: &mut AnyObject, about: &str) {
    each(object, &mut |condition| {
        if condition.r#type == about {
            condition.status = ConditionStatus::True;
            condition.reason = about.to_owned();
        }
    });
}

fn reason(object: &mut AnyObject, right: &str, wrong: &str) {
    each(object, &mut |condition| {
        if condition.reason == right {
            condition.reason = wrong.to_owned();
        }
    });
}
