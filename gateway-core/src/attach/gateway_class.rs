//! Which GatewayClasses are ours, and whether Gateways of them will be made.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::options::Options;
use crate::api::GatewayClass;
use crate::condition::{Condition, ConditionType, Reason};
use crate::name::ObjectName;
use crate::validate::Valid;

/// A GatewayClass of this controller.
#[derive(Clone, Debug)]
pub struct AttachedGatewayClass {
    /// The object.
    pub object: Arc<GatewayClass>,
    /// The conditions of its status.
    pub conditions: Vec<Condition>,
}

/// Whether this version of the resource definitions is one that is understood: what their annotation
/// `gateway.networking.k8s.io/bundle-version` says, if they have it.
///
/// Every `v1` up to 1.6 is: later versions added to the earlier ones, and changed nothing.
///
/// ```
/// use gateway_core::attach::is_known_bundle_version;
///
/// assert!(is_known_bundle_version(Some("v1.6.1")));
/// assert!(!is_known_bundle_version(Some("v2.0.0")) && !is_known_bundle_version(None));
/// ```
///
/// # Spec
/// GC-08
pub fn is_known_bundle_version(version: Option<&str>) -> bool {
    const NEWEST_MINOR: u32 = 6;
    let minor = version.and_then(|version| version.strip_prefix("v1.")).and_then(|rest| rest.split_once('.'));
    minor.is_some_and(|(minor, _)| minor.parse().is_ok_and(|minor: u32| minor <= NEWEST_MINOR))
}

/// The classes that are ours, judged.
///
/// # Spec
/// GC-01, GC-02, GC-06, GC-08, GC-09.
pub(super) fn attach(
    classes: &BTreeMap<ObjectName, Valid<GatewayClass>>,
    options: &Options,
) -> BTreeMap<ObjectName, AttachedGatewayClass> {
    let ours =
        |class: &GatewayClass| options.any_class || class.spec.controller_name == options.controller_name;
    let version = match &options.unknown_definitions[..] {
        [] => Condition::is_true(ConditionType::SupportedVersion, Reason::SupportedVersion),
        unknown => Condition::is_false(
            ConditionType::SupportedVersion,
            Reason::UnsupportedVersion,
            format!(
                "these resource definitions are of an unknown version, and are used as far as they are understood: {}; \
                 install those of v1.6",
                unknown.join(", ")
            ),
        ),
    };
    let attached = classes.iter().filter(|(_, class)| ours(class)).map(|(key, class)| {
        let accepted = match &class.spec.parameters_ref {
            None => Condition::accepted(),
            Some(parameters) => Condition::is_false(
                ConditionType::Accepted,
                Reason::InvalidParameters,
                format!(
                    "spec.parametersRef names {} {}, but this controller has no parameters; remove it",
                    parameters.kind, parameters.name
                ),
            ),
        };
        (
            key.clone(),
            AttachedGatewayClass { object: class.arc().clone(), conditions: vec![accepted, version.clone()] },
        )
    });
    attached.collect()
}

// === impl AttachedGatewayClass ===

impl AttachedGatewayClass {
    /// Whether Gateways of this class are made.
    pub fn is_accepted(&self) -> bool {
        Condition::holds(&self.conditions, ConditionType::Accepted)
    }
}
