//! The parts that every object carries: metadata, conditions, and the selector that picks objects by label.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::field::{or_default, or_empty, written_enum};
use super::timestamp::Timestamp;
use crate::name::{Age, ObjectName};

/// The part of `metadata` that routing needs.
///
/// # Spec
/// `ObjectMeta` of `k8s.io/apimachinery`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectMeta {
    /// The name, unique among the objects of a kind in a namespace.
    pub name: String,
    /// The namespace; absent on cluster-scoped objects, and on namespaced ones that rely on the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Labels, which selectors look at.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Counts the changes of `spec`; conditions state which generation they are about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<i64>,
    /// When the object was created; the older of two conflicting objects wins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation_timestamp: Option<Timestamp>,
    /// When deletion of the object was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_timestamp: Option<Timestamp>,
    /// The identity of the object over time: a deleted and recreated object has another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// The version of the stored object, opaque.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_version: Option<String>,
}

/// The two fields that say what an object is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TypeMeta {
    /// Group and version, as `group/version`, or the version alone in the core group.
    #[serde(default, deserialize_with = "or_default")]
    pub api_version: String,
    /// The kind.
    #[serde(default, deserialize_with = "or_default")]
    pub kind: String,
}

/// A condition as it is stored in a status.
///
/// # Spec
/// `Condition` of `k8s.io/apimachinery`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// What the condition is about; unique in a list of conditions.
    pub r#type: String,
    /// Whether it holds.
    pub status: ConditionStatus,
    /// The generation of the object that the condition was computed from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// When `status` last changed.
    pub last_transition_time: Timestamp,
    /// Why, in one CamelCase word.
    pub reason: String,
    /// Why, for a human.
    pub message: String,
}

written_enum! {
    /// Whether a condition holds.
    pub enum ConditionStatus {
        /// It holds.
        True = "True",
        /// It does not hold.
        False = "False",
        /// It is not decided yet.
        Undecided = "Unknown",
    }
}

impl From<bool> for ConditionStatus {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

/// A selector of objects by their labels; an empty one selects everything.
///
/// # Spec
/// `LabelSelector` of `k8s.io/apimachinery`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LabelSelector {
    /// Labels that must be there with exactly this value.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub match_labels: BTreeMap<String, String>,
    /// Further requirements; all must hold.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub match_expressions: Vec<LabelSelectorRequirement>,
}

/// One requirement on one label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LabelSelectorRequirement {
    /// The label.
    pub key: String,
    /// What must hold between the label and `values`.
    pub operator: LabelSelectorOperator,
    /// The values of `In` and `NotIn`; empty for `Exists` and `DoesNotExist`.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

written_enum! {
    /// What must hold between a label and a list of values.
    pub enum LabelSelectorOperator {
        /// The label has one of the values.
        In = "In",
        /// The label is absent or has none of the values.
        NotIn = "NotIn",
        /// The label is there.
        Exists = "Exists",
        /// The label is absent.
        DoesNotExist = "DoesNotExist",
    }
}

// === impl ObjectMeta ===

impl ObjectMeta {
    /// Namespace and name, as they stand.
    pub fn object_name(&self) -> ObjectName {
        ObjectName::new(self.namespace.as_deref().unwrap_or_default(), self.name.as_str())
    }

    /// How old the object is, for the API's tie-breaker.
    pub fn age(&self, name: &ObjectName) -> Age {
        Age::new(self.creation_timestamp.as_ref().and_then(Timestamp::unix_seconds), name)
    }
}

// === impl Condition ===

impl Condition {
    /// A condition of this status for this reason, a CamelCase word, without message, generation or time.
    ///
    /// ```
    /// use gateway_core::api::{Condition, ConditionStatus, Timestamp};
    ///
    /// let ready = Condition {
    ///     last_transition_time: Timestamp::from_unix_seconds(1_800_000_000),
    ///     ..Condition::new("Ready", ConditionStatus::True, "Serving")
    /// };
    /// assert_eq!((ready.r#type.as_str(), ready.reason.as_str()), ("Ready", "Serving"));
    /// ```
    pub fn new(r#type: impl Into<String>, status: ConditionStatus, reason: impl Into<String>) -> Self {
        Self {
            r#type: r#type.into(),
            status,
            observed_generation: None,
            last_transition_time: Timestamp::default(),
            reason: reason.into(),
            message: String::new(),
        }
    }

    /// The condition that the schema puts on a new object until a controller looks at it.
    pub(super) fn pending(r#type: &str) -> Self {
        Self {
            message: "Waiting for controller".to_owned(),
            ..Self::new(r#type, ConditionStatus::Undecided, "Pending")
        }
    }
}

// === impl LabelSelectorRequirement ===

impl LabelSelectorRequirement {
    /// What must hold between the label `key` and `values`, of which `Exists` and `DoesNotExist` take none.
    ///
    /// ```
    /// use gateway_core::api::{LabelSelectorOperator, LabelSelectorRequirement};
    ///
    /// let requirement = LabelSelectorRequirement::new("team", LabelSelectorOperator::In, ["red", "blue"]);
    /// assert_eq!(requirement.values, ["red", "blue"]);
    /// ```
    pub fn new(
        key: impl Into<String>,
        operator: LabelSelectorOperator,
        values: impl IntoIterator<Item: Into<String>>,
    ) -> Self {
        Self { key: key.into(), operator, values: values.into_iter().map(Into::into).collect() }
    }
}
