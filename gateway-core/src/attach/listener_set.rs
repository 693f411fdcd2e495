//! ListenerSets of our Gateways, with their listeners.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::finding::Finding;
use super::gateways::{age, summary};
use super::listener::AttachedListener;
use super::listener_draft::Draft;
use crate::api::{GATEWAY_GROUP, Kind, ListenerSet};
use crate::condition::{Condition, ConditionType, Reason};
use crate::name::ObjectName;
use crate::validate::Valid;

/// A ListenerSet whose parent is one of our Gateways, allowed there or not.
#[derive(Clone, Debug)]
pub struct AttachedListenerSet {
    /// The object.
    pub object: Arc<ListenerSet>,
    /// Its name.
    pub name: ObjectName,
    /// The Gateway that it refers to.
    pub gateway: ObjectName,
    /// The conditions of its status.
    pub conditions: Vec<Condition>,
    /// Its listeners, all of them, in the order of its specification.
    pub listeners: Vec<AttachedListener>,
}

/// A ListenerSet while it is judged.
#[derive(Debug)]
pub(super) struct SetDraft<'a> {
    pub(super) key: &'a ObjectName,
    pub(super) object: &'a Valid<ListenerSet>,
    pub(super) name: ObjectName,
    /// Why none of its listeners has a place on the Gateway.
    pub(super) refusal: Option<Finding>,
    pub(super) drafts: Vec<Draft>,
}

/// The ListenerSets of each Gateway that some of them refer to, oldest first.
///
/// # Spec
/// LST-01, LST-07.
pub(super) fn by_gateway(
    sets: &BTreeMap<ObjectName, Valid<ListenerSet>>,
) -> HashMap<ObjectName, Vec<(&ObjectName, &Valid<ListenerSet>)>> {
    let mut found: HashMap<ObjectName, Vec<(&ObjectName, &Valid<ListenerSet>)>> = HashMap::new();
    for (key, set) in sets {
        let parent = &set.spec.parent_ref;
        if parent.group == GATEWAY_GROUP && parent.kind == Kind::Gateway.as_str() {
            let namespace = parent.namespace.as_deref().unwrap_or(&key.namespace);
            found.entry(ObjectName::new(namespace, parent.name.as_str())).or_default().push((key, set));
        }
    }
    for sets in found.values_mut() {
        sets.sort_by_cached_key(|(key, set)| age(&set.metadata, key));
    }
    found
}

// === impl SetDraft ===

impl SetDraft<'_> {
    /// Whether some listener could be served.
    pub(super) fn is_accepted(&self) -> bool {
        self.refusal.is_none() && self.drafts.iter().any(Draft::is_valid)
    }

    /// The ListenerSet with its conditions. `waiting` says why nothing of its Gateway is served, if so.
    ///
    /// # Spec
    /// LST-04, LST-05, LST-11, LST-12, LST-23, LST-29.
    pub(super) fn finish(self, gateway: &ObjectName, waiting: Option<&str>) -> AttachedListenerSet {
        let listeners = summary(&self.drafts);
        let accepted = self.is_accepted();
        let conditions = match self.refusal {
            Some(refusal) => {
                let programmed = match refusal.reason {
                    Reason::ParentNotAccepted => Reason::ParentNotProgrammed,
                    reason => reason,
                };
                vec![
                    refusal.denies(ConditionType::Accepted),
                    Condition::is_false(ConditionType::Programmed, programmed, refusal.message),
                ]
            }
            None if accepted => vec![
                match listeners {
                    None => Condition::accepted(),
                    Some(message) => Condition::is_true_because(
                        ConditionType::Accepted,
                        Reason::ListenersNotValid,
                        message,
                    ),
                },
                match waiting {
                    None => Condition::programmed(),
                    Some(waiting) => {
                        Condition::is_false(ConditionType::Programmed, Reason::ParentNotProgrammed, waiting)
                    }
                },
            ],
            None => {
                let finding = Finding::new(Reason::ListenersNotValid, listeners.unwrap_or_default());
                vec![finding.denies(ConditionType::Accepted), finding.denies(ConditionType::Programmed)]
            }
        };
        AttachedListenerSet {
            object: self.object.arc().clone(),
            name: self.name,
            gateway: gateway.clone(),
            conditions,
            listeners: self.drafts.into_iter().map(|draft| draft.finish(waiting)).collect(),
        }
    }
}

// === impl AttachedListenerSet ===

impl AttachedListenerSet {
    /// Whether the ListenerSet makes sense and may attach: its status has `Accepted=True`.
    pub fn is_accepted(&self) -> bool {
        Condition::holds(&self.conditions, ConditionType::Accepted)
    }
}
