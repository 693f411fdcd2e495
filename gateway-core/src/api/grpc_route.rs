//! GRPCRoute: which gRPC calls go where.

use serde::{Deserialize, Serialize};

use super::field::*;
use super::http_filter::{HttpHeaderFilter, HttpRequestMirrorFilter};
use super::http_route::HeaderMatchType;
use super::meta::ObjectMeta;
use super::reference::{LocalObjectReference, ParentReference};
use super::route::{GatewayDefaultScope, RouteStatus};
use super::session_persistence::SessionPersistence;

/// A set of rules for gRPC calls.
///
/// # Spec
/// `GRPCRoute` in `grpcroute_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GrpcRoute {
    /// Name, namespace, labels and the like.
    pub metadata: ObjectMeta,
    /// What is wanted.
    pub spec: GrpcRouteSpec,
    /// What each controller says about it.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "RouteStatus::is_empty")]
    pub status: RouteStatus,
}

/// What is wanted of a GRPCRoute.
///
/// # Spec
/// `GRPCRouteSpec` in `grpcroute_types.go`, with `CommonRouteSpec`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GrpcRouteSpec {
    /// The parents to attach to, at most 32.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub parent_refs: Vec<ParentReference>,
    /// Which default Gateways to attach to as well (experimental).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub use_default_gateways: Option<GatewayDefaultScope>,
    /// The hostnames to take calls for, at most 16; those of the listener when empty.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub hostnames: Vec<String>,
    /// The rules, at most 16. Unlike an HTTPRoute's they have no default: a GRPCRoute without rules takes no call.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<GrpcRouteRule>,
}

/// Conditions on a call, and what happens to a call that meets them.
///
/// # Spec
/// `GRPCRouteRule` in `grpcroute_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GrpcRouteRule {
    /// The name, unique in the Route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Alternatives: one of them must match; every call when empty.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub matches: Vec<GrpcRouteMatch>,
    /// What is done to call and answer, at most 16.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<GrpcRouteFilter>,
    /// Where the call goes, at most 16.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub backend_refs: Vec<GrpcBackendRef>,
    /// How the calls of a session stay together (experimental).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_persistence: Option<Box<SessionPersistence>>,
}

/// Conditions on a call; all of them must hold.
///
/// # Spec
/// `GRPCRouteMatch` in `grpcroute_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GrpcRouteMatch {
    /// On service and method; every one when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<GrpcMethodMatch>,
    /// On headers, at most 16.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<GrpcHeaderMatch>,
}

/// A condition on service and method; at least one of the two is needed.
///
/// # Spec
/// `GRPCMethodMatch` in `grpcroute_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GrpcMethodMatch {
    /// How the values are compared; `Exact` when absent.
    #[serde(default, deserialize_with = "or_default")]
    pub r#type: GrpcMethodMatchType,
    /// The service, as `package.Service`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
}

written_enum! {
    /// How service and method are compared.
    ///
    /// # Spec
    /// `GRPCMethodMatchType` in `grpcroute_types.go`.
    #[derive(Default)]
    pub enum GrpcMethodMatchType {
        /// The whole value.
        #[default]
        Exact = "Exact",
        /// A regular expression.
        RegularExpression = "RegularExpression",
    }
}

/// A condition on a header.
///
/// # Spec
/// `GRPCHeaderMatch` in `grpcroute_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GrpcHeaderMatch {
    /// How `value` is compared; `Exact` when absent.
    #[serde(default, deserialize_with = "or_default")]
    pub r#type: HeaderMatchType,
    /// The name of the header, in any case.
    pub name: String,
    /// What the header's value is compared with.
    pub value: String,
}

/// What is done to a call or its answer. It keeps the shape that it is written in.
///
/// # Spec
/// `GRPCRouteFilter` in `grpcroute_types.go`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GrpcRouteFilter {
    /// Which of the members holds.
    pub r#type: GrpcRouteFilterType,
    /// Changes the headers of the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_header_modifier: Option<Box<HttpHeaderFilter>>,
    /// Changes the headers of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_header_modifier: Option<Box<HttpHeaderFilter>>,
    /// Sends a copy of the call elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_mirror: Option<Box<HttpRequestMirrorFilter>>,
    /// Does what an implementation defines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extension_ref: Option<Box<LocalObjectReference>>,
}

written_enum! {
    /// What a filter of a GRPCRoute does.
    ///
    /// # Spec
    /// `GRPCRouteFilterType` in `grpcroute_types.go`.
    pub enum GrpcRouteFilterType {
        /// Changes the headers of the call.
        RequestHeaderModifier = "RequestHeaderModifier",
        /// Changes the headers of the answer.
        ResponseHeaderModifier = "ResponseHeaderModifier",
        /// Sends a copy of the call elsewhere.
        RequestMirror = "RequestMirror",
        /// Does what an implementation defines.
        ExtensionRef = "ExtensionRef",
    }
}

/// A backend, its share of the calls, and what is done to calls that go there.
///
/// # Spec
/// `GRPCBackendRef` in `grpcroute_types.go`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GrpcBackendRef {
    /// The group of the backend; the core group (empty) when absent.
    #[serde(default, deserialize_with = "or_default")]
    pub group: String,
    /// The kind of the backend; `Service` when absent.
    #[serde(default = "service_kind", deserialize_with = "or_service_kind")]
    pub kind: String,
    /// The name of the backend.
    pub name: String,
    /// The namespace of the backend; that of the Route when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The port of the backend; of a Service the service port, not the target port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<i32>,
    /// The share of this backend, relative to the sum over all backends of the rule; 1 when absent.
    #[serde(default = "weight", deserialize_with = "or_weight")]
    pub weight: i32,
    /// What is done to call and answer when this backend is chosen, at most 16.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<GrpcRouteFilter>,
}

// === impl GrpcRouteFilter ===

impl GrpcRouteFilter {
    /// A filter of a type, with no member yet.
    pub fn new(r#type: GrpcRouteFilterType) -> Self {
        Self {
            r#type,
            request_header_modifier: None,
            response_header_modifier: None,
            request_mirror: None,
            extension_ref: None,
        }
    }

    /// Changes the headers of the request.
    pub fn request_header_modifier(filter: HttpHeaderFilter) -> Self {
        Self {
            request_header_modifier: Some(Box::new(filter)),
            ..Self::new(GrpcRouteFilterType::RequestHeaderModifier)
        }
    }

    /// Changes the headers of the response.
    pub fn response_header_modifier(filter: HttpHeaderFilter) -> Self {
        Self {
            response_header_modifier: Some(Box::new(filter)),
            ..Self::new(GrpcRouteFilterType::ResponseHeaderModifier)
        }
    }

    /// Sends a copy of the request elsewhere.
    pub fn request_mirror(filter: HttpRequestMirrorFilter) -> Self {
        Self { request_mirror: Some(Box::new(filter)), ..Self::new(GrpcRouteFilterType::RequestMirror) }
    }

    /// Does what an object of the implementation's own says.
    pub fn extension_ref(filter: LocalObjectReference) -> Self {
        Self { extension_ref: Some(Box::new(filter)), ..Self::new(GrpcRouteFilterType::ExtensionRef) }
    }
}

// === impl GrpcBackendRef ===

impl Default for GrpcBackendRef {
    /// A Service with the weight 1, and no name yet.
    fn default() -> Self {
        Self {
            group: String::new(),
            kind: service_kind(),
            name: String::new(),
            namespace: None,
            port: None,
            weight: weight(),
            filters: Vec::new(),
        }
    }
}
