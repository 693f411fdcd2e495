//! Faults with XBackends.

use std::sync::Arc;

use gateway_core::api::{AnyObject, BackendSpec};

use super::{Fault, Mutant};

pub(super) const MUTANTS: &[Mutant] = &[
    object("one of the labels of an XBackend is enough", |object| {
        misread(object, |spec| {
            if let Some(selector) = &mut spec.endpoint_selector {
                selector.match_labels = selector.match_labels.pop_first().into_iter().collect();
            }
        });
    }),
    object("the port of an XBackend is taken for another", |object| {
        misread(object, |spec| spec.port.number = spec.port.number.map(|number| number + 1));
    }),
    object("the protocol of an XBackend is not looked at", |object| {
        misread(object, |spec| spec.protocol = None);
    }),
    object("the sessions of XBackends are not kept", |object| {
        misread(object, |spec| spec.session_persistence = None);
    }),
];

fn misread(object: &mut AnyObject, change: impl FnOnce(&mut BackendSpec)) {
    if let AnyObject::XBackend(backend) = object {
        change(&mut Arc::make_mut(backend).spec);
    }
}

const fn object(name: &'static str, fault: fn(&mut AnyObject)) -> Mutant {
    Mutant { name, fault: Fault::Object(fault) }
}
