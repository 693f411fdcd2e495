//! ListenerSet: listeners that are added to a Gateway from elsewhere.

use serde::{Deserialize, Serialize};

use super::field::*;
use super::gateway::{or_pending, pending};
use super::listener::{Listener, ListenerStatus};
use super::meta::{Condition, ObjectMeta};

/// A set of listeners that attaches to a Gateway.
///
/// # Spec
/// `ListenerSet` in `listenerset_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListenerSet {
    /// Name, namespace, labels and the like.
    pub metadata: ObjectMeta,
    /// What is wanted.
    pub spec: ListenerSetSpec,
    /// What is; a new ListenerSet is `Accepted: Unknown` and `Programmed: Unknown` until its controller looks at it.
    #[serde(default, deserialize_with = "or_default")]
    pub status: ListenerSetStatus,
}

/// What is wanted of a ListenerSet.
///
/// # Spec
/// `ListenerSetSpec` in `listenerset_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListenerSetSpec {
    /// The Gateway to attach to.
    pub parent_ref: ParentGatewayReference,
    /// The listeners, 1 to 64.
    pub listeners: Vec<Listener>,
}

/// Names the Gateway that a ListenerSet attaches to.
///
/// # Spec
/// `ParentGatewayReference` in `listenerset_types.go`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParentGatewayReference {
    /// The group; `gateway.networking.k8s.io` when absent.
    #[serde(default = "gateway_group", deserialize_with = "or_gateway_group")]
    pub group: String,
    /// The kind; `Gateway` when absent.
    #[serde(default = "gateway_kind", deserialize_with = "or_gateway_kind")]
    pub kind: String,
    /// The name.
    pub name: String,
    /// The namespace; that of the ListenerSet when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

/// The status of a ListenerSet.
///
/// # Spec
/// `ListenerSetStatus` in `listenerset_types.go`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListenerSetStatus {
    /// The conditions.
    #[serde(default = "pending", deserialize_with = "or_pending")]
    pub conditions: Vec<Condition>,
    /// The status of each listener.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub listeners: Vec<ListenerStatus>,
}

// === impl ListenerSetStatus ===

impl Default for ListenerSetStatus {
    fn default() -> Self {
        Self { conditions: pending(), listeners: Vec::new() }
    }
}

// === impl ParentGatewayReference ===

impl Default for ParentGatewayReference {
    /// A Gateway in the namespace of the ListenerSet, with no name yet.
    fn default() -> Self {
        Self { group: gateway_group(), kind: gateway_kind(), name: String::new(), namespace: None }
    }
}
