//! XBackendTrafficPolicies of a Service or ServiceImport: retry budget and sessions.

use std::time::Duration;

use gateway_core::api::{Resources, ServiceAffinity, SessionPersistence, XBackendTrafficPolicy};
use gateway_core::name::ObjectName;

use super::super::{RetryBudget, Target};
use super::limits::duration;
use super::{age, backend};

/// RTB-05: the oldest policy that names the Service, then the first by its name.
fn of_service<'r>(
    resources: &'r Resources,
    to: &Target,
) -> Option<(&'r ObjectName, &'r XBackendTrafficPolicy)> {
    let all = resources.backend_traffic_policies.iter().map(|(name, policy)| (name, &**policy));
    let names = |policy: &XBackendTrafficPolicy| {
        policy.spec.target_refs.iter().any(|target| {
            backend::kind(&target.group, &target.kind) == Some(to.kind) && *target.name == *to.service.name
        })
    };
    all.filter(|(name, policy)| name.namespace == to.service.namespace && names(policy))
        .min_by_key(|(name, policy)| age::of(&policy.metadata, name))
}

/// SES-11: whether it asks for sessions with a Service that keeps clients to itself.
fn is_refused(resources: &Resources, name: &ObjectName, policy: &XBackendTrafficPolicy) -> bool {
    let mut services = policy.spec.target_refs.iter().filter_map(|target| {
        let kind = backend::kind(&target.group, &target.kind)?;
        backend::service(resources, kind, &ObjectName::new(&*name.namespace, &*target.name))
    });
    policy.spec.session_persistence.is_some()
        && services.any(|service| service.spec.session_affinity != ServiceAffinity::None)
}

/// RTB-01, RTB-02: how much of what a Service gets may be retries.
pub(super) fn retry_budget(resources: &Resources, to: &Target) -> Option<RetryBudget> {
    let (name, policy) = of_service(resources, to)?;
    let written = policy.spec.retry_constraint.as_ref().filter(|_| !is_refused(resources, name, policy))?;
    let least = &written.min_retry_rate;
    Some(RetryBudget {
        percent: written.budget.percent as u32,
        interval: duration(&written.budget.interval),
        least: least.count.unwrap_or(10) as u32,
        least_interval: least.interval.as_deref().map_or(Duration::from_secs(1), duration),
    })
}

/// SES-01: the sessions with a Service, and whose they are.
pub(super) fn sessions<'r>(
    resources: &'r Resources,
    to: &Target,
) -> Option<(String, &'r SessionPersistence)> {
    let (name, policy) = of_service(resources, to)?;
    let written =
        policy.spec.session_persistence.as_ref().filter(|_| !is_refused(resources, name, policy))?;
    Some((format!("XBackendTrafficPolicy/{name}"), written))
}
