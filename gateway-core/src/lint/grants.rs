//! ReferenceGrants for references that nothing here makes.

use super::Lint;
use crate::api::Kind;
use crate::condition::Reason;
use crate::name::RouteKind;

/// The kinds of objects that are referred to from other namespaces, those of one group side by side.
const TARGETS: [Kind; 5] =
    [Kind::Service, Kind::Secret, Kind::ConfigMap, Kind::ServiceImport, Kind::XBackend];

pub(super) fn look(lint: &mut Lint<'_>) {
    let resources = lint.resources;
    let routes = RouteKind::ALL.into_iter().map(Kind::from);
    let referrers = [Kind::Gateway, Kind::ListenerSet].into_iter().chain(routes);
    let referrers: Vec<Kind> = referrers.chain([Kind::XBackend, Kind::XTelemetryPolicy]).collect();
    let own_kinds = &lint.options.own_kinds;
    let targets: Vec<Kind> = TARGETS.into_iter().chain(own_kinds.backends().map(Kind::Own)).collect();
    for (name, grant) in &resources.reference_grants {
        let mut say = |field: String, message: String| {
            lint.say(Kind::ReferenceGrant, name, Reason::InvalidKind, field, message);
        };
        for (index, from) in grant.spec.from.iter().enumerate() {
            let found = Kind::find(&from.group, &from.kind);
            if !found.is_some_and(|kind| referrers.contains(&kind)) {
                let message = match found {
                    // BTP-12
                    Some(kind @ Kind::BackendTlsPolicy) => format!(
                        "permits nothing: a {kind} refers to objects of its own namespace, which needs no ReferenceGrant"
                    ),
                    _ => format!(
                        "permits nothing: no references come from {} of group {:?}, but from {}",
                        from.kind,
                        from.group,
                        listed(&referrers)
                    ),
                };
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
            let message = match Kind::find(&to.group, &to.kind) {
                Some(kind) if targets.contains(&kind) => continue,
                None if own_kinds.find_backend(&to.group, &to.kind).is_some() => continue,
                // CTB-01
                Some(kind @ Kind::ClusterTrustBundle) => format!(
                    "permits nothing: a {kind} is in no namespace, and references to it need no ReferenceGrant"
                ),
                _ => format!(
                    "permits nothing: no references lead to {} of group {:?}, but to {}",
                    to.kind,
                    to.group,
                    listed(&targets)
                ),
            };
            say(format!("spec.to[{index}]"), message);
        }
    }
}

/// The names of kinds, with each group once.
fn listed(kinds: &[Kind]) -> String {
    let of_group = |kinds: &[Kind]| {
        let names = kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ");
        match kinds.first().map_or("", |kind| kind.group()) {
            "" => names,
            group => format!("{names} of group {group:?}"),
        }
    };
    let groups = kinds.chunk_by(|a, b| a.group() == b.group());
    groups.map(of_group).collect::<Vec<_>>().join(", ")
}
