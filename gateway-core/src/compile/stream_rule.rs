//! The rules of a TLSRoute, TCPRoute or UDPRoute: where connections or datagrams go.

use super::rule::{CompiledRules, RuleFindings, listed};
use super::scope::Scope;
use crate::api::BackendRef as WrittenBackendRef;
use crate::condition::Reason;
use crate::finding::Finding;
use crate::rule::{RuleName, StreamRule};

/// Follows the references of the first rule. It takes all that comes to the Route, so that the others of a Route of an older
/// version are never reached; that is said of each.
///
/// # Spec
/// RTE-15, TLR-02, TCR-01, TCR-06, UDR-01, UDR-04.
pub(super) fn stream_rules<'w>(
    rules: impl Iterator<Item = (Option<&'w str>, &'w [WrittenBackendRef])>,
    scope: &mut Scope<'_, '_>,
) -> (CompiledRules, Vec<RuleFindings>) {
    let mut all = Vec::new();
    let mut served = None;
    for (index, (name, written)) in rules.enumerate() {
        let mut findings = RuleFindings::default();
        let refs: Vec<_> = written
            .iter()
            .enumerate()
            .map(|(position, written)| {
                scope.weighted(written.into(), written.weight, position, &mut findings.references)
            })
            .collect();
        if served.is_some() {
            let message =
                "is never reached: the first rule takes all that comes to the Route; write a Route for it";
            findings.problems.push(Finding::new("backendRefs", Reason::UnsupportedValue, message));
        } else {
            let id =
                RuleName { route: scope.route().clone(), index: index as u16, name: name.map(Into::into) };
            let rule = StreamRule { data: scope.data(&id), id, backends: listed(refs) };
            served = Some(Box::new(rule));
        }
        all.push(findings);
    }
    (CompiledRules::Stream(served), all)
}
