//! ReferenceGrant: who may refer to objects of this namespace from outside.

use serde::{Deserialize, Serialize};

use super::meta::ObjectMeta;

/// Permission for references from other namespaces to objects of this one. It has no status.
///
/// # Spec
/// `ReferenceGrant` in `referencegrant_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReferenceGrant {
    /// Name, namespace, labels and the like.
    pub metadata: ObjectMeta,
    /// What is granted.
    pub spec: ReferenceGrantSpec,
}

/// What a ReferenceGrant grants: each of `from` to each of `to`.
///
/// # Spec
/// `ReferenceGrantSpec` in `referencegrant_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReferenceGrantSpec {
    /// Who may refer, 1 to 16.
    pub from: Vec<ReferenceGrantFrom>,
    /// To what, 1 to 16.
    pub to: Vec<ReferenceGrantTo>,
}

/// Objects that may refer.
///
/// # Spec
/// `ReferenceGrantFrom` in `referencegrant_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReferenceGrantFrom {
    /// Of this group; empty for the core group.
    pub group: String,
    /// Of this kind.
    pub kind: String,
    /// In this namespace.
    pub namespace: String,
}

/// Objects that may be referred to.
///
/// # Spec
/// `ReferenceGrantTo` in `referencegrant_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReferenceGrantTo {
    /// Of this group; empty for the core group.
    pub group: String,
    /// Of this kind.
    pub kind: String,
    /// Of this name; of any when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}
