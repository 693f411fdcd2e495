//! Pod: what an XBackend selects.
//!
//! Only the fields that routing needs are here.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::field::{or_default, or_empty, written_enum};
use super::meta::{ConditionStatus, ObjectMeta};

/// Containers that run together, at one address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pod {
    /// Name, namespace, labels and the like.
    pub metadata: ObjectMeta,
    /// What is wanted.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "PodSpec::is_empty")]
    pub spec: PodSpec,
    /// How it stands, as its node says.
    #[serde(default, deserialize_with = "or_default")]
    pub status: PodStatus,
}

/// What is wanted of a Pod.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodSpec {
    /// The node that it runs on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_name: Option<String>,
}

/// How it stands with a Pod.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodStatus {
    /// Where it is in its life.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<PodPhase>,
    /// The conditions.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<PodCondition>,
    /// The first of the addresses.
    #[serde(rename = "podIP", skip_serializing_if = "Option::is_none")]
    pub pod_ip: Option<String>,
    /// The addresses, one for each IP family at most.
    #[serde(
        rename = "podIPs",
        default,
        deserialize_with = "or_empty",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub pod_ips: Vec<PodIp>,
}

written_enum! {
    /// Where a Pod is in its life.
    pub enum PodPhase {
        /// Not all of its containers have been started.
        Pending = "Pending",
        /// It runs.
        Running = "Running",
        /// It has ended well.
        Succeeded = "Succeeded",
        /// It has ended badly.
        Failed = "Failed",
    }
}

/// A condition of a Pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodCondition {
    /// What it is about, such as `Ready`.
    pub r#type: String,
    /// Whether it holds.
    pub status: ConditionStatus,
}

/// An address of a Pod.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodIp {
    /// The address.
    #[serde(default, deserialize_with = "or_default")]
    pub ip: String,
}

// === impl PodSpec ===

impl PodSpec {
    /// Whether it says nothing that is of interest.
    pub fn is_empty(&self) -> bool {
        self.node_name.is_none()
    }
}

// === impl PodCondition ===

impl PodCondition {
    /// A condition of this type, such as `Ready`.
    ///
    /// ```
    /// use gateway_core::api::{ConditionStatus, PodCondition};
    ///
    /// assert_eq!(PodCondition::new("Ready", ConditionStatus::True).r#type, "Ready");
    /// ```
    pub fn new(r#type: impl Into<String>, status: ConditionStatus) -> Self {
        Self { r#type: r#type.into(), status }
    }
}

// === impl Pod ===

impl Pod {
    /// Whether requests may be sent to it, as its node says; where it is to go, they should not.
    pub fn is_ready(&self) -> bool {
        let ready = |condition: &PodCondition| {
            condition.r#type == "Ready" && condition.status == ConditionStatus::True
        };
        let has_ended = matches!(self.status.phase, Some(PodPhase::Succeeded | PodPhase::Failed));
        !has_ended && self.status.conditions.iter().any(ready)
    }

    /// The first of its addresses, if what is written is one.
    pub fn address(&self) -> Option<IpAddr> {
        let of_list = self.status.pod_ips.first().map(|address| &*address.ip);
        of_list.or(self.status.pod_ip.as_deref())?.parse().ok()
    }
}
