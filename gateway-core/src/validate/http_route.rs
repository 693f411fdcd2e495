//! HTTPRoute.

use super::http_filter;
use super::http_match;
use super::parent_ref;
use super::pattern;
use super::problem::Problems;
use super::reference::{self, BackendParts};
use super::route;
use super::session_persistence;
use super::status;
use super::valid::Validate;
use crate::api::{
    HttpBackendRef, HttpPathModifierType, HttpRoute, HttpRouteFilter, HttpRouteMatch, HttpRouteRetry,
    HttpRouteRule, HttpRouteTimeouts, PathMatchType,
};
use crate::duration;

/// # Spec
/// LIM-10 to LIM-14, VAL-HR-01 to VAL-HR-08.
impl Validate for HttpRoute {
    fn problems(&self, problems: &mut Problems) {
        let spec = &self.spec;
        let at = &mut *problems.field("spec");
        parent_ref::parents(&spec.parent_refs, spec.use_default_gateways.as_ref(), at);
        route::hostnames(&spec.hostnames, 0..=16, at);
        let rules = at.list("rules", &spec.rules, 1..=16, "LIM-11", rule);
        route::match_count(rules.iter().map(|rule| rule.matches.len()), "VAL-HR-01", at);
        route::rule_names(rules, |rule| rule.name.as_deref(), at);
    }

    fn status_problems(&self, at: &mut Problems) {
        status::route(&self.status, at);
    }
}

fn rule(rule: &HttpRouteRule, at: &mut Problems) {
    at.optional_text("name", rule.name.as_deref(), &pattern::PRECISE);
    at.list("matches", &rule.matches, 0..=64, "LIM-12", http_match::http_match);
    http_filter::filters(&rule.filters, at);
    let backends = at.list("backendRefs", &rule.backend_refs, 0..=16, "LIM-14", backend);
    if let Some(timeouts) = &rule.timeouts {
        self::timeouts(timeouts, &mut at.field("timeouts"));
    }
    if let Some(retry) = &rule.retry {
        self::retry(retry, &mut at.field("retry"));
    }
    if let Some(session) = &rule.session_persistence {
        session_persistence::session_persistence(session, &mut at.field("sessionPersistence"));
    }
    if !backends.is_empty()
        && let Some(index) = rule.filters.iter().position(|filter| filter.request_redirect.is_some())
    {
        at.field("filters").index(index).report(
            "VAL-HR-03",
            "answers with a redirect, so that no request reaches the backends; drop it or backendRefs",
        );
    }
    prefix_replacement(rule, backends, at);
}

fn backend(backend: &HttpBackendRef, at: &mut Problems) {
    reference::weighted_backend(backend.into(), backend.weight, at);
    http_filter::filters(&backend.filters, at);
}

/// # Spec
/// VAL-HR-08; a request timeout of zero is no limit.
fn timeouts(timeouts: &HttpRouteTimeouts, at: &mut Problems) {
    let HttpRouteTimeouts { request, backend_request } = timeouts;
    at.optional_text("request", request.as_deref(), &pattern::DURATION);
    at.optional_text("backendRequest", backend_request.as_deref(), &pattern::DURATION);
    let parsed = |text: &Option<String>| text.as_deref().and_then(|text| duration::parse(text).ok());
    if let (Some(request), Some(backend_request)) = (parsed(request), parsed(backend_request))
        && !request.is_zero()
        && backend_request > request
    {
        at.field("backendRequest").report(
            "VAL-HR-08",
            "is longer than request, within which every request to a backend happens; \
             make it shorter, or request longer, or 0s",
        );
    }
}

/// # Spec
/// VAL-ST-02, VAL-ST-06.
fn retry(retry: &HttpRouteRetry, at: &mut Problems) {
    const CODES: std::ops::RangeInclusive<u16> = 400..=599;
    let mut seen = [false; 200];
    at.each("codes", &retry.codes, |code, at| {
        if !CODES.contains(code) {
            at.report("VAL-ST-06", format!("is {code}; 400 to 599 are allowed"));
        } else if std::mem::replace(&mut seen[usize::from(code - CODES.start())], true) {
            at.report("VAL-ST-02", format!("{code} is in the list already; each may be there once"));
        }
    });
    at.number("attempts", retry.attempts, 0..=i32::MAX);
    at.optional_text("backoff", retry.backoff.as_deref(), &pattern::DURATION);
}

/// Replacing the matched prefix needs a match that has one, and only one of those.
///
/// An API server asks this only if exactly one filter of the list, and exactly one backend, replaces a prefix. A path
/// type that is not known is not refused here: it has a condition of its own.
///
/// # Spec
/// VAL-HR-04 to VAL-HR-07.
fn prefix_replacement(rule: &HttpRouteRule, backends: &[HttpBackendRef], at: &mut Problems) {
    type Replaces = fn(&HttpRouteFilter) -> bool;
    let of_redirect: Replaces = |filter| {
        filter.request_redirect.as_ref().and_then(|redirect| redirect.path.as_ref()).is_some_and(|path| {
            path.r#type == HttpPathModifierType::ReplacePrefixMatch && path.replace_prefix_match.is_some()
        })
    };
    let of_rewrite: Replaces = |filter| {
        filter.url_rewrite.as_ref().and_then(|rewrite| rewrite.path.as_ref()).is_some_and(|path| {
            path.r#type == HttpPathModifierType::ReplacePrefixMatch && path.replace_prefix_match.is_some()
        })
    };
    if has_one_prefix(&rule.matches) {
        return;
    }
    for (replaces, of_rule, of_backend) in
        [(of_redirect, "VAL-HR-04", "VAL-HR-06"), (of_rewrite, "VAL-HR-05", "VAL-HR-07")]
    {
        let wrong =
            "replaces the prefix that matched, so the rule must have exactly one match, of type PathPrefix";
        if let Some(index) = only(&rule.filters, replaces) {
            at.field("filters").index(index).report(of_rule, wrong);
        }
        if let Some(index) = only(backends, |backend| only(&backend.filters, replaces).is_some()) {
            at.field("backendRefs").index(index).field("filters").report(of_backend, wrong);
        }
    }
}

fn has_one_prefix(matches: &[HttpRouteMatch]) -> bool {
    match matches {
        [only] => match &only.path.r#type {
            PathMatchType::PathPrefix | PathMatchType::Unknown(_) => true,
            PathMatchType::Exact | PathMatchType::RegularExpression => false,
        },
        [] | [_, _, ..] => false,
    }
}

/// Where the only entry for which something holds is.
fn only<T>(entries: &[T], holds: impl Fn(&T) -> bool) -> Option<usize> {
    let mut found = entries.iter().enumerate().filter(|(_, entry)| holds(entry)).map(|(index, _)| index);
    found.next().filter(|_| found.next().is_none())
}

impl<'a> From<&'a HttpBackendRef> for BackendParts<'a> {
    fn from(reference: &'a HttpBackendRef) -> Self {
        let HttpBackendRef { group, kind, name, namespace, port, weight: _, filters: _ } = reference;
        Self { group, kind, name, namespace: namespace.as_deref(), port: *port }
    }
}
