//! XTelemetryPolicies: which holds for a Gateway, what becomes of it, and what is wrong with each.
//!
//! A policy that cannot be carried out has no effect, and holds its Gateways all the same: of two for one Gateway, the older
//! one decides, or none. What is wrong with one Gateway is said of that one only.
//!
//! # Spec
//! [TEL-01](crate::spec#TEL-01), [TEL-02](crate::spec#TEL-02), [POL-03](crate::spec#POL-03), [POL-04](crate::spec#POL-04).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::gateways::Gateways;
use super::listener_filters::FindServices;
use crate::api::{AnyObject, GATEWAY_GROUP, Kind, LocalObjectReference, TelemetryMode};
use crate::condition::Reason;
use crate::finding::Finding;
use crate::name::ObjectName;
use crate::options::Options;
use crate::resolve::{BackendName, JudgedPolicy, WrittenPolicy};
use crate::table::Tracing;
use crate::validate::Validated;

/// All XTelemetryPolicies, judged.
#[derive(Debug, Default)]
pub(crate) struct TelemetryPolicies {
    /// The policy that holds for each Gateway that some policy names, there or not.
    by_gateway: BTreeMap<ObjectName, ObjectName>,
    judged: BTreeMap<ObjectName, JudgedTelemetryPolicy>,
    tracing: BTreeMap<ObjectName, Arc<Tracing>>,
}

/// What is wrong with a policy, and with each of its targets.
#[derive(Debug, Default)]
pub(crate) struct JudgedTelemetryPolicy {
    /// What is so for all of its Gateways.
    pub(crate) policy: JudgedPolicy,
    /// The Gateways that it names: those of ours, and those that are not there.
    pub(crate) targets: BTreeMap<ObjectName, TargetGateway>,
}

/// A Gateway that a policy names.
#[derive(Debug)]
pub(crate) struct TargetGateway {
    /// The controller that speaks for it.
    pub(crate) controller: Arc<str>,
    /// Why the policy is not accepted there.
    pub(crate) refusal: Option<Finding>,
}

// === impl TelemetryPolicies ===

impl TelemetryPolicies {
    /// Judges every policy, the oldest first: it has the Gateways that several name.
    ///
    /// # Spec
    /// TEL-01
    pub(crate) fn new(
        valid: &Validated,
        gateways: &Gateways,
        options: &Options,
        services: &mut impl FindServices,
    ) -> Self {
        let policies = WrittenPolicy::oldest_first(valid, &valid.telemetry_policies, |object| {
            let AnyObject::XTelemetryPolicy(policy) = object else { return None };
            Some(&**policy)
        });
        let mut all = Self::default();
        for written in policies {
            let (name, policy) = (written.name, written.object);
            let mut judged = JudgedTelemetryPolicy { policy: written.judged(), ..Default::default() };
            let mode = policy.spec.tracing.as_ref().map(|tracing| &tracing.mode);
            let wants_spans = matches!(mode, Some(TelemetryMode::Enabled | TelemetryMode::Unknown(_)));
            // Where none are made, none are wanted.
            if !options.telemetry_policies && wants_spans {
                let message = "no spans are made by this data plane as policies want them; remove it, or use a program that makes \
                               them, as `gateway` does that is built with `--features otlp`";
                judged.policy.refusals.push(Finding::whole(Reason::Invalid, message));
            }
            for (index, target) in policy.spec.target_refs.iter().enumerate() {
                let field = format!("spec.targetRefs[{index}]");
                match all.claim(name, target, valid) {
                    Ok((gateway, refusal)) => {
                        let ours = gateways.gateways.get(&gateway);
                        let controller = match ours {
                            Some(gateway) => gateway.controller.clone(),
                            // It is for its own controller to say something.
                            None if is_there(valid, &gateway) => continue,
                            None => options.controller_name.as_str().into(),
                        };
                        let refusal = refusal.map(|finding| finding.under(field));
                        judged.targets.insert(gateway, TargetGateway { controller, refusal });
                    }
                    Err(finding) => judged.policy.without_effect.push(finding.under(field)),
                }
            }
            let is_ours = !judged.targets.is_empty();
            if is_ours && written.is_whole() {
                let tracing = judged.policy.tracing(name, policy, services).map(Arc::new);
                let accepted = judged.targets.iter().filter(|(_, target)| target.refusal.is_none());
                let traced = accepted.filter_map(|(gateway, _)| Some((gateway.clone(), tracing.clone()?)));
                all.tracing.extend(traced.filter(|_| options.telemetry_policies));
            }
            all.judged.insert(name.clone(), judged);
        }
        all
    }

    /// Gives the policy its target, a Gateway; with why it is not accepted there, as where another has it.
    ///
    /// # Errors
    /// When it is nothing that a policy of this kind can be for.
    fn claim(
        &mut self,
        policy: &ObjectName,
        target: &LocalObjectReference,
        valid: &Validated,
    ) -> Result<(ObjectName, Option<Finding>), Finding> {
        let LocalObjectReference { group, kind, name } = target;
        if group != GATEWAY_GROUP || kind != Kind::Gateway.as_str() {
            let message = format!("{kind} of group {group:?} is not supported as a target; name a Gateway");
            return Err(Finding::new("kind", Reason::Invalid, message));
        }
        let gateway = ObjectName::new(&*policy.namespace, &**name);
        let holder = self.by_gateway.entry(gateway.clone()).or_insert_with(|| policy.clone());
        let refusal = if *holder != *policy {
            let message = format!(
                "XTelemetryPolicy {holder} has Gateway {gateway} already, and came first; remove one of the two"
            );
            Some(Finding::new("", Reason::Conflicted, message))
        } else if !is_there(valid, &gateway) {
            let message = format!("there is no Gateway {gateway}; write one, or name another");
            let finding = Finding::new("name", Reason::TargetNotFound, message);
            Some(finding.because_of(Kind::Gateway.as_str(), gateway.clone()))
        } else {
            None
        };
        Ok((gateway, refusal))
    }

    /// All policies, judged.
    pub(crate) fn judged(&self) -> &BTreeMap<ObjectName, JudgedTelemetryPolicy> {
        &self.judged
    }

    /// What becomes of them, by Gateway.
    pub(crate) fn tracing(&self) -> BTreeMap<ObjectName, Arc<Tracing>> {
        self.tracing.clone()
    }

    /// The Gateways whose traces a Service or ServiceImport is told of.
    pub(crate) fn gateways_of(&self, service: &BackendName) -> impl Iterator<Item = &ObjectName> {
        let told = self.judged.values().filter(|judged| judged.policy.services.contains(service));
        told.flat_map(|judged| judged.targets.iter())
            .filter(|(_, target)| target.refusal.is_none())
            .map(|(gateway, _)| gateway)
    }
}

/// Whether there is such a Gateway, whichever controller has it and whatever is wrong with it.
fn is_there(valid: &Validated, gateway: &ObjectName) -> bool {
    let mut rejected = valid.rejected.of_kind(Kind::Gateway);
    valid.gateways.contains_key(gateway) || rejected.any(|(rejected, _)| rejected.key == *gateway)
}
