//! ListenerSets of our Gateways, with their listeners.

use std::sync::Arc;

use super::listener::AttachedListener;
use crate::api::ListenerSet;
use crate::condition::{Condition, ConditionType};
use crate::name::ObjectName;

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

// === impl AttachedListenerSet ===

impl AttachedListenerSet {
    /// Whether the ListenerSet makes sense and may attach: its status has `Accepted=True`.
    pub fn is_accepted(&self) -> bool {
        Condition::holds(&self.conditions, ConditionType::Accepted)
    }
}
