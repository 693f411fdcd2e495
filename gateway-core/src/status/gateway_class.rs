//! The status of a GatewayClass.

use super::{Cause, GatewayClassStatus};
use crate::attach::AttachedGatewayClass;
use crate::condition::{Condition, ConditionType, Reason};
use crate::options::Options;

/// # Spec
/// GC-02, GC-06, GC-08, GC-11, GC-12: the features are sorted by name, and none is a mesh feature.
pub(super) fn gateway_class(class: &AttachedGatewayClass, options: &Options) -> GatewayClassStatus {
    let accepted = match class.refusal.clone() {
        None => Condition::accepted(),
        Some(refusal) => refusal.into_condition(ConditionType::Accepted),
    };
    GatewayClassStatus {
        generation: class.object.metadata.generation,
        conditions: vec![accepted, supported_version(options)],
        causes: class
            .refusal
            .clone()
            .map(|refusal| Cause::new(ConditionType::Accepted, refusal))
            .into_iter()
            .collect(),
        supported_features: options.published_features(),
    }
}

fn supported_version(options: &Options) -> Condition {
    match &options.unknown_definitions[..] {
        [] => Condition::ok(ConditionType::SupportedVersion, Reason::SupportedVersion),
        unknown => Condition::failed(
            ConditionType::SupportedVersion,
            Reason::UnsupportedVersion,
            format!(
                "these resource definitions are of an unknown version, and are used as far as they are understood: {}; \
                 install those of v1.7",
                unknown.join(", ")
            ),
        ),
    }
}
