//! Statuses, as an API server takes them.
//!
//! A status does not come from users, so what is wrong with one refuses no object: an API server ignores the status of an
//! object that is created or changed, and checks it when it is written by itself. Who writes statuses can check here
//! that they will be taken.

use super::listener::route_kind;
use super::parent_ref::parent;
use super::pattern;
use super::problem::{Problem, Problems};
use super::valid::Validate;
use crate::api::{
    BackendStatus, Condition, ConditionStatus, ListenerStatus, ParentReference, PolicyStatus, RouteStatus,
    SupportedFeature,
};

/// What is wrong with the status of an object.
pub(super) fn problems<T: Validate>(object: &T) -> Vec<Problem> {
    let mut problems = Problems::default();
    object.status_problems(&mut problems.field("status"));
    problems.into_result().err().unwrap_or_default()
}

/// The conditions of an object, or of one of its entries.
pub(super) fn conditions(conditions: &[Condition], least: usize, at: &mut Problems) {
    let conditions = at.list("conditions", conditions, least..=8, "LIM-08", condition);
    at.unique("conditions", conditions, Some("type"), "VAL-ST-01", |condition| condition.r#type.as_str());
}

fn condition(condition: &Condition, at: &mut Problems) {
    let Condition { r#type, status, observed_generation, last_transition_time: _, reason, message } =
        condition;
    at.text("type", r#type, &pattern::CONDITION_TYPE);
    if let ConditionStatus::Unknown(value) = status {
        at.field("status").unknown_value(value, ConditionStatus::KNOWN);
    }
    if observed_generation.is_some_and(|generation| generation < 0) {
        at.field("observedGeneration").report("VAL-ST-06", "is negative; 0 is the least allowed");
    }
    at.text("reason", reason, &pattern::REASON);
    at.length("message", message, 0..=32768, "LIM-08");
}

/// What each controller says about each parent.
pub(super) fn route(status: &RouteStatus, at: &mut Problems) {
    at.list("parents", &status.parents, 0..=32, "LIM-09", |entry, at| {
        said("parentRef", &entry.parent_ref, &entry.controller_name, at);
        conditions(&entry.conditions, 1, at);
    });
}

/// What each controller says about each ancestor.
pub(super) fn policy(status: &PolicyStatus, at: &mut Problems) {
    at.list("ancestors", &status.ancestors, 0..=16, "LIM-19", |entry, at| {
        said("ancestorRef", &entry.ancestor_ref, &entry.controller_name, at);
        conditions(&entry.conditions, 1, at);
    });
}

/// What each controller says about each ancestor. An entry may have no condition here, or any number.
pub(super) fn backend(status: &BackendStatus, at: &mut Problems) {
    at.list("ancestors", &status.ancestors, 0..=32, "LIM-23", |entry, at| {
        said("ancestorRef", &entry.ancestor_ref, &entry.controller_name, at);
        let looked_at = &entry.conditions[..entry.conditions.len().min(64)];
        at.each("conditions", looked_at, condition);
        at.unique("conditions", looked_at, Some("type"), "VAL-ST-01", |condition| condition.r#type.as_str());
    });
}

/// Who says something, and about what.
fn said(name: &'static str, about: &ParentReference, controller_name: &str, at: &mut Problems) {
    parent(about, &mut at.field(name));
    at.text("controllerName", controller_name, &pattern::CONTROLLER);
}

/// The statuses of listeners, of a Gateway or of a ListenerSet.
pub(super) fn listeners(listeners: &[ListenerStatus], at: &mut Problems) {
    let listeners = at.list("listeners", listeners, 0..=64, "LIM-01", |listener, at| {
        at.text("name", &listener.name, &pattern::PRECISE);
        at.list("supportedKinds", &listener.supported_kinds, 0..=8, "LIM-03", route_kind);
        conditions(&listener.conditions, 0, at);
    });
    at.unique("listeners", listeners, Some("name"), "VAL-ST-01", |listener| listener.name.as_str());
}

/// The features that a controller supports.
pub(super) fn supported_features(features: &[SupportedFeature], at: &mut Problems) {
    let features = at.list("supportedFeatures", features, 0..=64, "LIM-20", |_, _| {});
    at.unique("supportedFeatures", features, Some("name"), "VAL-ST-01", |feature| feature.name.as_str());
}
