//! GRPCRoute.

use super::header_modifier::header_modifier;
use super::http_filter::{member, request_mirror};
use super::parent_ref;
use super::pattern;
use super::problem::Problems;
use super::reference::{self, BackendParts};
use super::route;
use super::session_persistence;
use super::status;
use super::valid::Validate;
use crate::api::{
    GrpcBackendRef, GrpcMethodMatch, GrpcMethodMatchType, GrpcRoute, GrpcRouteFilter,
    GrpcRouteFilterType as Type, GrpcRouteMatch, GrpcRouteRule,
};

/// # Spec
/// LIM-10 to LIM-14, VAL-GR-01, VAL-HR-02.
impl Validate for GrpcRoute {
    fn problems(&self, problems: &mut Problems) {
        let spec = &self.spec;
        let at = &mut *problems.field("spec");
        parent_ref::parents(&spec.parent_refs, spec.use_default_gateways.as_ref(), at);
        route::hostnames(&spec.hostnames, 0..=16, at);
        let rules = at.list("rules", &spec.rules, 0..=16, "LIM-11", rule);
        route::match_count(rules.iter().map(|rule| rule.matches.len()), "VAL-GR-01", at);
        route::rule_names(rules, |rule| rule.name.as_deref(), at);
    }

    fn status_problems(&self, at: &mut Problems) {
        status::route(&self.status, at);
    }
}

fn rule(rule: &GrpcRouteRule, at: &mut Problems) {
    at.optional_text("name", rule.name.as_deref(), &pattern::PRECISE);
    at.list("matches", &rule.matches, 0..=64, "LIM-12", grpc_match);
    filters(&rule.filters, at);
    at.list("backendRefs", &rule.backend_refs, 0..=16, "LIM-14", |backend, at| {
        reference::weighted_backend(backend.into(), backend.weight, at);
        filters(&backend.filters, at);
    });
    if let Some(session) = &rule.session_persistence {
        session_persistence::session_persistence(session, &mut at.field("sessionPersistence"));
    }
}

/// The values of headers have no pattern here, other than in HTTPRoute.
///
/// # Spec
/// LIM-13, LIM-16, VAL-ST-01.
fn grpc_match(entry: &GrpcRouteMatch, at: &mut Problems) {
    if let Some(method) = &entry.method {
        self::method(method, &mut at.field("method"));
    }
    let headers = at.list("headers", &entry.headers, 0..=16, "LIM-13", |header, at| {
        at.text("name", &header.name, &pattern::HEADER_NAME);
        at.length("value", &header.value, 1..=4096, "LIM-16");
    });
    at.unique("headers", headers, Some("name"), "VAL-ST-01", |header| header.name.as_str());
}

/// A type that is not known is not refused: it has a condition of its own (GEN-14).
///
/// # Spec
/// VAL-GR-02 to VAL-GR-04, LIM-16.
fn method(method: &GrpcMethodMatch, at: &mut Problems) {
    let GrpcMethodMatch { r#type, service, method } = method;
    if service.is_none() && method.is_none() {
        at.report(
            "VAL-GR-02",
            "has neither service nor method; write one of them, or drop the whole condition",
        );
    }
    for (name, text, pattern) in
        [("service", service, &pattern::GRPC_SERVICE), ("method", method, &pattern::GRPC_METHOD)]
    {
        let Some(text) = text else { continue };
        match r#type {
            GrpcMethodMatchType::Exact => at.text(name, text, pattern),
            GrpcMethodMatchType::RegularExpression | GrpcMethodMatchType::Unknown(_) => {
                at.length(name, text, 0..=pattern.max_length, "LIM-16");
            }
        }
    }
}

/// # Spec
/// LIM-14, VAL-GR-05, VAL-GR-06.
fn filters(filters: &[GrpcRouteFilter], at: &mut Problems) {
    let filters = at.list("filters", filters, 0..=16, "LIM-14", filter);
    for (rule, once) in
        [("VAL-GR-05", Type::RequestHeaderModifier), ("VAL-GR-06", Type::ResponseHeaderModifier)]
    {
        if filters.iter().filter(|filter| filter.r#type == once).count() > 1 {
            at.field("filters").report(
                rule,
                format!("have type {once} more than once; write it once, with everything in it"),
            );
        }
    }
}

/// # Spec
/// VAL-GR-07 to VAL-GR-14. A type that is not known is not refused: it has a condition of its own (FLT-09).
fn filter(filter: &GrpcRouteFilter, at: &mut Problems) {
    let GrpcRouteFilter {
        r#type,
        request_header_modifier,
        response_header_modifier,
        request_mirror: mirror,
        extension_ref,
    } = filter;
    let mut union = |name, of: Type, present: bool, not_absent, not_present| {
        member(name, of.as_str(), r#type == &of, present, not_absent, not_present, at);
    };
    if !matches!(r#type, Type::Unknown(_)) {
        let present = request_header_modifier.is_some();
        union("requestHeaderModifier", Type::RequestHeaderModifier, present, "VAL-GR-07", "VAL-GR-08");
        let present = response_header_modifier.is_some();
        union("responseHeaderModifier", Type::ResponseHeaderModifier, present, "VAL-GR-09", "VAL-GR-10");
        union("requestMirror", Type::RequestMirror, mirror.is_some(), "VAL-GR-11", "VAL-GR-12");
        union("extensionRef", Type::ExtensionRef, extension_ref.is_some(), "VAL-GR-13", "VAL-GR-14");
    }
    if let Some(modifier) = request_header_modifier {
        header_modifier(modifier, &mut at.field("requestHeaderModifier"));
    }
    if let Some(modifier) = response_header_modifier {
        header_modifier(modifier, &mut at.field("responseHeaderModifier"));
    }
    if let Some(mirror) = mirror {
        request_mirror(mirror, &mut at.field("requestMirror"));
    }
    if let Some(reference) = extension_ref {
        reference::local(reference, &mut at.field("extensionRef"));
    }
}

impl<'a> From<&'a GrpcBackendRef> for BackendParts<'a> {
    fn from(reference: &'a GrpcBackendRef) -> Self {
        let GrpcBackendRef { group, kind, name, namespace, port, weight: _, filters: _ } = reference;
        Self { group, kind, name, namespace: namespace.as_deref(), port: *port }
    }
}
