//! What is wrong with a policy for backends, of whichever kind.

use super::service::BackendName;
use crate::finding::Finding;

/// What is wrong with a policy, whichever Gateway reaches its targets.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct JudgedPolicy {
    /// The generation of the policy, for its conditions.
    pub(crate) generation: Option<i64>,
    /// The Services and ServiceImports that it names, there or not.
    pub(crate) services: Vec<BackendName>,
    /// Why it is not accepted; the first counts.
    pub(crate) refusals: Vec<Finding>,
    /// References that lead nowhere.
    pub(crate) unresolved: Vec<Finding>,
    /// What has no effect although the policy is accepted.
    pub(crate) without_effect: Vec<Finding>,
}
