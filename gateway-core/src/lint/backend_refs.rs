//! References to backends of which a part has no effect, or all of which get nothing.

use super::Lint;
use super::references::{self, Reference, Role};
use crate::api::Kind;
use crate::condition::Reason;

pub(super) fn look(lint: &mut Lint<'_>) {
    let of_routes = references::of_routes(lint.resources);
    for reference in of_routes.iter().chain(&references::of_listener_filters(lint.resources)) {
        port(reference, lint);
    }
    let rule = |reference: &Reference<'_>| match reference.role {
        Role::Backend { rule, .. } => Some((reference.of, reference.by.clone(), rule)),
        Role::Mirror | Role::Authorization => None,
    };
    for references in of_routes.chunk_by(|a, b| rule(a).is_some() && rule(a) == rule(b)) {
        weights(references, lint);
    }
}

/// # Spec
/// XBK-08
fn port(Reference { of, by, field, group, kind, port, .. }: &Reference<'_>, lint: &mut Lint<'_>) {
    if port.is_some() && Kind::find(group, kind) == Some(Kind::XBackend) {
        let message = "has no effect: an XBackend has a port of its own; remove it";
        lint.say(*of, by, Reason::Unsupported, format!("{field}.port"), message);
    }
}

/// Looks at the backends of one rule.
///
/// # Spec
/// HRB-03
fn weights(references: &[Reference<'_>], lint: &mut Lint<'_>) {
    let [Reference { of, by, role: Role::Backend { rule, .. }, .. }, ..] = references else { return };
    if references.iter().all(|reference| matches!(reference.role, Role::Backend { weight: 0, .. })) {
        let what = match of {
            Kind::HttpRoute | Kind::GrpcRoute => "requests of the rule are answered with 500",
            _ => "nothing is passed on",
        };
        let message = format!("all weights are 0, so that {what}; give one of them a weight");
        lint.say(*of, by, Reason::BackendNotFound, format!("spec.rules[{rule}].backendRefs"), message);
    }
}
