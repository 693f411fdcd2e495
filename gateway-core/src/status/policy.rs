//! The statuses of policies: one entry for each Gateway that reaches one of their targets, or that is one.

use std::collections::BTreeMap;
use std::iter;
use std::sync::Arc;

use super::{Cause, PolicyAncestorStatus, PolicyStatus};
use crate::api::{GATEWAY_GROUP, Kind, ParentReference};
use crate::attach::JudgedTelemetryPolicy;
use crate::condition::{Condition, ConditionType, Reason};
use crate::finding::Finding;
use crate::name::ObjectName;
use crate::resolve::{JudgedBackend, JudgedPolicy};

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

/// The status of an XTelemetryPolicy: what is wrong with it, and for each Gateway that it names what is wrong there.
///
/// # Spec
/// TEL-01 to TEL-03.
pub(crate) fn telemetry_policy(judged: &JudgedTelemetryPolicy) -> PolicyStatus {
    let JudgedTelemetryPolicy { policy, targets } = judged;
    let ancestors = targets.iter().map(|(gateway, target)| {
        let refusals: Vec<_> = target.refusal.iter().chain(&policy.refusals).collect();
        ((gateway, &target.controller), vec![accepted_but(&refusals, policy), resolved_refs(policy)])
    });
    let refusals = targets.values().filter_map(|target| target.refusal.as_ref());
    let refusals = refusals.map(|finding| Cause::new(ConditionType::Accepted, finding.clone()));
    with_ancestors(policy, ancestors, refusals)
}

/// The same for an XBackend; it speaks of references where it has some.
///
/// # Spec
/// XBK-06, CND-106
pub(crate) fn x_backend(
    backend: &JudgedBackend,
    gateways: &BTreeMap<&ObjectName, &Arc<str>>,
) -> PolicyStatus {
    let JudgedBackend { judged, has_references, .. } = backend;
    let references = has_references.then(|| resolved_refs(judged));
    status(judged, iter::once(accepted(judged)).chain(references).collect(), gateways)
}

/// The same is said to all Gateways.
fn status(
    policy: &JudgedPolicy,
    conditions: Vec<Condition>,
    gateways: &BTreeMap<&ObjectName, &Arc<str>>,
) -> PolicyStatus {
    let ancestors =
        gateways.iter().map(|(gateway, controller)| ((*gateway, *controller), conditions.clone()));
    with_ancestors(policy, ancestors, iter::empty())
}

/// An entry for each Gateway, with the controller that speaks for it; `of_one` are the causes that are of one Gateway alone.
fn with_ancestors<'g>(
    policy: &JudgedPolicy,
    ancestors: impl Iterator<Item = ((&'g ObjectName, &'g Arc<str>), Vec<Condition>)>,
    of_one: impl Iterator<Item = Cause>,
) -> PolicyStatus {
    let ancestors = ancestors.map(|((gateway, controller), conditions)| PolicyAncestorStatus {
        ancestor_ref: ancestor_ref(gateway),
        controller_name: Arc::clone(controller),
        conditions,
    });
    PolicyStatus {
        generation: policy.generation,
        ancestors: ancestors.collect(),
        causes: of_one.chain(causes(policy)).collect(),
        without_effect: policy.without_effect.clone(),
    }
}

/// What is wrong with a policy, whichever Gateway it is about.
fn causes(policy: &JudgedPolicy) -> impl Iterator<Item = Cause> {
    let refusals = policy.refusals.iter().map(|finding| Cause::new(ConditionType::Accepted, finding.clone()));
    let unresolved = policy.unresolved.iter();
    refusals.chain(unresolved.map(|finding| Cause::new(ConditionType::ResolvedRefs, finding.clone())))
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

fn accepted(policy: &JudgedPolicy) -> Condition {
    accepted_but(&policy.refusals.iter().collect::<Vec<_>>(), policy)
}

/// The reason of the first refusal, which says most, and the messages of all.
fn accepted_but(refusals: &[&Finding], policy: &JudgedPolicy) -> Condition {
    fn said<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> String {
        findings.into_iter().map(Finding::to_string).collect::<Vec<_>>().join("; ")
    }
    match refusals.first() {
        Some(first) => {
            Condition::failed(ConditionType::Accepted, first.reason, said(refusals.iter().copied()))
        }
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
