//! Faults with ServiceImports.

use std::sync::Arc;

use gateway_core::api::{AnyObject, EndpointSlice, Kind, MULTICLUSTER_GROUP};

use super::{Fault, Mutant};

pub(super) const MUTANTS: &[Mutant] = &[
    object("a ServiceImport leads to the endpoints of one cluster", |object| {
        of_slices(object, |slice| {
            if slice.source_cluster() == Some("west") {
                slice.metadata.labels.remove(EndpointSlice::SERVICE_IMPORT_NAME_LABEL);
                slice.metadata.labels.remove(EndpointSlice::SERVICE_NAME_LABEL);
            }
        });
    }),
    object("a Service has the endpoints of other clusters that name it too", |object| {
        of_slices(object, |slice| {
            if slice.metadata.labels.contains_key(EndpointSlice::SERVICE_NAME_LABEL) {
                slice.metadata.labels.remove(EndpointSlice::SERVICE_IMPORT_NAME_LABEL);
            }
        });
    }),
    object("a ServiceImport is taken for the Service of its name", |object| {
        if let AnyObject::HttpRoute(route) = object {
            let rules = Arc::make_mut(route).spec.rules.iter_mut();
            for backend in rules.flat_map(|rule| &mut rule.backend_refs) {
                if &*backend.kind == Kind::ServiceImport.as_str() {
                    (backend.group, backend.kind) = ("".into(), Kind::Service.as_str().into());
                }
            }
        }
    }),
    object("a grant for Services holds for ServiceImports", |object| {
        if let AnyObject::ReferenceGrant(grant) = object {
            for to in &mut Arc::make_mut(grant).spec.to {
                if to.kind == Kind::Service.as_str() {
                    MULTICLUSTER_GROUP.clone_into(&mut to.group);
                    Kind::ServiceImport.as_str().clone_into(&mut to.kind);
                }
            }
        }
    }),
    Mutant {
        name: "the endpoints of a cluster that goes are kept",
        fault: Fault::Deaf(|name| name.kind == Kind::EndpointSlice),
    },
];

fn of_slices(object: &mut AnyObject, change: fn(&mut EndpointSlice)) {
    if let AnyObject::EndpointSlice(slice) = object {
        change(Arc::make_mut(slice));
    }
}

const fn object(name: &'static str, misread: fn(&mut AnyObject)) -> Mutant {
    Mutant { name, fault: Fault::Object(misread) }
}
