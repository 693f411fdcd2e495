//! One rule of a GRPCRoute: its matches, filters and backends, made ready or found wanting.

use super::filters;
use super::http_match::{headers, unknown_type};
use super::rule::RuleFindings;
use super::scope::Scope;
use crate::api::{GrpcMethodMatch, GrpcMethodMatchType, GrpcRouteMatch, GrpcRouteRule};
use crate::condition::Reason;
use crate::finding::Finding;
use crate::matching::{GrpcMatch, ValueMatch};

/// Looks at everything that a rule asks for.
///
/// # Spec
/// RTE-17 to RTE-22, GRP-02 to GRP-06, GRP-14 to GRP-17.
pub(super) fn grpc_rule(written: &GrpcRouteRule, scope: &mut Scope<'_, '_>) -> RuleFindings {
    let mut findings = RuleFindings::default();
    for (entry, written) in written.matches.iter().enumerate() {
        if let Err(finding) = grpc_match(written, scope) {
            findings.problems.push(finding.under(format_args!("matches[{entry}]")));
        }
    }
    filters::grpc_filters(&written.filters, "", scope, &mut findings);
    for (position, written) in written.backend_refs.iter().enumerate() {
        scope.weighted(written.into(), written.weight, position, &mut findings.references);
        filters::grpc_filters(&written.filters, &format!("backendRefs[{position}]."), scope, &mut findings);
    }
    if written.session_persistence.is_some() {
        findings.ignored.push("sessionPersistence");
    }
    findings
}

fn grpc_match(written: &GrpcRouteMatch, scope: &mut Scope<'_, '_>) -> Result<GrpcMatch, Finding> {
    let (service, method) = match &written.method {
        Some(method) => (part(method, &method.service, scope)?, part(method, &method.method, scope)?),
        None => (None, None),
    };
    let written = written.headers.iter().map(|header| (&header.r#type, &*header.name, &*header.value));
    Ok(GrpcMatch { service, method, headers: headers(written, scope)?.into() })
}

/// The condition on service or method; none for an empty text (GRP-04).
fn part(
    of: &GrpcMethodMatch,
    text: &Option<String>,
    scope: &mut Scope<'_, '_>,
) -> Result<Option<ValueMatch>, Finding> {
    let unsupported = |message| Finding::new("method", Reason::UnsupportedValue, message);
    let Some(text) = text.as_deref().filter(|text| !text.is_empty()) else { return Ok(None) };
    match &of.r#type {
        GrpcMethodMatchType::Exact => Ok(Some(ValueMatch::exact(text))),
        GrpcMethodMatchType::RegularExpression => {
            scope.pattern(text).map(|pattern| Some(ValueMatch::Regex(pattern))).map_err(unsupported)
        }
        GrpcMethodMatchType::Unknown(unknown) => {
            Err(unsupported(unknown_type(unknown, GrpcMethodMatchType::KNOWN)))
        }
    }
}
