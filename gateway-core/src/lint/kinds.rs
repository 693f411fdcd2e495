//! Objects of kinds that are read and not carried out.

use super::Lint;
use crate::api::Kind;
use crate::condition::Reason;
use crate::feature::Feature;

/// The kinds, the features with which they are carried out, and what is to be known.
const NOT_CARRIED_OUT: &[(Kind, Option<Feature>, &str)] = &[
    (
        Kind::BackendTlsPolicy,
        Some(Feature::BackendTlsPolicy),
        "TLS to backends is not supported: requests to the ports that the policy names fail rather than go in plain text",
    ),
    (
        Kind::XBackendTrafficPolicy,
        None,
        "policies of this kind are not supported, so that it has no effect; remove it",
    ),
    (Kind::XMesh, None, "objects of this kind are not supported, so that it has no effect; remove it"),
];

pub(super) fn look(lint: &mut Lint<'_>) {
    let resources = lint.resources;
    for (kind, feature, message) in NOT_CARRIED_OUT {
        let is_carried_out = match kind {
            // No feature stands for it.
            Kind::XBackendTrafficPolicy => lint.options.backend_traffic_policies,
            _ => feature.is_some_and(|feature| lint.options.supports(feature)),
        };
        if is_carried_out {
            continue;
        }
        for name in resources.names(*kind) {
            lint.say(*kind, name, Reason::Unsupported, "kind", *message);
        }
    }
}
