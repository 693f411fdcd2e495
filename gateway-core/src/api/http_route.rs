//! HTTPRoute: which requests go where.

use serde::{Deserialize, Deserializer, Serialize};

use super::field::*;
use super::http_filter::HttpRouteFilter;
use super::meta::ObjectMeta;
use super::reference::ParentReference;
use super::route::{GatewayDefaultScope, RouteStatus};
use super::session_persistence::SessionPersistence;

/// A set of rules for HTTP requests.
///
/// # Spec
/// `HTTPRoute` in `httproute_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpRoute {
    /// Name, namespace, labels and the like.
    pub metadata: ObjectMeta,
    /// What is wanted.
    pub spec: HttpRouteSpec,
    /// What each controller says about it.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "RouteStatus::is_empty")]
    pub status: RouteStatus,
}

/// What is wanted of an HTTPRoute.
///
/// # Spec
/// `HTTPRouteSpec` in `httproute_types.go`, with `CommonRouteSpec`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpRouteSpec {
    /// The parents to attach to, at most 32.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub parent_refs: Vec<ParentReference>,
    /// Which default Gateways to attach to as well (experimental).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub use_default_gateways: Option<GatewayDefaultScope>,
    /// The hostnames to take requests for, at most 16; those of the listener when empty.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub hostnames: Vec<String>,
    /// The rules, at most 16; one that matches every request when absent. An explicit empty list stays empty.
    #[serde(default = "every_request", deserialize_with = "or_every_request")]
    pub rules: Vec<HttpRouteRule>,
}

/// Conditions on a request, and what happens to a request that meets them.
///
/// # Spec
/// `HTTPRouteRule` in `httproute_types.go`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpRouteRule {
    /// The name, unique in the Route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Alternatives: one of them must match. A path of any kind when absent; an explicit empty list stays empty.
    #[serde(default = "every_path", deserialize_with = "or_every_path")]
    pub matches: Vec<HttpRouteMatch>,
    /// What is done to request and response, at most 16.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<HttpRouteFilter>,
    /// Where the request goes, at most 16.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub backend_refs: Vec<HttpBackendRef>,
    /// How long it may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeouts: Option<Box<HttpRouteTimeouts>>,
    /// When it is tried again (experimental).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<Box<HttpRouteRetry>>,
    /// How the requests of a session stay together (experimental).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_persistence: Option<Box<SessionPersistence>>,
}

/// Conditions on a request; all of them must hold.
///
/// # Spec
/// `HTTPRouteMatch` in `httproute_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpRouteMatch {
    /// On the path; every path when absent.
    #[serde(default, deserialize_with = "or_default")]
    pub path: HttpPathMatch,
    /// On headers, at most 16.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<HttpHeaderMatch>,
    /// On query parameters, at most 16.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub query_params: Vec<HttpQueryParamMatch>,
    /// On the method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<HttpMethod>,
}

/// A condition on the path.
///
/// # Spec
/// `HTTPPathMatch` in `httproute_types.go`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpPathMatch {
    /// How `value` is compared; `PathPrefix` when absent.
    #[serde(default, deserialize_with = "or_default")]
    pub r#type: PathMatchType,
    /// What the path is compared with; `/` when absent.
    #[serde(default = "root_path", deserialize_with = "or_root_path")]
    pub value: Box<str>,
}

written_enum! {
    /// How a path is compared.
    ///
    /// # Spec
    /// `PathMatchType` in `httproute_types.go`.
    #[derive(Default)]
    pub enum PathMatchType {
        /// The whole path is the value.
        Exact = "Exact",
        /// The first elements of the path are those of the value.
        #[default]
        PathPrefix = "PathPrefix",
        /// The path matches a regular expression.
        RegularExpression = "RegularExpression",
    }
}

/// A condition on a header.
///
/// # Spec
/// `HTTPHeaderMatch` in `httproute_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpHeaderMatch {
    /// How `value` is compared; `Exact` when absent.
    #[serde(default, deserialize_with = "or_default")]
    pub r#type: HeaderMatchType,
    /// The name of the header, in any case.
    pub name: String,
    /// What the header's value is compared with.
    pub value: String,
}

written_enum! {
    /// How the value of a header is compared.
    ///
    /// # Spec
    /// `HeaderMatchType` in `httproute_types.go`; `GRPCHeaderMatchType` in `grpcroute_types.go` has the same values.
    #[derive(Default)]
    pub enum HeaderMatchType {
        /// The whole value.
        #[default]
        Exact = "Exact",
        /// A regular expression.
        RegularExpression = "RegularExpression",
    }
}

/// A condition on a query parameter.
///
/// # Spec
/// `HTTPQueryParamMatch` in `httproute_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpQueryParamMatch {
    /// How `value` is compared; `Exact` when absent.
    #[serde(default, deserialize_with = "or_default")]
    pub r#type: QueryParamMatchType,
    /// The name of the parameter, in exactly this case.
    pub name: String,
    /// What the parameter's value is compared with.
    pub value: String,
}

written_enum! {
    /// How the value of a query parameter is compared.
    ///
    /// # Spec
    /// `QueryParamMatchType` in `httproute_types.go`.
    #[derive(Default)]
    pub enum QueryParamMatchType {
        /// The whole value.
        #[default]
        Exact = "Exact",
        /// A regular expression.
        RegularExpression = "RegularExpression",
    }
}

written_enum! {
    /// The method of a request.
    ///
    /// # Spec
    /// `HTTPMethod` in `httproute_types.go`.
    pub enum HttpMethod {
        /// GET
        Get = "GET",
        /// HEAD
        Head = "HEAD",
        /// POST
        Post = "POST",
        /// PUT
        Put = "PUT",
        /// DELETE
        Delete = "DELETE",
        /// CONNECT
        Connect = "CONNECT",
        /// OPTIONS
        Options = "OPTIONS",
        /// TRACE
        Trace = "TRACE",
        /// PATCH
        Patch = "PATCH",
    }
}

/// A backend, its share of the requests, and what is done to requests that go there.
///
/// Of all that is written there is most of these, so they are kept small.
///
/// # Spec
/// `HTTPBackendRef` in `httproute_types.go`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpBackendRef {
    /// The group of the backend; the core group (empty) when absent.
    #[serde(default, deserialize_with = "or_default")]
    pub group: Box<str>,
    /// The kind of the backend; `Service` when absent.
    #[serde(default = "service_kind", deserialize_with = "or_service_kind")]
    pub kind: Box<str>,
    /// The name of the backend.
    pub name: Box<str>,
    /// The namespace of the backend; that of the Route when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<Box<str>>,
    /// The port of the backend; of a Service the service port, not the target port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<i32>,
    /// The share of this backend, relative to the sum over all backends of the rule; 1 when absent.
    #[serde(default = "weight", deserialize_with = "or_weight")]
    pub weight: i32,
    /// What is done to request and response when this backend is chosen, at most 16.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "<[_]>::is_empty")]
    pub filters: Box<[HttpRouteFilter]>,
}

/// How long a request may take, as durations (`10s`); `0s` is no limit.
///
/// # Spec
/// `HTTPRouteTimeouts` in `httproute_types.go`; GEP-1742, GEP-2257.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpRouteTimeouts {
    /// From the client's request to the end of the response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// For one request to a backend.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend_request: Option<String>,
}

/// When a request is tried again.
///
/// # Spec
/// `HTTPRouteRetry` in `httproute_types.go`; GEP-1731.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpRouteRetry {
    /// The status codes to try again after, 400 to 599.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<u16>,
    /// How often to try again; 0 is never.
    #[serde(default = "one_attempt", deserialize_with = "or_one_attempt")]
    pub attempts: i32,
    /// How long to wait before trying again, as a duration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backoff: Option<String>,
}

fn every_request() -> Vec<HttpRouteRule> {
    vec![HttpRouteRule::default()]
}

fn or_every_request<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<HttpRouteRule>, D::Error> {
    Ok(optional_list(deserializer)?.unwrap_or_else(every_request))
}

fn every_path() -> Vec<HttpRouteMatch> {
    vec![HttpRouteMatch::default()]
}

fn or_every_path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<HttpRouteMatch>, D::Error> {
    Ok(optional_list(deserializer)?.unwrap_or_else(every_path))
}

// === impl HttpRouteSpec ===

impl Default for HttpRouteSpec {
    /// A Route without rules is one that matches every request.
    fn default() -> Self {
        Self {
            parent_refs: Vec::new(),
            use_default_gateways: None,
            hostnames: Vec::new(),
            rules: every_request(),
        }
    }
}

// === impl HttpRouteRule ===

impl Default for HttpRouteRule {
    /// A rule without matches is one that matches every request.
    fn default() -> Self {
        Self {
            name: None,
            matches: every_path(),
            filters: Vec::new(),
            backend_refs: Vec::new(),
            timeouts: None,
            retry: None,
            session_persistence: None,
        }
    }
}

// === impl HttpRouteRetry ===

impl Default for HttpRouteRetry {
    /// One attempt more, after no answer in particular.
    fn default() -> Self {
        Self { codes: Vec::new(), attempts: one_attempt(), backoff: None }
    }
}

// === impl HttpPathMatch ===

impl Default for HttpPathMatch {
    /// The prefix of every path.
    fn default() -> Self {
        Self { r#type: PathMatchType::PathPrefix, value: root_path() }
    }
}

// === impl HttpBackendRef ===

impl Default for HttpBackendRef {
    /// A Service with the weight 1, and no name yet.
    fn default() -> Self {
        Self {
            group: Box::default(),
            kind: service_kind(),
            name: Box::default(),
            namespace: None,
            port: None,
            weight: weight(),
            filters: Box::default(),
        }
    }
}
