//! The rules of TLSRoute, TCPRoute and UDPRoute alike: a name and backends each.

use super::pattern;
use super::problem::Problems;
use super::reference;
use super::route;
use crate::api::{BackendRef, StreamRouteVersion};

/// `spec.rules` of a Route whose rules have no conditions.
///
/// # Spec
/// LIM-11: one rule in `v1` and `v1alpha3`, up to 16 in `v1alpha2`; LIM-14.
pub(super) fn rules<R>(
    rules: &[R],
    version: &StreamRouteVersion,
    parts: impl Fn(&R) -> (Option<&str>, &[BackendRef]),
    at: &mut Problems,
) {
    let most = if many_rules(version) { 16 } else { 1 };
    let rules = at.list("rules", rules, 1..=most, "LIM-11", |rule, at| {
        let (name, backends) = parts(rule);
        at.optional_text("name", name, &pattern::PRECISE);
        at.list("backendRefs", backends, 1..=16, "LIM-14", |backend, at| {
            reference::weighted_backend(backend.into(), backend.weight, at);
        });
    });
    route::rule_names(rules, |rule| parts(rule).0, at);
}

/// Whether the version is the one with the older, wider schema.
pub(super) fn many_rules(version: &StreamRouteVersion) -> bool {
    match version {
        StreamRouteVersion::V1Alpha2 => true,
        // A version that is not known is read as the current one.
        StreamRouteVersion::V1 | StreamRouteVersion::V1Alpha3 | StreamRouteVersion::Unknown(_) => false,
    }
}
