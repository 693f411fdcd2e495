//! ReferenceGrants for references that nothing here makes.

use super::Lint;
use crate::api::{GATEWAY_GROUP, Kind};
use crate::condition::Reason;
use crate::name::RouteKind;

/// The kinds of objects that routes, listeners and policies refer to.
const TARGETS: [Kind; 4] = [Kind::Service, Kind::ServiceImport, Kind::Secret, Kind::ConfigMap];

pub(super) fn look(lint: &mut Lint<'_>) {
    let resources = lint.resources;
    let routes = RouteKind::ALL.into_iter().map(Kind::from);
    let referrers: Vec<Kind> = [Kind::Gateway, Kind::ListenerSet].into_iter().chain(routes).collect();
    for (name, grant) in &resources.reference_grants {
        let mut say = |field: String, message: String| {
            lint.say(Kind::ReferenceGrant, name, Reason::InvalidKind, field, message);
        };
        for (index, from) in grant.spec.from.iter().enumerate() {
            if !referrers.iter().any(|kind| kind.as_str() == from.kind && kind.group() == from.group) {
                let known: Vec<_> = referrers.iter().map(|kind| kind.as_str()).collect();
                let message = format!(
                    "permits nothing: no references come from {} of group {:?}, but from {} of group {GATEWAY_GROUP:?}",
                    from.kind,
                    from.group,
                    known.join(", ")
                );
                say(format!("spec.from[{index}]"), message);
            } else if *from.namespace == *name.namespace {
                // RGR-01, RGR-03: to stand in the namespace of who refers is the usual mistake.
                let message = format!(
                    "permits nothing: within namespace {0} references need no ReferenceGrant; from {0} into another \
                     namespace, it has to stand in that one",
                    from.namespace
                );
                say(format!("spec.from[{index}]"), message);
            }
        }
        for (index, to) in grant.spec.to.iter().enumerate() {
            if !TARGETS.iter().any(|kind| kind.as_str() == to.kind && kind.group() == to.group) {
                let named = |kind: &Kind| match kind.group() {
                    "" => kind.as_str().to_owned(),
                    group => format!("{kind} of group {group:?}"),
                };
                let known: Vec<_> = TARGETS.iter().map(named).collect();
                let message = format!(
                    "permits nothing: no references lead to {} of group {:?}, but to {}",
                    to.kind,
                    to.group,
                    known.join(", ")
                );
                say(format!("spec.to[{index}]"), message);
            }
        }
    }
}
