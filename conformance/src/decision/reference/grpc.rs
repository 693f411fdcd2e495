//! GRPCRoutes among the routes that serve requests ([GRP-01](gateway_core::spec#GRP-01)), and the answers that are no HTTP.

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
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};

use super::super::{Effect, Reply, headers};
use super::matching;
use super::request::Seen;
use super::route::RequestRoute;
use super::{Pattern, pattern};

/// The status codes of gRPC that the gateway answers with.
const UNKNOWN: &str = "2";
const PERMISSION_DENIED: &str = "7";
const RESOURCE_EXHAUSTED: &str = "8";
const UNIMPLEMENTED: &str = "12";
const INTERNAL: &str = "13";
const UNAVAILABLE: &str = "14";
const UNAUTHENTICATED: &str = "16";

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

    /// [GRP-02](gateway_core::spec#GRP-02): an empty list of matches is one that matches every call.
    fn entries(rule: &GrpcRouteRule) -> Vec<GrpcRouteMatch> {
        if rule.matches.is_empty() { vec![GrpcRouteMatch::default()] } else { rule.matches.clone() }
    }

    fn is_valid(entry: &GrpcRouteMatch) -> bool {
        is_valid(entry)
    }

    fn matches(entry: &GrpcRouteMatch, seen: &Seen) -> bool {
        matches(entry, seen)
    }

    /// [GRP-07](gateway_core::spec#GRP-07): the most specific one.
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
        session_persistence: rule.session_persistence.clone(),
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
        ..HttpRouteFilter::new(r#type)
    }
}

/// Why a request that a rule serves is not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// A filter cannot be carried out.
    Filter,
    /// There is none that has a weight.
    NoBackend,
    /// The one that was picked leads nowhere.
    InvalidBackend,
    /// It has no endpoint that could answer.
    NoEndpoints,
    /// [FEA-01](gateway_core::spec#FEA-01): whether it may pass is not known.
    NotAuthorized,
    /// [FEA-08](gateway_core::spec#FEA-08), [CON-13](gateway_core::choices#CON-13): its body is too long for that to be found
    /// out.
    BodyTooLong,
}

impl Failure {
    /// The status of HTTP.
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::Filter | Self::NoBackend | Self::InvalidBackend => StatusCode::INTERNAL_SERVER_ERROR,
            Self::NoEndpoints | Self::NotAuthorized => StatusCode::SERVICE_UNAVAILABLE,
            Self::BodyTooLong => StatusCode::PAYLOAD_TOO_LARGE,
        }
    }
}

/// The answer to a request that no rule serves. GRP-10, AMB-64: a call gets one of gRPC instead of 404.
pub(super) fn refused(status: StatusCode, request: &Request<()>) -> Effect {
    // PRF-07: a filter of the listener that cannot be carried out is 500 before any rule is looked for.
    let is_broken = matches!(status, StatusCode::BAD_REQUEST | StatusCode::INTERNAL_SERVER_ERROR);
    let code = if is_broken { INTERNAL } else { UNIMPLEMENTED };
    let (status, map) = match answer_to_call(code, request) {
        Some(map) => (StatusCode::OK, map),
        None => (status, HeaderMap::new()),
    };
    Effect::Answered(Reply { status, headers: headers(&map) })
}

/// The status and the headers of the answer to a request whose rule cannot be carried out.
///
/// HRB-10, HRB-11, HRB-13, AMB-20, FLT-05: 500. HRB-12: no endpoints: 503.
///
/// AMB-64, GRP-11, GRP-12, GRP-15: to a call it is UNIMPLEMENTED where there is no backend, UNAVAILABLE where there is one that
/// cannot be used, and INTERNAL where it is about a filter.
pub(super) fn failed(failure: Failure, request: &Request<()>) -> (StatusCode, HeaderMap) {
    let code = match failure {
        Failure::Filter => INTERNAL,
        Failure::NoBackend => UNIMPLEMENTED,
        Failure::InvalidBackend | Failure::NoEndpoints | Failure::NotAuthorized => UNAVAILABLE,
        Failure::BodyTooLong => RESOURCE_EXHAUSTED,
    };
    match answer_to_call(code, request) {
        Some(map) => (StatusCode::OK, map),
        None => (failure.status(), HeaderMap::new()),
    }
}

/// FEA-02: the status and the headers of an answer that denies, which to a call is its code.
pub(super) fn denied(
    status: StatusCode,
    mut map: HeaderMap,
    request: &Request<()>,
) -> (StatusCode, HeaderMap) {
    let code = match status.as_u16() {
        400 => INTERNAL,
        401 => UNAUTHENTICATED,
        403 => PERMISSION_DENIED,
        404 => UNIMPLEMENTED,
        429 | 502 | 503 | 504 => UNAVAILABLE,
        _ => UNKNOWN,
    };
    match answer_to_call(code, request) {
        Some(of_call) => {
            map.extend(of_call);
            (StatusCode::OK, map)
        }
        None => (status, map),
    }
}

/// AMB-40, AMB-64: whether the content type is one of gRPC: `application/grpc`, or that with a format, a parameter, or for
/// browsers.
pub(super) fn is_call(headers: &HeaderMap) -> bool {
    static CALL: Pattern = pattern!("(?i)^application/grpc($|[-+; ])");
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|content_type| CALL.is_match(content_type))
}

/// AMB-64: the headers of an answer to a call, which is a POST and has the content type of the call. All else is answered as HTTP.
fn answer_to_call(code: &'static str, request: &Request<()>) -> Option<HeaderMap> {
    let content_type = request.headers().get(header::CONTENT_TYPE)?.clone();
    let is_call = is_call(request.headers()) && *request.method() == Method::POST;
    is_call.then(|| {
        HeaderMap::from_iter([
            (header::CONTENT_TYPE, content_type),
            (header::HeaderName::from_static("grpc-status"), HeaderValue::from_static(code)),
        ])
    })
}
