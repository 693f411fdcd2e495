//! GRPCRoutes.

use gateway_core::api::{
    GrpcBackendRef, GrpcHeaderMatch, GrpcMethodMatch, GrpcMethodMatchType, GrpcRoute, GrpcRouteFilter,
    GrpcRouteFilterType, GrpcRouteMatch, GrpcRouteRule, GrpcRouteSpec, HttpBackendRef, HttpHeaderMatch,
    HttpRoute, HttpRouteFilter, HttpRouteFilterType, HttpRouteRule, Resources,
};
use gateway_core::name::ObjectName;

use super::routes;
use super::source::Source;
use super::words::{GRPC_METHODS, GRPC_PATTERNS, GRPC_SERVICES};

pub(super) fn insert(source: &mut Source<'_>, resources: &mut Resources) {
    let parents = routes::parents(resources);
    for i in 0..source.below(4) {
        resources.insert(route(source, &parents, i).into());
    }
}

/// A GRPCRoute with all that it has in common with an HTTPRoute.
pub(super) fn route(source: &mut Source<'_>, parents: &[(&str, ObjectName)], number: usize) -> GrpcRoute {
    let HttpRoute { metadata, spec, .. } = routes::route(source, parents, number);
    let mut rules: Vec<_> = spec.rules.iter().map(|written| rule(source, written)).collect();
    // GRP-02: there may be none.
    if source.chance(5) {
        rules.clear();
    }
    let spec = GrpcRouteSpec {
        parent_refs: spec.parent_refs,
        hostnames: spec.hostnames,
        rules,
        ..GrpcRouteSpec::default()
    };
    GrpcRoute { metadata, spec, ..GrpcRoute::default() }
}

fn rule(source: &mut Source<'_>, written: &HttpRouteRule) -> GrpcRouteRule {
    let mut matches: Vec<_> =
        written.matches.iter().map(|entry| grpc_match(source, entry.headers.as_slice())).collect();
    if source.chance(15) {
        matches.clear();
    }
    GrpcRouteRule {
        matches,
        filters: written.filters.iter().filter_map(filter).collect(),
        backend_refs: written.backend_refs.iter().map(backend_ref).collect(),
        session_persistence: written.session_persistence.clone(),
        ..GrpcRouteRule::default()
    }
}

fn grpc_match(source: &mut Source<'_>, headers: &[HttpHeaderMatch]) -> GrpcRouteMatch {
    let header = |header: &HttpHeaderMatch| GrpcHeaderMatch {
        r#type: header.r#type.clone(),
        name: header.name.clone(),
        value: header.value.clone(),
    };
    GrpcRouteMatch { method: source.some(85, method), headers: headers.iter().map(header).collect() }
}

fn method(source: &mut Source<'_>) -> GrpcMethodMatch {
    use GrpcMethodMatchType::{Exact, RegularExpression, Unknown};
    let r#type = match source.below(10) {
        0..6 => Exact,
        _ if source.chance(1) => Unknown("Glob".into()),
        _ => RegularExpression,
    };
    let mut part = |exact: &[&str]| {
        let of = if r#type == Exact { exact } else { &GRPC_PATTERNS[..] };
        source.some(70, |source| source.one(of).to_owned())
    };
    let (service, method) = (part(&GRPC_SERVICES), part(&GRPC_METHODS));
    // VAL-GR-02
    let service =
        if service.is_none() && method.is_none() { Some(GRPC_SERVICES[0].to_owned()) } else { service };
    GrpcMethodMatch { r#type, service, method }
}

/// The filter, if GRPCRoutes have its type.
fn filter(written: &HttpRouteFilter) -> Option<GrpcRouteFilter> {
    let r#type = match &written.r#type {
        HttpRouteFilterType::RequestHeaderModifier => GrpcRouteFilterType::RequestHeaderModifier,
        HttpRouteFilterType::ResponseHeaderModifier => GrpcRouteFilterType::ResponseHeaderModifier,
        HttpRouteFilterType::RequestMirror => GrpcRouteFilterType::RequestMirror,
        HttpRouteFilterType::ExtensionRef => GrpcRouteFilterType::ExtensionRef,
        HttpRouteFilterType::Unknown(text) => GrpcRouteFilterType::Unknown(text.clone()),
        HttpRouteFilterType::RequestRedirect
        | HttpRouteFilterType::UrlRewrite
        | HttpRouteFilterType::Cors
        | HttpRouteFilterType::ExternalAuth => return None,
    };
    Some(GrpcRouteFilter {
        r#type,
        request_header_modifier: written.request_header_modifier.clone(),
        response_header_modifier: written.response_header_modifier.clone(),
        request_mirror: written.request_mirror.clone(),
        extension_ref: written.extension_ref.clone(),
    })
}

fn backend_ref(written: &HttpBackendRef) -> GrpcBackendRef {
    let HttpBackendRef { group, kind, name, namespace, port, weight, filters } = written.clone();
    GrpcBackendRef {
        group: group.into(),
        kind: kind.into(),
        name: name.into(),
        namespace: namespace.map(Into::into),
        port,
        weight,
        filters: filters.iter().filter_map(filter).collect(),
    }
}
