//! One rule of an HTTPRoute: its matches, filters, backends, timeouts and retries, made ready or found wanting.

use std::time::Duration;

use http::StatusCode;

use super::filters::{self, FilterLevel};
use super::http_match::http_match;
use super::rule::{self, Actions, CompiledRule, RuleFindings};
use super::scope::Scope;
use super::session;
use crate::api::{HttpBackendRef, HttpRouteRetry, HttpRouteRule, HttpRouteTimeouts};
use crate::condition::Reason;
use crate::duration;
use crate::filter::HttpFilter;
use crate::finding::Finding;
use crate::matching::HttpMatch;
use crate::rule::{Retry, Timeouts};

/// Makes a rule ready.
///
/// A rule with a match that cannot be carried out is dropped: it matches nothing. A rule with a filter that cannot be
/// carried out keeps its matches, and its requests fail.
///
/// # Spec
/// RTE-17 to RTE-22, RTE-30, FLT-05; the choice is AMB-54.
pub(super) fn http_rule(
    index: usize,
    written: &HttpRouteRule,
    scope: &mut Scope<'_, '_>,
) -> (CompiledRule<HttpMatch>, RuleFindings) {
    let mut findings = RuleFindings::default();
    let mut matches = rule::matches(&written.matches, scope, &mut findings, http_match);
    let mut keep = |finding| findings.problems.push(finding);
    let timeouts = timeouts(written.timeouts.as_deref()).map_err(&mut keep).unwrap_or_default();
    let retry = retry(written.retry.as_deref()).map_err(&mut keep).unwrap_or_default();
    if !findings.problems.is_empty() {
        matches.clear();
    }

    let of_rule = filters::http_filters(&written.filters, FilterLevel::Rule, "", scope, &mut findings);
    check_prefix_modifiers(&of_rule, &matches, "", &mut findings);
    let of_backend =
        |written: &HttpBackendRef, at: &str, scope: &mut Scope<'_, '_>, findings: &mut RuleFindings| {
            let filters = filters::http_filters(&written.filters, FilterLevel::Backend, at, scope, findings);
            check_prefix_modifiers(&filters, &matches, at, findings);
            filters
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
    let rule =
        Actions { index, name, filters: of_rule, backends, timeouts, retry, sessions }.into_rule(scope);
    ((matches.into(), rule), findings)
}

/// Replacing a matched prefix needs a prefix to have matched. The schema sees to that for one filter and one match;
/// a list that it lets through all the same is refused here.
///
/// # Spec
/// FRD-08, FRW-04.
fn check_prefix_modifiers(
    filters: &[HttpFilter],
    matches: &[HttpMatch],
    at: &str,
    findings: &mut RuleFindings,
) {
    for (index, filter) in filters.iter().enumerate() {
        let Some(modifier) = filter.path_modifier() else { continue };
        if matches.iter().any(|entry| !modifier.applies_to(entry.path.matched())) {
            let message =
                "ReplacePrefixMatch needs every match of the rule to have a path of type PathPrefix";
            let field = format!("{at}filters[{index}]");
            findings.problems.push(Finding::new(field, Reason::UnsupportedValue, message));
        }
    }
}

fn timeouts(written: Option<&HttpRouteTimeouts>) -> Result<Timeouts, Finding> {
    let Some(written) = written else { return Ok(Timeouts::default()) };
    Ok(Timeouts::new(
        time("timeouts.request", written.request.as_deref())?,
        time("timeouts.backendRequest", written.backend_request.as_deref())?,
    ))
}

fn retry(written: Option<&HttpRouteRetry>) -> Result<Option<Retry>, Finding> {
    let Some(written) = written else { return Ok(None) };
    let codes = written.codes.iter().filter_map(|code| StatusCode::from_u16(*code).ok()).collect();
    let attempts = u32::try_from(written.attempts).unwrap_or_default().min(Retry::MAX_ATTEMPTS);
    let backoff = time("retry.backoff", written.backoff.as_deref())?.unwrap_or(Retry::DEFAULT_BACKOFF);
    Ok((attempts > 0).then_some(Retry { codes, attempts, backoff }))
}

fn time(field: &str, written: Option<&str>) -> Result<Option<Duration>, Finding> {
    let parsed = written.map(duration::parse).transpose();
    parsed.map_err(|error| Finding::new(field, Reason::UnsupportedValue, error.to_string()))
}
