//! Gateways of our classes, with their listeners.

use std::sync::Arc;

use super::listener::AttachedListener;
use super::options::Address;
use crate::api::Gateway;
use crate::condition::{Condition, ConditionType};
use crate::name::ObjectName;

/// A Gateway of one of our classes.
#[derive(Clone, Debug)]
pub struct AttachedGateway {
    /// The object.
    pub object: Arc<Gateway>,
    /// Its name.
    pub name: ObjectName,
    /// The conditions of its status.
    pub conditions: Vec<Condition>,
    /// The addresses it is bound to; empty too where the addresses are known elsewhere.
    pub addresses: Vec<Address>,
    /// Its own listeners, all of them, in the order of its specification.
    pub listeners: Vec<AttachedListener>,
    /// How many accepted ListenerSets are attached.
    pub attached_listener_sets: usize,
}

// === impl AttachedGateway ===

impl AttachedGateway {
    /// Whether the Gateway makes sense: its status has `Accepted=True`.
    pub fn is_accepted(&self) -> bool {
        Condition::holds(&self.conditions, ConditionType::Accepted)
    }
}
