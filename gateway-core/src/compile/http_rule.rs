//! One rule of an HTTPRoute: its matches, filters, backends, timeouts and retries, made ready or found wanting.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, Method, StatusCode};

use super::backend_ref::{BackendReference, Backends, RefProblem};
use super::http_filter::{Extensions, FilterLevel, FilterProblems, RuleProblem, filters};
use super::patterns::Patterns;
use crate::api::{
    HeaderMatchType, HttpHeaderMatch, HttpMethod, HttpPathMatch, HttpQueryParamMatch, HttpRouteMatch,
    HttpRouteRetry, HttpRouteRule, HttpRouteTimeouts, PathMatchType, QueryParamMatchType,
};
use crate::condition::Reason;
use crate::duration;
use crate::filter::HttpFilter;
use crate::matching::{Conditions, HeaderMatch, HttpMatch, PathMatch, QueryParamMatch, ValueMatch};
use crate::name::{ObjectName, RouteKind};
use crate::rule::{self, BackendRef, BackendTarget, HttpRule, Retry, RuleName, Timeouts};

/// A rule as it is served, and what is wrong with it.
#[derive(Debug)]
pub struct AttachedHttpRule {
    /// The match entries; none for a rule that is dropped.
    pub matches: Box<[HttpMatch]>,
    /// What follows when one of them matches.
    pub rule: HttpRule,
    /// Why the rule is invalid; empty for a valid one.
    pub problems: Vec<RuleProblem>,
    /// Which of its references lead nowhere.
    pub ref_problems: Vec<RefProblem>,
    /// What is accepted and has no effect.
    pub ignored: Vec<&'static str>,
}

/// Makes a rule ready.
///
/// A rule with a match that cannot be carried out is dropped: it matches nothing. A rule with a filter that cannot be
/// carried out keeps its matches, and its requests fail.
///
/// # Spec
/// RTE-17 to RTE-22, RTE-30, FLT-05; the choices are AMB-54, AMB-62 and AMB-63.
pub(crate) fn http_rule<'r>(
    route: &Arc<ObjectName>,
    namespace: &'r str,
    index: usize,
    written: &'r HttpRouteRule,
    backends: &mut Backends<'r>,
    extensions: Option<&dyn Extensions>,
    patterns: &mut Patterns<'r>,
) -> AttachedHttpRule {
    let mut problems = Vec::new();
    let mut matches = Vec::with_capacity(written.matches.len().max(1));
    for (entry, written) in written.matches.iter().enumerate() {
        match http_match(written, patterns) {
            Ok(made) => matches.push(made),
            Err((field, message)) => problems.push(RuleProblem {
                reason: Reason::UnsupportedValue,
                field: format!("matches[{entry}].{field}"),
                message,
            }),
        }
    }
    // An explicitly empty list is no condition at all: HRM-03.
    if written.matches.is_empty() {
        matches.push(HttpMatch::default());
    }
    let times = (timeouts(written.timeouts.as_ref()), retry(written.retry.as_deref()));
    let (timeouts, retry) = match times {
        (Ok(timeouts), Ok(retry)) => (timeouts, retry),
        (timeouts, retry) => {
            problems.extend(timeouts.as_ref().err().cloned());
            problems.extend(retry.as_ref().err().cloned());
            (timeouts.unwrap_or_default(), retry.unwrap_or_default())
        }
    };
    if !problems.is_empty() {
        matches.clear();
    }

    let mut filter_problems = FilterProblems::default();
    let filters_of_rule =
        filters(&written.filters, FilterLevel::Rule, namespace, backends, extensions, &mut filter_problems);
    check_prefix_modifiers(&filters_of_rule, &matches, &mut filter_problems);
    let (refs, of_backends): (Vec<BackendRef>, Vec<_>) = written
        .backend_refs
        .iter()
        .enumerate()
        .map(|(position, written)| {
            let reference = BackendReference {
                group: &written.group,
                kind: &written.kind,
                namespace: written.namespace.as_deref(),
                name: &written.name,
                port: written.port,
            };
            let target = match backends.resolve(RouteKind::Http, namespace, reference) {
                Ok(backend) => BackendTarget::Backend(backend),
                Err(problem) => {
                    filter_problems.refs.push(problem);
                    BackendTarget::Unresolved
                }
            };
            let mut of_backend = FilterProblems::default();
            let level = FilterLevel::Backend;
            let filters = filters(&written.filters, level, namespace, backends, extensions, &mut of_backend);
            check_prefix_modifiers(&filters, &matches, &mut of_backend);
            let below = |problem: RuleProblem| RuleProblem {
                field: format!("backendRefs[{position}].{}", problem.field),
                ..problem
            };
            filter_problems.rule.extend(of_backend.rule.into_iter().map(below));
            filter_problems.refs.extend(of_backend.refs);
            (BackendRef { target, weight: u32::try_from(written.weight).unwrap_or(0) }, filters)
        })
        .unzip();
    let any_filters = of_backends.iter().any(|filters| !filters.is_empty());
    problems.extend(filter_problems.rule);

    let id =
        RuleName { route: route.clone(), index: index as u16, name: written.name.as_deref().map(Into::into) };
    AttachedHttpRule {
        matches: matches.into(),
        rule: HttpRule {
            id,
            filters: filters_of_rule,
            backends: rule::Backends::new(refs),
            backend_filters: if any_filters { of_backends.into() } else { Box::default() },
            timeouts,
            retry: retry.map(Box::new),
        },
        problems,
        ref_problems: filter_problems.refs,
        ignored: written.session_persistence.iter().map(|_| "sessionPersistence").collect(),
    }
}

/// Replacing a matched prefix needs a prefix to have matched. The schema sees to that for one filter and one match;
/// a list that it lets through all the same is refused here.
///
/// # Spec
/// FRD-08, FRW-04.
fn check_prefix_modifiers(filters: &[HttpFilter], matches: &[HttpMatch], problems: &mut FilterProblems) {
    let of_filter = |filter: &HttpFilter| match filter {
        HttpFilter::RequestRedirect(redirect) => redirect.path.clone(),
        HttpFilter::UrlRewrite(rewrite) => rewrite.path.clone(),
        HttpFilter::RequestHeaderModifier(_)
        | HttpFilter::ResponseHeaderModifier(_)
        | HttpFilter::RequestMirror(_)
        | HttpFilter::Cors(_)
        | HttpFilter::Extension(_)
        | HttpFilter::Unresolved => None,
    };
    for (index, filter) in filters.iter().enumerate() {
        let Some(modifier) = of_filter(filter) else { continue };
        if matches.iter().any(|entry| !modifier.applies_to(entry.path.matched())) {
            problems.rule.push(RuleProblem {
                reason: Reason::UnsupportedValue,
                field: format!("filters[{index}]"),
                message: "ReplacePrefixMatch needs every match of the rule to have a path of type PathPrefix"
                    .to_owned(),
            });
        }
    }
}

type FieldProblem = (&'static str, String);

fn http_match<'r>(
    written: &'r HttpRouteMatch,
    patterns: &mut Patterns<'r>,
) -> Result<HttpMatch, FieldProblem> {
    let method = match &written.method {
        None => None,
        Some(HttpMethod::Unknown(method)) => {
            return Err((
                "method",
                format!("{method:?} is not a method; write one of {}", HttpMethod::KNOWN.join(", ")),
            ));
        }
        Some(method) => {
            Method::from_bytes(method.as_str().as_bytes()).map(Some).map_err(|e| ("method", e.to_string()))?
        }
    };
    let path = path_match(&written.path, patterns).map_err(|message| ("path", message))?;
    let conditions = if method.is_none() && written.headers.is_empty() && written.query_params.is_empty() {
        Conditions::default()
    } else {
        let headers: Result<Vec<_>, _> =
            written.headers.iter().map(|header| header_match(header, patterns)).collect();
        let query_params: Result<Vec<_>, _> =
            written.query_params.iter().map(|param| query_param_match(param, patterns)).collect();
        Conditions::new(
            method,
            headers.map_err(|message| ("headers", message))?,
            query_params.map_err(|message| ("queryParams", message))?,
        )
    };
    Ok(HttpMatch { path, conditions })
}

fn path_match<'r>(written: &'r HttpPathMatch, patterns: &mut Patterns<'r>) -> Result<PathMatch, String> {
    match &written.r#type {
        PathMatchType::Exact => Ok(PathMatch::exact(&written.value)),
        PathMatchType::PathPrefix => Ok(PathMatch::prefix(&written.value)),
        PathMatchType::RegularExpression => patterns.compile(&written.value).map(PathMatch::Regex),
        PathMatchType::Unknown(unknown) => Err(unknown_type(unknown, PathMatchType::KNOWN)),
    }
}

fn header_match<'r>(
    written: &'r HttpHeaderMatch,
    patterns: &mut Patterns<'r>,
) -> Result<HeaderMatch, String> {
    let name = HeaderName::from_bytes(written.name.as_bytes())
        .map_err(|_| format!("{:?} is not a header name", written.name))?;
    let value = match &written.r#type {
        HeaderMatchType::Exact => ValueMatch::exact(&written.value),
        HeaderMatchType::RegularExpression => ValueMatch::Regex(patterns.compile(&written.value)?),
        HeaderMatchType::Unknown(unknown) => return Err(unknown_type(unknown, HeaderMatchType::KNOWN)),
    };
    Ok(HeaderMatch { name, value })
}

fn query_param_match<'r>(
    written: &'r HttpQueryParamMatch,
    patterns: &mut Patterns<'r>,
) -> Result<QueryParamMatch, String> {
    let value = match &written.r#type {
        QueryParamMatchType::Exact => ValueMatch::exact(&written.value),
        QueryParamMatchType::RegularExpression => ValueMatch::Regex(patterns.compile(&written.value)?),
        QueryParamMatchType::Unknown(unknown) => {
            return Err(unknown_type(unknown, QueryParamMatchType::KNOWN));
        }
    };
    Ok(QueryParamMatch { name: written.name.as_str().into(), value })
}

fn unknown_type(unknown: &str, known: &[&str]) -> String {
    format!("{unknown:?} is not a type of match; write one of {}", known.join(", "))
}

fn timeouts(written: Option<&HttpRouteTimeouts>) -> Result<Timeouts, RuleProblem> {
    let Some(written) = written else { return Ok(Timeouts::default()) };
    Ok(Timeouts {
        request: time("timeouts.request", written.request.as_deref())?.filter(|limit| !limit.is_zero()),
        backend_request: time("timeouts.backendRequest", written.backend_request.as_deref())?
            .filter(|limit| !limit.is_zero()),
    })
}

fn retry(written: Option<&HttpRouteRetry>) -> Result<Option<Retry>, RuleProblem> {
    let Some(written) = written else { return Ok(None) };
    let codes = written.codes.iter().filter_map(|code| StatusCode::from_u16(*code).ok()).collect();
    let attempts = written.attempts.and_then(|attempts| u32::try_from(attempts).ok());
    let attempts = attempts.map_or(Retry::DEFAULT_ATTEMPTS, |attempts| attempts.min(Retry::MAX_ATTEMPTS));
    let backoff = time("retry.backoff", written.backoff.as_deref())?.unwrap_or(Retry::DEFAULT_BACKOFF);
    Ok(Some(Retry { codes, attempts, backoff }))
}

fn time(field: &str, written: Option<&str>) -> Result<Option<Duration>, RuleProblem> {
    let parsed = written.map(duration::parse).transpose();
    parsed.map_err(|error| RuleProblem {
        reason: Reason::UnsupportedValue,
        field: field.to_owned(),
        message: error.to_string(),
    })
}
