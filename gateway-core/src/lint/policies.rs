//! Policies that are about nothing that is served.

use super::Lint;
use crate::api::Kind;
use crate::condition::Reason;
use crate::feature::Feature;
use crate::finding::Finding;
use crate::name::ObjectName;
use crate::resolve::{BackendName, OwnField};

pub(super) fn look(lint: &mut Lint<'_>) {
    let (resources, statuses, options) = (lint.resources, lint.statuses, lint.options);
    // Without the feature it is told of the kind.
    if options.supports(Feature::BackendTlsPolicy) {
        let unreached = |name| !statuses.backend_tls_policies.contains_key(name);
        for (name, policy) in resources.backend_tls_policies.iter().filter(|(name, _)| unreached(*name)) {
            let targets = policy.spec.target_refs.iter();
            let targets = targets.map(|target| (&*target.group, &*target.kind, &*target.name));
            say(lint, (Kind::BackendTlsPolicy, name), targets, ("anything within TLS", OwnField::TLS));
        }
    }
    if options.backend_traffic_policies {
        let unreached = |name| !statuses.backend_traffic_policies.contains_key(name);
        for (name, policy) in resources.backend_traffic_policies.iter().filter(|(name, _)| unreached(*name)) {
            let targets = policy.spec.target_refs.iter();
            let targets = targets.map(|target| (&*target.group, &*target.kind, &*target.name));
            say(lint, (Kind::XBackendTrafficPolicy, name), targets, ("requests", OwnField::TRAFFIC));
        }
    }
    let unreached = |name| !statuses.telemetry_policies.contains_key(name);
    for (name, _) in resources.telemetry_policies.iter().filter(|(name, _)| unreached(*name)) {
        let message = "none of them is a Gateway of this controller, so that the policy has no effect; name one of its own namespace";
        lint.say(Kind::XTelemetryPolicy, name, Reason::TargetNotFound, "spec.targetRefs", message);
    }
}

/// Says why a policy reaches nothing: its targets, of a group, kind and name each, are not there, or nothing is sent there, or they
/// are XBackends, which have a field for what the policy says.
fn say<'t>(
    lint: &mut Lint<'_>,
    (kind, name): (Kind, &ObjectName),
    targets: impl Iterator<Item = (&'t str, &'t str, &'t str)>,
    (what, own_field): (&str, OwnField),
) {
    let resources = lint.resources;
    let (x_backends, targets): (Vec<_>, Vec<_>) = targets
        .enumerate()
        .partition(|(_, (group, of_kind, _))| Kind::find(group, of_kind) == Some(Kind::XBackend));
    // XBK-04
    for (index, (group, of_kind, target)) in &x_backends {
        let target = ObjectName::new(&*name.namespace, *target);
        let finding = own_field.no_target(group, of_kind, &target);
        lint.note(kind, name, finding.under(format!("spec.targetRefs[{index}]")));
    }
    let only_x_backends = targets.is_empty() && !x_backends.is_empty();
    let absent = targets.into_iter().filter_map(|(index, (group, of_kind, target))| {
        let target = BackendName::find_service(group, of_kind, || ObjectName::new(&*name.namespace, target))?;
        let (of_kind, target) = target.into_object();
        (!resources.contains(of_kind, &target)).then_some((index, of_kind, target))
    });
    let absent: Vec<_> = absent.collect();
    for (index, of_kind, target) in &absent {
        let message = format!(
            "there is no {of_kind} {target}, and a policy is for {of_kind}s of its own namespace; write one, or name another"
        );
        let finding = Finding::new(format!("spec.targetRefs[{index}].name"), Reason::TargetNotFound, message);
        lint.note(kind, name, finding.because_of(of_kind.as_str(), target.clone()));
    }
    if absent.is_empty() && !only_x_backends {
        let message = format!(
            "no Route that is served here sends {what} to one of them, so that the policy has no effect; name a Service or a \
             ServiceImport that one refers to"
        );
        lint.say(kind, name, Reason::TargetNotFound, "spec.targetRefs", message);
    }
}
