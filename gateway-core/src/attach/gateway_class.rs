//! Which GatewayClasses are ours, and whether Gateways of them will be made.

use std::sync::Arc;

use crate::api::GatewayClass;
use crate::condition::{Condition, ConditionType};

/// A GatewayClass of this controller.
#[derive(Clone, Debug)]
pub struct AttachedGatewayClass {
    /// The object.
    pub object: Arc<GatewayClass>,
    /// The conditions of its status.
    pub conditions: Vec<Condition>,
}

// === impl AttachedGatewayClass ===

impl AttachedGatewayClass {
    /// Whether Gateways of this class are made.
    pub fn is_accepted(&self) -> bool {
        Condition::holds(&self.conditions, ConditionType::Accepted)
    }
}
