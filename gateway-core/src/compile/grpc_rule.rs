//! One rule of a GRPCRoute: its matches, filters and backends, made ready or found wanting.

use super::filters;
use super::http_match::{headers, unknown_type};
use super::rule::{self, Actions, CompiledRule, RuleFindings};
use super::scope::Scope;
use super::session;
use crate::api::{
    GrpcBackendRef, GrpcMethodMatch as Written, GrpcMethodMatchType, GrpcRouteMatch, GrpcRouteRule,
};
use crate::condition::Reason;
use crate::finding::Finding;
use crate::matching::{Conditions, GrpcMatch, GrpcMethodMatch, ValueMatch};
use crate::rule::Timeouts;

/// Makes a rule ready, with the same consequences of what is wrong with it as in an HTTPRoute.
///
/// # Spec
/// RTE-17 to RTE-22, GRP-02 to GRP-06, GRP-14 to GRP-17.
pub(super) fn grpc_rule(
    index: usize,
    written: &GrpcRouteRule,
    scope: &mut Scope<'_, '_>,
) -> (CompiledRule<GrpcMatch>, RuleFindings) {
    let mut findings = RuleFindings::default();
    let mut matches = rule::matches(&written.matches, scope, &mut findings, grpc_match);
    if !findings.problems.is_empty() {
        matches.clear();
    }
    let of_rule = filters::grpc_filters(&written.filters, "", scope, &mut findings);
    let of_backend =
        |written: &GrpcBackendRef, at: &str, scope: &mut Scope<'_, '_>, findings: &mut RuleFindings| {
            filters::grpc_filters(&written.filters, at, scope, findings)
        };
    let backends = rule::backends(&written.backend_refs, scope, &mut findings, of_backend);
    let name = written.name.as_deref();
    let sessions = session::of_rule(
        written.session_persistence.as_deref(),
        (index, name),
        (&written.backend_refs, &backends),
        scope,
        &mut matches,
        &mut findings,
    );
    // There is no field for these; the time of a call stands in the call.
    let (timeouts, retry) = (Timeouts::default(), None);
    let rule =
        Actions { index, name, filters: of_rule, backends, timeouts, retry, sessions }.into_rule(scope);
    ((matches.into(), rule), findings)
}

fn grpc_match(written: &GrpcRouteMatch, scope: &mut Scope<'_, '_>) -> Result<GrpcMatch, Finding> {
    let method = match &written.method {
        Some(method) => {
            GrpcMethodMatch::new(part(method, &method.service, scope)?, part(method, &method.method, scope)?)
        }
        None => GrpcMethodMatch::default(),
    };
    let written = written.headers.iter().map(|header| (&header.r#type, &*header.name, &*header.value));
    Ok(GrpcMatch { method, conditions: Conditions::new(None, headers(written, scope)?, []) })
}

/// The condition on service or method; none for an empty text (GRP-04). A type that is not known is refused with or without
/// one: what it would have asked for is not known either.
fn part(
    of: &Written,
    text: &Option<String>,
    scope: &mut Scope<'_, '_>,
) -> Result<Option<ValueMatch>, Finding> {
    let unsupported = |message| Finding::new("method", Reason::UnsupportedValue, message);
    match (&of.r#type, text.as_deref().filter(|text| !text.is_empty())) {
        (GrpcMethodMatchType::Unknown(unknown), _) => {
            Err(unsupported(unknown_type(unknown, GrpcMethodMatchType::KNOWN)))
        }
        (_, None) => Ok(None),
        (GrpcMethodMatchType::Exact, Some(text)) => Ok(Some(ValueMatch::exact(text))),
        (GrpcMethodMatchType::RegularExpression, Some(text)) => {
            scope.pattern(text).map(|pattern| Some(ValueMatch::Regex(pattern))).map_err(unsupported)
        }
    }
}
