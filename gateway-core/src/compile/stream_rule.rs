//! One rule of a TLSRoute, TCPRoute or UDPRoute: where connections or datagrams go.

use super::rule::RuleFindings;
use super::scope::Scope;
use crate::api::BackendRef;

/// Follows the references of a rule. There is nothing else that can be wrong with one.
///
/// # Spec
/// RTE-15, TCR-06, UDR-04.
pub(super) fn stream_rule(backend_refs: &[BackendRef], scope: &mut Scope<'_, '_>) -> RuleFindings {
    let mut findings = RuleFindings::default();
    for (position, written) in backend_refs.iter().enumerate() {
        if let Err(finding) = scope.backend(written.into()) {
            findings.references.push(finding.under(format_args!("backendRefs[{position}]")));
        }
    }
    findings
}
