//! Policies that are about nothing that is served.

use super::Lint;
use crate::api::Kind;
use crate::condition::Reason;
use crate::feature::Feature;

pub(super) fn look(lint: &mut Lint<'_>) {
    let (resources, statuses) = (lint.resources, lint.statuses);
    // Without the feature it is told of the kind.
    if !lint.options.supports(Feature::BackendTlsPolicy) {
        return;
    }
    let unreached = |name| !statuses.backend_tls_policies.contains_key(name);
    for name in resources.backend_tls_policies.keys().filter(|name| unreached(*name)) {
        let message = "no Route that is served here sends anything within TLS to one of them, so that the policy has no effect; \
                       name a Service that one refers to";
        lint.say(Kind::BackendTlsPolicy, name, Reason::TargetNotFound, "spec.targetRefs", message);
    }
}
