//! Causes of conditions that say that something is wrong, each at the field that it is about.

use std::fmt;

use crate::condition::{Condition, ConditionType};
use crate::finding::Finding;

/// Something that is wrong with an object, and the condition that says so.
///
/// A condition speaks of an object as a whole, and has one reason. Where a user is to be shown what to change, as by
/// a linter, the causes are what to show: each is about one field, counted from the root of the object. What a condition
/// merely sums up, such as the listeners that are not valid, has its cause there.
///
/// ```
/// use gateway_core::api::Resources;
/// use gateway_core::manifest;
/// use gateway_core::name::{ObjectName, RouteKey, RouteKind};
/// use gateway_core::options::Options;
/// use gateway_core::translate::translate;
///
/// let yaml = "
/// apiVersion: gateway.networking.k8s.io/v1
/// kind: Gateway
/// metadata: {name: web}
/// spec: {gatewayClassName: any, listeners: [{name: http, port: 80, protocol: HTTP}]}
/// ---
/// apiVersion: gateway.networking.k8s.io/v1
/// kind: HTTPRoute
/// metadata: {name: shop}
/// spec: {parentRefs: [{name: web}], rules: [{backendRefs: [{name: nowhere, port: 80}]}]}
/// ";
/// let resources: Resources = manifest::read(yaml, "shop.yaml").objects.into_iter().map(|(object, _)| object).collect();
/// let options = Options { any_class: true, ..Options::default() };
/// let statuses = translate(&resources, &options).statuses;
/// let shop = RouteKey::new(RouteKind::Http, ObjectName::new("default", "shop"));
/// assert_eq!(
///     statuses.routes[&shop].causes[0].to_string(),
///     "spec.rules[0].backendRefs[0]: ResolvedRefs=False/BackendNotFound: there is no Service default/nowhere; write one, \
///      or name another"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cause {
    /// The condition.
    pub condition: ConditionType,
    /// What is wrong.
    pub finding: Finding,
}

// === impl Cause ===

impl Cause {
    pub(super) fn new(condition: ConditionType, finding: Finding) -> Self {
        Self { condition, finding }
    }

    /// The condition as it would be if there were no other cause.
    pub fn to_condition(&self) -> Condition {
        Condition {
            kind: self.condition,
            status: self.condition.bad_status() == Some(true),
            reason: self.finding.reason,
            message: self.finding.message.clone(),
        }
    }
}

impl fmt::Display for Cause {
    /// `field: Type=Status/Reason: message`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.finding.field.is_empty() {
            write!(f, "{}: ", self.finding.field)?;
        }
        self.to_condition().fmt(f)
    }
}
