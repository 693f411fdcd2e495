//! The status that policies of every kind share.

use serde::{Deserialize, Serialize};

use super::field::or_empty;
use super::meta::Condition;
use super::reference::ParentReference;

/// The status of a policy: one entry for every ancestor and controller.
///
/// # Spec
/// `PolicyStatus` in `policy_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyStatus {
    /// What each controller says about each ancestor.
    #[serde(default, deserialize_with = "or_empty")]
    pub ancestors: Vec<PolicyAncestorStatus>,
}

/// What one controller says about a policy with regard to one ancestor of its target, usually a Gateway.
///
/// # Spec
/// `PolicyAncestorStatus` in `policy_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyAncestorStatus {
    /// The ancestor.
    pub ancestor_ref: ParentReference,
    /// The controller that wrote the entry, and that alone may change it.
    pub controller_name: String,
    /// The conditions.
    #[serde(default, deserialize_with = "or_empty")]
    pub conditions: Vec<Condition>,
}

// === impl PolicyStatus ===

impl PolicyStatus {
    /// Whether no controller has said anything yet.
    pub fn is_empty(&self) -> bool {
        self.ancestors.is_empty()
    }
}
