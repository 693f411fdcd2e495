//! GRPCRoutes among the routes that serve requests (GRP-01), and the answers that are no HTTP.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use gateway_core::api::{
    GrpcMethodMatch, GrpcMethodMatchType, GrpcRoute, GrpcRouteFilter, GrpcRouteFilterType, GrpcRouteMatch,
    GrpcRouteRule, HttpBackendRef, HttpHeaderMatch, HttpRouteFilter, HttpRouteFilterType, HttpRouteMatch,
    HttpRouteRule, ObjectMeta, ParentReference, Resources,
};
use gateway_core::name::ObjectName;
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};

use super::super::{Effect, Reply, headers};
use super::matching;
use super::request::Seen;
use super::route::RequestRoute;

/// The status codes of gRPC that the gateway answers with.
const UNIMPLEMENTED: &str = "12";
const UNAVAILABLE: &str = "14";

impl RequestRoute for GrpcRoute {
    const KIND: &'static str = "GRPCRoute";
    type Rule = GrpcRouteRule;
    type Entry = GrpcRouteMatch;

    fn all(resources: &Resources) -> &BTreeMap<ObjectName, Arc<Self>> {
        &resources.grpc_routes
    }

    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn parents(&self) -> &[ParentReference] {
        &self.spec.parent_refs
    }

    fn hostnames(&self) -> &[String] {
        &self.spec.hostnames
    }

    fn rules(&self) -> &[GrpcRouteRule] {
        &self.spec.rules
    }

    /// GRP-02: an empty list of matches is one that matches every call.
    fn entries(rule: &GrpcRouteRule) -> Vec<GrpcRouteMatch> {
        if rule.matches.is_empty() { vec![GrpcRouteMatch::default()] } else { rule.matches.clone() }
    }

    fn is_valid(entry: &GrpcRouteMatch) -> bool {
        is_valid(entry)
    }

    fn matches(entry: &GrpcRouteMatch, seen: &Seen) -> bool {
        matches(entry, seen)
    }

    /// GRP-07: the most specific one.
    fn compare(a: &GrpcRouteMatch, b: &GrpcRouteMatch) -> Ordering {
        specificity(b).cmp(&specificity(a))
    }

    fn as_http(rule: &GrpcRouteRule) -> Cow<'_, HttpRouteRule> {
        Cow::Owned(as_http(rule))
    }

    fn entry_as_http(entry: GrpcRouteMatch) -> HttpRouteMatch {
        headers_of(&entry)
    }
}

/// GRP-04: an empty text is nothing.
fn written(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !text.is_empty())
}

fn is_valid(entry: &GrpcRouteMatch) -> bool {
    let method = entry.method.as_ref().is_none_or(|method| match method.r#type {
        GrpcMethodMatchType::Exact => true,
        GrpcMethodMatchType::RegularExpression => {
            [&method.service, &method.method].into_iter().filter_map(written).all(matching::is_expression)
        }
        GrpcMethodMatchType::Unknown(_) => false,
    });
    method && matching::is_valid(&headers_of(entry))
}

/// GRP-03, GRP-06: method and headers, all of them.
fn matches(entry: &GrpcRouteMatch, seen: &Seen) -> bool {
    // The path of a call is `/service/method`.
    let Some((service, method)) = seen.path.strip_prefix('/').and_then(|path| path.split_once('/')) else {
        return false;
    };
    let method_matches = entry.method.as_ref().is_none_or(|wanted| {
        part_matches(wanted, &wanted.service, service) && part_matches(wanted, &wanted.method, method)
    });
    method_matches && matching::matches(&headers_of(entry), seen)
}

/// GRP-03: exactly this text, with regard to case; what is not written is any.
fn part_matches(wanted: &GrpcMethodMatch, part: &Option<String>, given: &str) -> bool {
    written(part).is_none_or(|part| match wanted.r#type {
        GrpcMethodMatchType::Exact => part == given,
        GrpcMethodMatchType::RegularExpression => matching::is_whole(part, given.as_bytes()),
        GrpcMethodMatchType::Unknown(_) => false,
    })
}

/// GRP-07: (3) the characters of the service, (4) those of the method, (5) the number of headers.
fn specificity(entry: &GrpcRouteMatch) -> (usize, usize, usize) {
    let length = |part: Option<&str>| part.map_or(0, |part| part.chars().count());
    let method = entry.method.as_ref();
    (
        length(method.and_then(|method| written(&method.service))),
        length(method.and_then(|method| written(&method.method))),
        matching::headers(&headers_of(entry)).len(),
    )
}

/// The headers of an entry as those of an HTTPRoute that takes every path.
fn headers_of(entry: &GrpcRouteMatch) -> HttpRouteMatch {
    let header = |header: &gateway_core::api::GrpcHeaderMatch| HttpHeaderMatch {
        r#type: header.r#type.clone(),
        name: header.name.clone(),
        value: header.value.clone(),
    };
    HttpRouteMatch { headers: entry.headers.iter().map(header).collect(), ..HttpRouteMatch::default() }
}

/// GRP-14, GRP-17: the rest of a rule is written as in an HTTPRoute, with fewer filters.
fn as_http(rule: &GrpcRouteRule) -> HttpRouteRule {
    let backend = |backend: &gateway_core::api::GrpcBackendRef| HttpBackendRef {
        group: backend.group.as_str().into(),
        kind: backend.kind.as_str().into(),
        name: backend.name.as_str().into(),
        namespace: backend.namespace.as_deref().map(Into::into),
        port: backend.port,
        weight: backend.weight,
        filters: backend.filters.iter().map(filter).collect(),
    };
    HttpRouteRule {
        name: rule.name.clone(),
        matches: Vec::new(),
        filters: rule.filters.iter().map(filter).collect(),
        backend_refs: rule.backend_refs.iter().map(backend).collect(),
        timeouts: None,
        retry: None,
        session_persistence: None,
    }
}

fn filter(filter: &GrpcRouteFilter) -> HttpRouteFilter {
    let r#type = match &filter.r#type {
        GrpcRouteFilterType::RequestHeaderModifier => HttpRouteFilterType::RequestHeaderModifier,
        GrpcRouteFilterType::ResponseHeaderModifier => HttpRouteFilterType::ResponseHeaderModifier,
        GrpcRouteFilterType::RequestMirror => HttpRouteFilterType::RequestMirror,
        GrpcRouteFilterType::ExtensionRef => HttpRouteFilterType::ExtensionRef,
        GrpcRouteFilterType::Unknown(text) => HttpRouteFilterType::Unknown(text.clone()),
    };
    HttpRouteFilter {
        request_header_modifier: filter.request_header_modifier.clone(),
        response_header_modifier: filter.response_header_modifier.clone(),
        request_mirror: filter.request_mirror.clone(),
        extension_ref: filter.extension_ref.clone(),
        ..HttpRouteFilter::of(r#type)
    }
}

/// The answer to a request that no rule serves. GRP-10, AMB-64: a call gets an answer of gRPC instead of 404.
pub(super) fn refused(status: StatusCode, request: &Request<()>) -> Effect {
    let content_type = request.headers().get(header::CONTENT_TYPE);
    let is_grpc = content_type.is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"));
    if is_grpc && status == StatusCode::NOT_FOUND {
        return answered(UNIMPLEMENTED);
    }
    Effect::Answered(Reply { status, headers: headers(&HeaderMap::new()) })
}

/// The answer to a call whose rule has no backend for it: GRP-11, GRP-12; GRP-15, where a filter cannot be carried out.
pub(super) fn failed(without_backends: bool) -> Effect {
    answered(if without_backends { UNIMPLEMENTED } else { UNAVAILABLE })
}

/// AMB-64: 200, and the status of gRPC among the headers.
fn answered(status: &'static str) -> Effect {
    let map = HeaderMap::from_iter([
        (header::CONTENT_TYPE, HeaderValue::from_static("application/grpc")),
        (header::HeaderName::from_static("grpc-status"), HeaderValue::from_static(status)),
    ]);
    Effect::Answered(Reply { status: StatusCode::OK, headers: headers(&map) })
}
