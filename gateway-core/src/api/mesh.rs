//! XMesh: the mesh itself as an object (experimental).

use serde::{Deserialize, Deserializer, Serialize};

use super::field::{or_default, or_empty};
use super::gateway_class::SupportedFeature;
use super::meta::{Condition, ObjectMeta};
use super::reference::ParametersReference;

/// A mesh that one controller runs.
///
/// # Spec
/// `XMesh` in `apisx/v1alpha1/xmesh_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct XMesh {
    /// Name, labels and the like.
    pub metadata: ObjectMeta,
    /// What is wanted.
    pub spec: MeshSpec,
    /// What is; a new mesh is `Accepted: Unknown` until its controller looks at it.
    #[serde(default, deserialize_with = "or_default")]
    pub status: MeshStatus,
}

/// What is wanted of an XMesh.
///
/// # Spec
/// `MeshSpec` in `apisx/v1alpha1/xmesh_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MeshSpec {
    /// The controller that runs the mesh, as `domain/path`.
    pub controller_name: String,
    /// Parameters for the controller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters_ref: Option<ParametersReference>,
    /// What the mesh is for, for a human.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// The status of an XMesh.
///
/// # Spec
/// `MeshStatus` in `apisx/v1alpha1/xmesh_types.go`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MeshStatus {
    /// The conditions.
    ///
    /// The schema has two defaults that differ: a missing status has `Accepted` alone, a status without conditions has
    /// `Accepted` and `Programmed`.
    #[serde(default = "pending", deserialize_with = "or_pending")]
    pub conditions: Vec<Condition>,
    /// The features that the controller supports, sorted by name.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub supported_features: Vec<SupportedFeature>,
}

fn pending() -> Vec<Condition> {
    super::gateway::pending()
}

fn or_pending<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Condition>, D::Error> {
    super::gateway::or_pending(deserializer)
}

// === impl MeshStatus ===

impl Default for MeshStatus {
    fn default() -> Self {
        Self { conditions: vec![Condition::pending("Accepted")], supported_features: Vec::new() }
    }
}
