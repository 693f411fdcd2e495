//! References from one object to another.
//!
//! Every reference carries group and kind. Which of them have a default, and which, differs from reference to reference
//! exactly as in the schema.

use serde::{Deserialize, Serialize};

use super::field::*;

/// Names the Gateway, ListenerSet or Service that a Route wants to attach to.
///
/// # Spec
/// `ParentReference` in `shared_types.go`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParentReference {
    /// The group of the parent; `gateway.networking.k8s.io` when absent.
    #[serde(default = "gateway_group", deserialize_with = "or_gateway_group")]
    pub group: String,
    /// The kind of the parent; `Gateway` when absent.
    #[serde(default = "gateway_kind", deserialize_with = "or_gateway_kind")]
    pub kind: String,
    /// The namespace of the parent; that of the Route when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The name of the parent.
    pub name: String,
    /// The listener of a Gateway or ListenerSet, or the port of a Service, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub section_name: Option<String>,
    /// The port that the parent listens on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<i32>,
}

/// Names an object that requests can be sent to.
///
/// # Spec
/// `BackendObjectReference` in `object_reference_types.go`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendObjectReference {
    /// The group of the backend; the core group (empty) when absent.
    #[serde(default, deserialize_with = "or_default")]
    pub group: String,
    /// The kind of the backend; `Service` when absent.
    #[serde(default = "service_kind", deserialize_with = "or_service_kind")]
    pub kind: String,
    /// The name of the backend.
    pub name: String,
    /// The namespace of the backend; that of the referrer when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The port of the backend; of a Service the service port, not the target port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<i32>,
}

/// Names a backend and its share of the requests.
///
/// # Spec
/// `BackendRef` in `shared_types.go`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendRef {
    /// The group of the backend; the core group (empty) when absent.
    #[serde(default, deserialize_with = "or_default")]
    pub group: String,
    /// The kind of the backend; `Service` when absent.
    #[serde(default = "service_kind", deserialize_with = "or_service_kind")]
    pub kind: String,
    /// The name of the backend.
    pub name: String,
    /// The namespace of the backend; that of the Route when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The port of the backend; of a Service the service port, not the target port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<i32>,
    /// The share of this backend, relative to the sum over all backends of the rule; 1 when absent.
    #[serde(default = "weight", deserialize_with = "or_weight")]
    pub weight: i32,
}

/// Names an object in the namespace of the referrer. No field has a default.
///
/// # Spec
/// `LocalObjectReference` in `object_reference_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LocalObjectReference {
    /// The group; empty for the core group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The name.
    pub name: String,
}

/// Names an object that holds a certificate and its key.
///
/// # Spec
/// `SecretObjectReference` in `object_reference_types.go`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretObjectReference {
    /// The group; the core group (empty) when absent.
    #[serde(default, deserialize_with = "or_default")]
    pub group: String,
    /// The kind; `Secret` when absent.
    #[serde(default = "secret_kind", deserialize_with = "or_secret_kind")]
    pub kind: String,
    /// The name.
    pub name: String,
    /// The namespace; that of the referrer when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

/// Names an object of any kind, in any namespace. Group and kind have no default.
///
/// # Spec
/// `ObjectReference` in `object_reference_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectReference {
    /// The group; empty for the core group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The name.
    pub name: String,
    /// The namespace; that of the referrer when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

/// Names the object with an implementation's own parameters; cluster-scoped when it has no namespace.
///
/// # Spec
/// `ParametersReference` in `gatewayclass_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParametersReference {
    /// The group; empty for the core group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The name.
    pub name: String,
    /// The namespace; required for a namespaced kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

/// Names the object that a policy is about, in the policy's namespace.
///
/// # Spec
/// `LocalPolicyTargetReference` in `policy_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LocalPolicyTargetReference {
    /// The group; empty for the core group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The name.
    pub name: String,
}

/// Names the object that a policy is about, or one section of it.
///
/// # Spec
/// `LocalPolicyTargetReferenceWithSectionName` in `policy_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LocalPolicyTargetReferenceWithSectionName {
    /// The group; empty for the core group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The name.
    pub name: String,
    /// The section: of a Gateway a listener, of a Service a port, of a Route a rule; the whole object when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub section_name: Option<String>,
}

// === impl ParentReference ===

impl ParentReference {
    /// A reference to a Gateway in the referrer's own namespace.
    pub fn gateway(name: impl Into<String>) -> Self {
        Self {
            group: gateway_group(),
            kind: gateway_kind(),
            namespace: None,
            name: name.into(),
            section_name: None,
            port: None,
        }
    }
}

impl Default for ParentReference {
    /// A Gateway in the referrer's own namespace, with no name yet.
    fn default() -> Self {
        Self::gateway("")
    }
}

// === impl BackendObjectReference ===

impl Default for BackendObjectReference {
    /// A Service, with no name yet.
    fn default() -> Self {
        Self { group: String::new(), kind: service_kind(), name: String::new(), namespace: None, port: None }
    }
}

// === impl BackendRef ===

impl Default for BackendRef {
    /// A Service with the weight 1, and no name yet.
    fn default() -> Self {
        Self {
            group: String::new(),
            kind: service_kind(),
            name: String::new(),
            namespace: None,
            port: None,
            weight: weight(),
        }
    }
}

// === impl SecretObjectReference ===

impl Default for SecretObjectReference {
    /// A Secret, with no name yet.
    fn default() -> Self {
        Self { group: String::new(), kind: secret_kind(), name: String::new(), namespace: None }
    }
}
