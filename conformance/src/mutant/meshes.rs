//! Faults within a mesh: whom a request is for, and whom a Route is for.

use std::sync::Arc;

use gateway_core::api::{AnyObject, ParentReference};
use gateway_core::name::ObjectName;

use super::{Fault, Mutant};
use crate::case::{HttpRequest, MESH, Way};

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant { name: "the host says which Service of a mesh is meant", fault: Fault::Way(by_host) },
    Mutant {
        name: "what is sent to a pod of a mesh is taken for what is sent to its Service",
        fault: Fault::Way(|way, _| {
            if way.pod {
                (way.pod, way.port) = (false, 80);
            }
        }),
    },
    Mutant {
        name: "the namespace of a client in a mesh does not matter",
        fault: Fault::Way(|way, _| way.from.0 = ObjectName::new(MESH, &*way.from.0.name)),
    },
    Mutant {
        name: "a route of a Service is for all of its ports",
        fault: Fault::Object(|object| {
            of_services(object, |parent| (parent.port, parent.section_name) = (None, None))
        }),
    },
    Mutant {
        name: "a route of a Service in another namespace is for the clients of all",
        fault: Fault::Object(|object| {
            let mut of_service = None;
            of_services(object, |parent| of_service = parent.namespace.clone());
            if of_service.is_some() {
                object.metadata_mut().namespace = of_service;
            }
        }),
    },
];

fn by_host(way: &mut Way, request: &HttpRequest) {
    let Some(host) = &request.host else { return };
    let name = host.split(['.', ':']).next().unwrap_or_default();
    way.to.0 = ObjectName::new(way.to.0.namespace.clone(), name);
}

/// The parents of a Route that are Services.
fn of_services(object: &mut AnyObject, change: impl FnMut(&mut ParentReference)) {
    let parents = match object {
        AnyObject::HttpRoute(route) => &mut Arc::make_mut(route).spec.parent_refs,
        AnyObject::GrpcRoute(route) => &mut Arc::make_mut(route).spec.parent_refs,
        _ => return,
    };
    parents.iter_mut().filter(|parent| parent.kind == "Service").for_each(change);
}
