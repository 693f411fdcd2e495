//! Policies that are about nothing that is served.

use super::Lint;
use crate::api::Kind;
use crate::condition::Reason;
use crate::feature::Feature;
use crate::finding::Finding;
use crate::name::ObjectName;

pub(super) fn look(lint: &mut Lint<'_>) {
    let (resources, statuses) = (lint.resources, lint.statuses);
    // Without the feature it is told of the kind.
    if !lint.options.supports(Feature::BackendTlsPolicy) {
        return;
    }
    let unreached = |name| !statuses.backend_tls_policies.contains_key(name);
    for (name, policy) in resources.backend_tls_policies.iter().filter(|(name, _)| unreached(*name)) {
        let targets = policy.spec.target_refs.iter().enumerate();
        let absent = targets.filter_map(|(index, target)| {
            let is_service = target.group.is_empty() && target.kind == Kind::Service.as_str();
            let service = ObjectName::new(&*name.namespace, target.name.as_str());
            (is_service && !resources.services.contains_key(&service)).then_some((index, service))
        });
        let absent: Vec<_> = absent.collect();
        for (index, service) in &absent {
            let message = format!(
                "there is no Service {service}, and a policy is for Services of its own namespace; write one, or name another"
            );
            let finding =
                Finding::new(format!("spec.targetRefs[{index}].name"), Reason::TargetNotFound, message);
            lint.note(Kind::BackendTlsPolicy, name, finding.missing(Kind::Service.as_str(), service.clone()));
        }
        if !absent.is_empty() {
            continue;
        }
        let message = "no Route that is served here sends anything within TLS to one of them, so that the policy has no effect; \
                       name a Service that one refers to";
        lint.say(Kind::BackendTlsPolicy, name, Reason::TargetNotFound, "spec.targetRefs", message);
    }
}
