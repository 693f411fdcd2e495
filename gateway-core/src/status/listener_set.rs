//! The status of a ListenerSet.

use super::listener::{self, listeners, summary, waiting_message};
use super::{Cause, ListenerSetStatus};
use crate::attach::{AttachedListenerSet, ListenerKey};
use crate::condition::{Condition, ConditionType, Reason};
use crate::finding::Finding;

/// `attached_routes` says how many Routes are attached to a listener.
///
/// # Spec
/// LST-11, LST-12: its own listeners, never those of the Gateway or of other ListenerSets.
pub(super) fn listener_set(
    set: &AttachedListenerSet,
    attached_routes: &dyn Fn(ListenerKey) -> usize,
) -> ListenerSetStatus {
    ListenerSetStatus {
        generation: set.object.metadata.generation,
        conditions: conditions(set),
        causes: causes(set),
        listeners: listeners(&set.listeners, attached_routes),
    }
}

/// Of a set that is refused, the listeners have nothing to say of their own.
fn causes(set: &AttachedListenerSet) -> Vec<Cause> {
    if let Some(refusal) = &set.refusal {
        return vec![Cause::new(ConditionType::Accepted, refusal.clone())];
    }
    let mut causes = Vec::new();
    listener::causes(&set.listeners, &mut causes);
    causes
}

/// # Spec
/// LST-04, LST-05, LST-11, LST-12, LST-23, LST-29.
fn conditions(set: &AttachedListenerSet) -> Vec<Condition> {
    let listeners = summary(&set.listeners);
    if let Some(refusal) = &set.refusal {
        let programmed = match refusal.reason {
            Reason::ParentNotAccepted => Reason::ParentNotProgrammed,
            reason => reason,
        };
        vec![
            refusal.clone().into_condition(ConditionType::Accepted),
            Condition::failed(ConditionType::Programmed, programmed, refusal.message.clone()),
        ]
    } else if set.is_placed() {
        let accepted = match listeners {
            None => Condition::accepted(),
            Some(message) => Condition::noted(ConditionType::Accepted, Reason::ListenersNotValid, message),
        };
        let programmed = match set.waiting.map(waiting_message) {
            None => Condition::programmed(),
            Some(message) => {
                Condition::failed(ConditionType::Programmed, Reason::ParentNotProgrammed, message)
            }
        };
        vec![accepted, programmed]
    } else {
        let finding =
            Finding::new("spec.listeners", Reason::ListenersNotValid, listeners.unwrap_or_default());
        let accepted = finding.clone().into_condition(ConditionType::Accepted);
        vec![accepted, finding.into_condition(ConditionType::Programmed)]
    }
}
