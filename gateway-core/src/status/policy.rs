//! The statuses of policies for backends: one entry for each Gateway that reaches one of their targets.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Cause, PolicyAncestorStatus, PolicyStatus};
use crate::api::{GATEWAY_GROUP, Kind, ParentReference};
use crate::condition::{Condition, ConditionType, Reason};
use crate::finding::Finding;
use crate::name::ObjectName;
use crate::resolve::JudgedPolicy;

/// `gateways` are those that reach it, each with the name of the controller that its class asks for.
///
/// # Spec
/// BTP-09, BTP-10: what is wrong with a policy is so for all of them.
pub(crate) fn backend_tls_policy(
    policy: &JudgedPolicy,
    gateways: &BTreeMap<&ObjectName, &Arc<str>>,
) -> PolicyStatus {
    status(policy, vec![accepted(policy), resolved_refs(policy)], gateways)
}

/// The same for an XBackendTrafficPolicy, which refers to nothing but its targets.
///
/// # Spec
/// CND-107
pub(crate) fn backend_traffic_policy(
    policy: &JudgedPolicy,
    gateways: &BTreeMap<&ObjectName, &Arc<str>>,
) -> PolicyStatus {
    status(policy, vec![accepted(policy)], gateways)
}

fn status(
    policy: &JudgedPolicy,
    conditions: Vec<Condition>,
    gateways: &BTreeMap<&ObjectName, &Arc<str>>,
) -> PolicyStatus {
    let ancestors = gateways.iter().map(|(gateway, controller)| PolicyAncestorStatus {
        ancestor_ref: ancestor_ref(gateway),
        controller_name: Arc::clone(controller),
        conditions: conditions.clone(),
    });
    let refusals = policy.refusals.iter().map(|finding| Cause::new(ConditionType::Accepted, finding.clone()));
    let unresolved = policy.unresolved.iter();
    let unresolved = unresolved.map(|finding| Cause::new(ConditionType::ResolvedRefs, finding.clone()));
    PolicyStatus {
        generation: policy.generation,
        ancestors: ancestors.collect(),
        causes: refusals.chain(unresolved).collect(),
        without_effect: policy.without_effect.clone(),
    }
}

fn ancestor_ref(gateway: &ObjectName) -> ParentReference {
    ParentReference {
        group: GATEWAY_GROUP.to_owned(),
        kind: Kind::Gateway.as_str().to_owned(),
        namespace: Some(gateway.namespace.to_string()),
        name: gateway.name.to_string(),
        section_name: None,
        port: None,
    }
}

/// The reason of the first refusal, which says most, and the messages of all.
fn accepted(policy: &JudgedPolicy) -> Condition {
    let said = |findings: &[Finding]| findings.iter().map(Finding::to_string).collect::<Vec<_>>().join("; ");
    match policy.refusals.first() {
        Some(first) => Condition::failed(ConditionType::Accepted, first.reason, said(&policy.refusals)),
        None => Condition::noted(ConditionType::Accepted, Reason::Accepted, said(&policy.without_effect)),
    }
}

/// # Spec
/// BTP-12
fn resolved_refs(policy: &JudgedPolicy) -> Condition {
    let Some(first) = policy.unresolved.first() else { return Condition::resolved_refs() };
    let messages: Vec<_> = policy.unresolved.iter().map(|finding| finding.message.as_str()).collect();
    Condition::failed(ConditionType::ResolvedRefs, first.reason, messages.join("; "))
}
