//! Policies as they are written, and what their statuses say.

use std::collections::BTreeMap;

use gateway_core::condition::Condition;
use gateway_core::name::ObjectName;
use gateway_core::status::PolicyStatus;

/// A policy that came into being in this year, of the seventh generation.
pub(crate) fn manifest(kind: &str, name: &str, year: u16, targets: &[String], spec: &str) -> String {
    let group = match kind.starts_with('X') {
        true => "gateway.networking.x-k8s.io/v1alpha1",
        false => "gateway.networking.k8s.io/v1",
    };
    format!(
        "---\napiVersion: {group}\nkind: {kind}\n\
         metadata: {{name: {name}, creationTimestamp: '{year}-01-01T00:00:00Z', generation: 7}}\n\
         spec: {{targetRefs: [{}], {spec}}}\n",
        targets.join(", ")
    )
}

/// The status of a policy, which is of that generation and ours.
pub(crate) fn status<'s>(
    statuses: &'s BTreeMap<ObjectName, PolicyStatus>,
    name: &str,
) -> Option<&'s PolicyStatus> {
    let status = statuses.get(&ObjectName::new("default", name))?;
    assert_eq!(status.generation, Some(7));
    for ancestor in &status.ancestors {
        assert_eq!(&*ancestor.controller_name, "gateway-api.rs/controller");
    }
    Some(status)
}

/// A condition as status and reason.
pub(crate) fn said(condition: &Condition) -> String {
    format!("{}/{}", condition.status, condition.reason)
}
