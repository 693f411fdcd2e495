//! Faults with the filters of listeners, which run before a route is looked for.

use std::sync::Arc;

use gateway_core::api::{AnyObject, ListenerFilter};

use super::kinds::of_listeners;
use super::{Fault, Mutant};
use crate::decision::{REQUEST_EDIT_GROUP, REQUEST_EDIT_KIND};

pub(super) const MUTANTS: &[Mutant] = &[
    object("the filters of listeners are passed over", |object| {
        lists(object, Vec::clear);
    }),
    object("the filters of listeners run from the last to the first", |object| {
        lists(object, |filters| filters.reverse());
    }),
    object("of the filters of a listener only the first runs", |object| {
        lists(object, |filters| filters.truncate(1));
    }),
    object("the filters of a listener run twice", |object| {
        lists(object, |filters| filters.extend_from_within(..));
    }),
    object("an unknown filter of a listener is passed over", |object| {
        lists(object, |filters| {
            filters.retain(|filter| {
                let reference = filter.extension_ref.as_ref();
                reference.is_none_or(|it| it.group == REQUEST_EDIT_GROUP && it.kind == REQUEST_EDIT_KIND)
            });
        });
    }),
    object("the filters of a listener run for all that its Gateway has", |object| {
        if let AnyObject::Gateway(gateway) = object {
            let listeners = &mut Arc::make_mut(gateway).spec.listeners;
            let filters = listeners.iter().find_map(|listener| listener.filters.clone());
            listeners.iter_mut().for_each(|listener| listener.filters = filters.clone());
        }
    }),
];

/// The lists that listeners have.
fn lists(object: &mut AnyObject, change: impl Fn(&mut Vec<ListenerFilter>)) {
    of_listeners(object, |listener| {
        if let Some(filters) = &mut listener.filters {
            change(&mut filters.requests);
        }
    });
}

const fn object(name: &'static str, misread: fn(&mut AnyObject)) -> Mutant {
    Mutant { name, fault: Fault::Object(misread) }
}
