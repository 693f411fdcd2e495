//! XBackendTrafficPolicies: which holds for a Service or ServiceImport, and what is wrong with each.
//!
//! A policy that cannot be carried out has no effect, and holds its targets all the same: of two for one Service, the older one
//! decides, or none.
//!
//! # Spec
//! [RTB-01](crate::spec#RTB-01) to [RTB-05](crate::spec#RTB-05), [SES-01](crate::spec#SES-01), [SES-11](crate::spec#SES-11),
//! [POL-04](crate::spec#POL-04).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::policy::{JudgedPolicy, OwnField, WrittenPolicy};
use super::service::{AllServices, BackendName};
use super::session::{beside_affinity, session};
use crate::api::{AnyObject, LocalPolicyTargetReference, RetryConstraint, XBackendTrafficPolicy};
use crate::condition::Reason;
use crate::duration;
use crate::finding::Finding;
use crate::name::ObjectName;
use crate::options::Options;
use crate::rule::{RetryBudget, RetryRate, SessionPersistence};
use crate::validate::Validated;

/// All XBackendTrafficPolicies, judged.
#[derive(Debug, Default)]
pub(crate) struct BackendTrafficPolicies {
    /// What holds for each Service and ServiceImport that some policy names, there or not.
    by_service: HashMap<BackendName, Held>,
    /// All of them, while the data plane carries them out.
    judged: BTreeMap<ObjectName, JudgedPolicy>,
}

/// What holds for a Service.
#[derive(Debug, PartialEq, Eq)]
struct Held {
    policy: ObjectName,
    traffic: Traffic,
}

/// How traffic to a Service behaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traffic {
    /// How much of it may be retries.
    pub(crate) retry_budget: Option<Arc<RetryBudget>>,
    /// How sessions stay with its endpoints, where no rule says otherwise.
    pub(crate) session: Option<Arc<SessionPersistence>>,
}

// === impl BackendTrafficPolicies ===

impl BackendTrafficPolicies {
    /// Judges every policy, the oldest first: it has the targets that several name. What was used of budgets that are the same as
    /// in `before` counts on.
    ///
    /// # Spec
    /// RTB-05, POL-03, POL-04
    pub(crate) fn new(valid: &Validated, options: &Options, before: &Self) -> Self {
        let (mut all, services) = (Self::default(), AllServices::new(valid));
        if !options.backend_traffic_policies {
            return all;
        }
        let policies = WrittenPolicy::oldest_first(valid, &valid.backend_traffic_policies, |object| {
            let AnyObject::XBackendTrafficPolicy(policy) = object else { return None };
            Some(&**policy)
        });
        for written in policies {
            let (name, policy) = (written.name, written.object);
            let mut judged = written.judged();
            let targets = &policy.spec.target_refs;
            judged.services = targets.iter().filter_map(|target| service(name, target)).collect();
            let traffic = match written.is_whole() {
                true => judged.traffic(name, policy, services, options),
                false => Traffic::default(),
            };
            for (index, target) in targets.iter().enumerate() {
                let claimed = all.claim(name, target, services, &traffic, before);
                if let Err(finding) = claimed {
                    judged.refusals.push(finding.under(format_args!("spec.targetRefs[{index}]")));
                }
            }
            all.judged.insert(name.clone(), judged);
        }
        all
    }

    /// Gives the policy its target, if it is one that no other has.
    fn claim(
        &mut self,
        policy: &ObjectName,
        target: &LocalPolicyTargetReference,
        services: AllServices<'_>,
        traffic: &Traffic,
        before: &Self,
    ) -> Result<(), Finding> {
        let Some(service) = service(policy, target) else {
            let LocalPolicyTargetReference { group, kind, name } = target;
            let target = ObjectName::new(&*policy.namespace, &**name);
            return Err(OwnField::TRAFFIC.no_target(group, kind, &target));
        };
        if let Some(Held { policy: holder, .. }) = self.by_service.get(&service) {
            let message =
                format!("XBackendTrafficPolicy {holder} has the target already, and came first; remove one");
            return Err(Finding::new("", Reason::Conflicted, message));
        }
        let retry_budget = traffic.retry_budget.as_ref().map(|budget| {
            // Each Service has one of its own.
            let known = before.traffic(&service).and_then(|known| known.retry_budget.as_ref());
            let fresh = || Arc::new(RetryBudget::new(budget.percent(), budget.interval(), budget.least()));
            known.filter(|known| *known == budget).cloned().unwrap_or_else(fresh)
        });
        let traffic = Traffic { retry_budget, session: traffic.session.clone() };
        self.by_service.insert(service.clone(), Held { policy: policy.clone(), traffic });
        if services.find(&service).is_some() {
            return Ok(());
        }
        let message = format!("there is no {service}; write one, or name another");
        let finding = Finding::new("name", Reason::TargetNotFound, message);
        Err(finding.because_of(service.kind.as_str(), service.object.clone()))
    }

    /// How traffic to a Service behaves, where a policy says something about it.
    pub(crate) fn traffic(&self, service: &BackendName) -> Option<&Traffic> {
        self.by_service.get(service).map(|held| &held.traffic)
    }

    /// All policies, judged.
    pub(crate) fn judged(&self) -> &BTreeMap<ObjectName, JudgedPolicy> {
        &self.judged
    }

    /// Whether a policy names the Service, there or not.
    pub(crate) fn names(&self, service: &BackendName) -> bool {
        self.by_service.contains_key(service)
    }

    /// The Services for which something else holds than by `before`.
    pub(crate) fn differences<'p>(&'p self, before: &'p Self) -> BTreeSet<&'p BackendName> {
        let all = self.by_service.keys().chain(before.by_service.keys());
        all.filter(|service| self.traffic(service) != before.traffic(service)).collect()
    }
}

// === impl JudgedPolicy ===

impl JudgedPolicy {
    /// What a policy wants of the traffic to its targets, as far as it can be had.
    fn traffic(
        &mut self,
        name: &ObjectName,
        policy: &XBackendTrafficPolicy,
        services: AllServices<'_>,
        options: &Options,
    ) -> Traffic {
        let spec = &policy.spec;
        let retry_budget = spec.retry_constraint.as_ref().map(retry_budget);
        let Some(written) = &spec.session_persistence else { return Traffic { retry_budget, session: None } };
        let mut no_effect = |field: &str, message| {
            self.without_effect.push(Finding::new(format!("spec.{field}"), Reason::Invalid, message));
        };
        if !options.session_persistence {
            let message = "sessions are not kept by this data plane; remove it".to_owned();
            no_effect("sessionPersistence", message);
            return Traffic { retry_budget, session: None };
        }
        // SES-11
        let with_affinity = self.services.iter().filter(|service| services.has_affinity(service));
        let with_affinity: Vec<_> = with_affinity.cloned().collect();
        if !with_affinity.is_empty() {
            let message = beside_affinity(&with_affinity);
            self.refusals.push(Finding::new("spec.sessionPersistence", Reason::Invalid, message));
            return Traffic::default();
        }
        let scope = policy.metadata.uid.clone().unwrap_or_else(|| format!("XBackendTrafficPolicy {name}"));
        let made = session(written, scope, &format!("XBackendTrafficPolicy {name}"));
        let session = made.map_err(|field| no_effect(field, "cannot be carried out".to_owned())).ok();
        Traffic { retry_budget, session: session.map(Arc::new) }
    }
}

/// # Spec
/// RTB-01, RTB-02. The schema has let no other times through; a rate of which a part is left out has that of the default.
fn retry_budget(written: &RetryConstraint) -> Arc<RetryBudget> {
    let RetryConstraint { budget, min_retry_rate } = written;
    let time = |text: &str, default| duration::parse(text).unwrap_or(default);
    let number = |number: i32| u32::try_from(number).unwrap_or(0);
    let least = RetryRate {
        count: min_retry_rate.count.map_or(RetryRate::DEFAULT.count, number),
        interval: min_retry_rate
            .interval
            .as_deref()
            .map_or(RetryRate::DEFAULT.interval, |text| time(text, RetryRate::DEFAULT.interval)),
    };
    let interval = time(&budget.interval, RetryBudget::DEFAULT_INTERVAL);
    Arc::new(RetryBudget::new(number(budget.percent), interval, least))
}

/// The target of a policy of this name, if it is one.
fn service(policy: &ObjectName, target: &LocalPolicyTargetReference) -> Option<BackendName> {
    let LocalPolicyTargetReference { group, kind, name } = target;
    BackendName::find_service(group, kind, || ObjectName::new(policy.namespace.clone(), name.as_str()))
}
