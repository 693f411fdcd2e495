//! Conditions about generations that their object has not had.
//!
//! A condition about a later generation than the one that was looked at is left alone, because another replica may have seen more.
//! Where the object itself is of the generation that was looked at, none can have. Such a condition was brought back with its object
//! from another cluster, or comes from a hand; left alone, it would say for ever what is not so.

use gateway_core::api::{Condition, ListenerStatus, ParentReference};
use gateway_core::condition::ConditionType;

use crate::object::StoredStatus;

/// Lets no condition be about a later generation than this, of those that a controller writes: in entries of which `is_written` says
/// so, by their controller name and what they are about.
///
/// # Spec
/// [GEN-04](gateway_core::spec#GEN-04)
pub(super) fn forget(
    status: &mut StoredStatus,
    generation: i64,
    is_written: impl Fn(&str, &ParentReference) -> bool,
) {
    fn all<'s>(
        own: &'s mut [Condition],
        listeners: &'s mut [ListenerStatus],
    ) -> impl Iterator<Item = &'s mut Condition> {
        own.iter_mut().chain(listeners.iter_mut().flat_map(|listener| &mut listener.conditions))
    }
    let forget = |condition: &mut Condition| {
        let is_ours = ConditionType::parse(&condition.r#type).is_some();
        if is_ours && condition.observed_generation.is_some_and(|observed| observed > generation) {
            condition.observed_generation = None;
        }
    };
    match status {
        StoredStatus::None | StoredStatus::Unreadable(_) => {}
        StoredStatus::GatewayClass(status) => status.conditions.iter_mut().for_each(forget),
        StoredStatus::Gateway(status) => all(&mut status.conditions, &mut status.listeners).for_each(forget),
        StoredStatus::ListenerSet(status) => {
            all(&mut status.conditions, &mut status.listeners).for_each(forget);
        }
        StoredStatus::Route(status) => {
            let entries = status.parents.iter_mut();
            let ours = entries.filter(|entry| is_written(&entry.controller_name, &entry.parent_ref));
            ours.flat_map(|entry| &mut entry.conditions).for_each(forget);
        }
        StoredStatus::Policy(status) => {
            let entries = status.ancestors.iter_mut();
            let ours = entries.filter(|entry| is_written(&entry.controller_name, &entry.ancestor_ref));
            ours.flat_map(|entry| &mut entry.conditions).for_each(forget);
        }
        StoredStatus::Backend(status) => {
            let entries = status.ancestors.iter_mut();
            let ours = entries.filter(|entry| is_written(&entry.controller_name, &entry.ancestor_ref));
            ours.flat_map(|entry| &mut entry.conditions).for_each(forget);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// The generations that conditions are about when generation 2 is the last.
    fn left(conditions: [(&str, i64); 4], is_written: bool) -> Vec<Option<i64>> {
        let condition = |(kind, generation): (&str, i64)| {
            json!({"type": kind, "status": "False", "reason": "Invented", "message": "", "observedGeneration": generation,
                "lastTransitionTime": "2026-01-01T00:00:00Z"})
        };
        let conditions = conditions.map(condition);
        let entry = json!({"parentRef": {"name": "web"}, "controllerName": "ours", "conditions": conditions});
        let status: Value = json!({"parents": [entry]});
        let mut status = StoredStatus::Route(serde_json::from_value(status).unwrap());
        forget(&mut status, 2, |name, about| name == "ours" && about.name == "web" && is_written);
        let StoredStatus::Route(status) = status else { panic!("it stays what it is") };
        status.parents[0].conditions.iter().map(|condition| condition.observed_generation).collect()
    }

    // GEN-02, GEN-04, GEN-12
    #[test]
    fn conditions_of_others_stay_whatever_they_are_about() {
        let conditions =
            [("Accepted", 3), ("ResolvedRefs", 2), ("PartiallyInvalid", 1), ("example.net/Checked", 3)];
        assert_eq!(left(conditions, true), [None, Some(2), Some(1), Some(3)]);
        assert_eq!(left(conditions, false), [Some(3), Some(2), Some(1), Some(3)]);
    }
}
