//! Events for conditions that change for the worse.

use gateway_core::api::{self, Condition, ConditionStatus};
use gateway_core::condition::ConditionType;

use crate::object::StoredStatus;

/// A condition that changed for the worse.
#[derive(Clone, Debug, PartialEq)]
pub struct Worse {
    /// What of the object it is about: `listener http`, `parent shop/web`; empty for the whole of it.
    pub place: String,
    /// The condition as it is now.
    pub condition: Condition,
}

/// The conditions that are bad now, and were not, or for another reason.
///
/// ```
/// use gateway_core::api::{Condition, ConditionStatus, GatewayStatus, Timestamp};
/// use gateway_kube::StoredStatus;
/// use gateway_kube::status::worse;
///
/// let programmed = |status, reason: &str| Condition {
///     r#type: "Programmed".to_owned(),
///     status,
///     observed_generation: Some(1),
///     last_transition_time: Timestamp::default(),
///     reason: reason.to_owned(),
///     message: String::new(),
/// };
/// let gateway = |condition| StoredStatus::Gateway(GatewayStatus { conditions: vec![condition], ..GatewayStatus::default() });
/// let good = gateway(programmed(ConditionStatus::True, "Programmed"));
/// let bad = gateway(programmed(ConditionStatus::False, "PortUnavailable"));
/// assert_eq!(worse(&good, &bad).len(), 1);
/// assert!(worse(&bad, &bad).is_empty() && worse(&bad, &good).is_empty());
/// ```
pub fn worse(before: &StoredStatus, now: &StoredStatus) -> Vec<Worse> {
    let before = places(before);
    let mut all = Vec::new();
    for (place, conditions) in places(now) {
        let known = before.iter().find(|(known, _)| *known == place).map_or(&[][..], |(_, known)| *known);
        for condition in conditions.iter().filter(|condition| is_bad(condition)) {
            let was_bad = known.iter().any(|known| {
                known.r#type == condition.r#type && known.reason == condition.reason && is_bad(known)
            });
            if !was_bad {
                all.push(Worse { place: place.clone(), condition: condition.clone() });
            }
        }
    }
    all
}

fn is_bad(condition: &Condition) -> bool {
    let bad = ConditionType::parse(&condition.r#type).and_then(ConditionType::bad_status);
    bad.is_some_and(|bad| condition.status == ConditionStatus::from(bad))
}

/// The conditions of a status by what they are about.
fn places(status: &StoredStatus) -> Vec<(String, &[Condition])> {
    fn listeners(all: &[api::ListenerStatus]) -> impl Iterator<Item = (String, &[Condition])> {
        all.iter().map(|listener| (format!("listener {}", listener.name), &listener.conditions[..]))
    }
    let whole = String::new();
    match status {
        StoredStatus::None | StoredStatus::Unreadable(_) => Vec::new(),
        StoredStatus::GatewayClass(status) => vec![(whole, &status.conditions[..])],
        StoredStatus::Gateway(status) => {
            let own = (whole, &status.conditions[..]);
            [own].into_iter().chain(listeners(&status.listeners)).collect()
        }
        StoredStatus::ListenerSet(status) => {
            let own = (whole, &status.conditions[..]);
            [own].into_iter().chain(listeners(&status.listeners)).collect()
        }
        StoredStatus::Route(status) => {
            let place = |entry: &api::RouteParentStatus| {
                let api::ParentReference { namespace, name, section_name, .. } = &entry.parent_ref;
                let section = section_name.as_ref().map(|section| format!(", listener {section}"));
                format!(
                    "parent {}/{name}{} of {}",
                    namespace.as_deref().unwrap_or_default(),
                    section.unwrap_or_default(),
                    entry.controller_name
                )
            };
            status.parents.iter().map(|entry| (place(entry), &entry.conditions[..])).collect()
        }
        StoredStatus::Policy(status) => {
            let place =
                |entry: &api::PolicyAncestorStatus| ancestor(&entry.ancestor_ref, &entry.controller_name);
            status.ancestors.iter().map(|entry| (place(entry), &entry.conditions[..])).collect()
        }
        StoredStatus::Backend(status) => {
            let place =
                |entry: &api::BackendAncestorStatus| ancestor(&entry.ancestor_ref, &entry.controller_name);
            status.ancestors.iter().map(|entry| (place(entry), &entry.conditions[..])).collect()
        }
    }
}

fn ancestor(ancestor: &api::ParentReference, controller_name: &str) -> String {
    let api::ParentReference { namespace, name, .. } = ancestor;
    format!("ancestor {}/{name} of {controller_name}", namespace.as_deref().unwrap_or_default())
}
