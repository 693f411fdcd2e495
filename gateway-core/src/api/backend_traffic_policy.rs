//! XBackendTrafficPolicy: how much a backend may be retried, and how sessions stay with it (experimental).

use serde::{Deserialize, Serialize};

use super::field::*;
use super::meta::ObjectMeta;
use super::policy::PolicyStatus;
use super::reference::LocalPolicyTargetReference;
use super::session_persistence::SessionPersistence;

/// How traffic to a backend behaves.
///
/// # Spec
/// `XBackendTrafficPolicy` in `apisx/v1alpha1/xbackendtrafficpolicy_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct XBackendTrafficPolicy {
    /// Name, namespace, labels and the like.
    pub metadata: ObjectMeta,
    /// What is wanted.
    pub spec: BackendTrafficPolicySpec,
    /// What each controller says about it.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "PolicyStatus::is_empty")]
    pub status: PolicyStatus,
}

/// What is wanted of an XBackendTrafficPolicy.
///
/// # Spec
/// `BackendTrafficPolicySpec` in `apisx/v1alpha1/xbackendtrafficpolicy_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendTrafficPolicySpec {
    /// The backends, 1 to 16.
    pub target_refs: Vec<LocalPolicyTargetReference>,
    /// How many requests may be retries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_constraint: Option<RetryConstraint>,
    /// How the requests of a session stay together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_persistence: Option<SessionPersistence>,
}

/// How many requests may be retries.
///
/// # Spec
/// `RetryConstraint` in `apisx/v1alpha1/xbackendtrafficpolicy_types.go`; GEP-3388.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RetryConstraint {
    /// The share of requests that may be retries; 20 % over 10 seconds when absent.
    #[serde(default, deserialize_with = "or_default")]
    pub budget: BudgetDetails,
    /// The rate of retries that is always allowed; 10 a second when absent.
    #[serde(default, deserialize_with = "or_default")]
    pub min_retry_rate: RequestRate,
}

/// The share of requests that may be retries.
///
/// # Spec
/// `BudgetDetails` in `apisx/v1alpha1/xbackendtrafficpolicy_types.go`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BudgetDetails {
    /// In percent; 20 when absent.
    #[serde(default = "retry_percent", deserialize_with = "or_retry_percent")]
    pub percent: i32,
    /// Counted over this time, as a duration; `10s` when absent.
    #[serde(default = "retry_interval", deserialize_with = "or_retry_interval")]
    pub interval: String,
}

/// A number of requests in a time. The fields have no default of their own.
///
/// # Spec
/// `RequestRate` in `apisx/v1alpha1/shared_types.go`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestRate {
    /// This many,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<i32>,
    /// in this time, as a duration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<String>,
}

// === impl BudgetDetails ===

impl Default for BudgetDetails {
    fn default() -> Self {
        Self { percent: retry_percent(), interval: retry_interval() }
    }
}

// === impl RequestRate ===

impl Default for RequestRate {
    /// The schema's default for `minRetryRate` as a whole.
    fn default() -> Self {
        Self { count: Some(10), interval: Some("1s".to_owned()) }
    }
}
