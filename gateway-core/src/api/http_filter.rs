//! The filters of an HTTPRoute; GRPCRoute has some of them too.
//!
//! A filter keeps the shape that it is written in, `type` beside one optional member for each type, because a filter
//! with a wrong combination has to be seen to be refused. The members are boxed: a filter has one of eight.

use serde::{Deserialize, Serialize};

use super::field::*;
use super::reference::{BackendObjectReference, LocalObjectReference};

/// What is done to a request or its response.
///
/// # Spec
/// `HTTPRouteFilter` in `httproute_types.go`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpRouteFilter {
    /// Which of the members holds.
    pub r#type: HttpRouteFilterType,
    /// Changes the headers of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_header_modifier: Option<Box<HttpHeaderFilter>>,
    /// Changes the headers of the response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_header_modifier: Option<Box<HttpHeaderFilter>>,
    /// Sends a copy of the request elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_mirror: Option<Box<HttpRequestMirrorFilter>>,
    /// Answers with a redirect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_redirect: Option<Box<HttpRequestRedirectFilter>>,
    /// Changes hostname and path of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url_rewrite: Option<Box<HttpUrlRewriteFilter>>,
    /// Answers what a browser asks about other origins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cors: Option<Box<HttpCorsFilter>>,
    /// Asks another service whether the request may pass (experimental).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_auth: Option<Box<HttpExternalAuthFilter>>,
    /// Does what an implementation defines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extension_ref: Option<Box<LocalObjectReference>>,
}

written_enum! {
    /// What a filter does.
    ///
    /// # Spec
    /// `HTTPRouteFilterType` in `httproute_types.go`.
    pub enum HttpRouteFilterType {
        /// Changes the headers of the request.
        RequestHeaderModifier = "RequestHeaderModifier",
        /// Changes the headers of the response.
        ResponseHeaderModifier = "ResponseHeaderModifier",
        /// Answers with a redirect.
        RequestRedirect = "RequestRedirect",
        /// Changes hostname and path of the request.
        UrlRewrite = "URLRewrite",
        /// Sends a copy of the request elsewhere.
        RequestMirror = "RequestMirror",
        /// Answers what a browser asks about other origins.
        Cors = "CORS",
        /// Asks another service whether the request may pass (experimental).
        ExternalAuth = "ExternalAuth",
        /// Does what an implementation defines.
        ExtensionRef = "ExtensionRef",
    }
}

/// Changes headers.
///
/// # Spec
/// `HTTPHeaderFilter` in `httproute_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpHeaderFilter {
    /// Replaces the value of a header, or adds it.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<HttpHeader>,
    /// Appends a value to a header, or adds it.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub add: Vec<HttpHeader>,
    /// Removes headers.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<String>,
}

/// A header.
///
/// # Spec
/// `HTTPHeader` in `httproute_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpHeader {
    /// The name, in any case.
    pub name: String,
    /// The value.
    pub value: String,
}

/// Answers with a redirect.
///
/// # Spec
/// `HTTPRequestRedirectFilter` in `httproute_types.go`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpRequestRedirectFilter {
    /// The scheme of the new location; that of the request when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheme: Option<RedirectScheme>,
    /// The hostname of the new location; that of the request when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// The path of the new location; that of the request when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<HttpPathModifier>,
    /// The port of the new location.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<i32>,
    /// The status code: 301, 302, 303, 307 or 308; 302 when absent.
    #[serde(default = "found", deserialize_with = "or_found")]
    pub status_code: u16,
}

written_enum! {
    /// The scheme of a redirect.
    ///
    /// # Spec
    /// `scheme` of `HTTPRequestRedirectFilter` in `httproute_types.go`.
    pub enum RedirectScheme {
        /// http
        Http = "http",
        /// https
        Https = "https",
    }
}

/// Changes a path.
///
/// # Spec
/// `HTTPPathModifier` in `httproute_types.go`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpPathModifier {
    /// Which of the members holds.
    pub r#type: HttpPathModifierType,
    /// The new path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replace_full_path: Option<String>,
    /// What stands in for the prefix that matched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replace_prefix_match: Option<String>,
}

written_enum! {
    /// How a path is changed.
    ///
    /// # Spec
    /// `HTTPPathModifierType` in `httproute_types.go`.
    pub enum HttpPathModifierType {
        /// The whole path.
        ReplaceFullPath = "ReplaceFullPath",
        /// The prefix that matched.
        ReplacePrefixMatch = "ReplacePrefixMatch",
    }
}

/// Changes hostname and path of a request.
///
/// # Spec
/// `HTTPURLRewriteFilter` in `httproute_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpUrlRewriteFilter {
    /// The new hostname.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// The new path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<HttpPathModifier>,
}

/// Sends a copy of a request elsewhere; every request when neither `percent` nor `fraction` is there.
///
/// # Spec
/// `HTTPRequestMirrorFilter` in `httproute_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpRequestMirrorFilter {
    /// Where to.
    pub backend_ref: BackendObjectReference,
    /// Of how many requests in a hundred.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<i32>,
    /// Of what share of the requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fraction: Option<Fraction>,
}

/// A share.
///
/// # Spec
/// `Fraction` in `shared_types.go`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fraction {
    /// This many,
    pub numerator: i32,
    /// out of this many; 100 when absent.
    #[serde(default = "hundred", deserialize_with = "or_hundred")]
    pub denominator: i32,
}

/// Answers what a browser asks about other origins.
///
/// # Spec
/// `HTTPCORSFilter` in `httproute_types.go`; GEP-1767.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpCorsFilter {
    /// The origins that may read the response.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub allow_origins: Vec<String>,
    /// Whether the browser may send credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_credentials: Option<bool>,
    /// The methods that may be used.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub allow_methods: Vec<HttpMethodWithWildcard>,
    /// The request headers that may be sent.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub allow_headers: Vec<String>,
    /// The response headers that a script may read.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub expose_headers: Vec<String>,
    /// How long a browser may keep the answer, in seconds; 5 when absent.
    #[serde(default = "cors_max_age", deserialize_with = "or_cors_max_age")]
    pub max_age: i32,
}

written_enum! {
    /// A method, or every method.
    ///
    /// # Spec
    /// `HTTPMethodWithWildcard` in `httproute_types.go`.
    pub enum HttpMethodWithWildcard {
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
        /// Every method.
        Any = "*",
    }
}

/// Asks another service whether a request may pass (experimental).
///
/// # Spec
/// `HTTPExternalAuthFilter` in `httproute_types.go`; GEP-1494.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpExternalAuthFilter {
    /// How to ask.
    pub protocol: HttpRouteExternalAuthProtocol,
    /// Whom to ask.
    pub backend_ref: BackendObjectReference,
    /// Details for `GRPC`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grpc: Option<GrpcAuthConfig>,
    /// Details for `HTTP`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpAuthConfig>,
    /// Whether the body is sent along; it is not when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forward_body: Option<ForwardBodyConfig>,
}

written_enum! {
    /// How an authorization service is asked.
    ///
    /// # Spec
    /// `HTTPRouteExternalAuthProtocol` in `httproute_types.go`.
    pub enum HttpRouteExternalAuthProtocol {
        /// By an HTTP request; 200 lets the request pass.
        Http = "HTTP",
        /// By Envoy's ext_authz protocol.
        Grpc = "GRPC",
    }
}

/// Details of asking by gRPC.
///
/// # Spec
/// `GRPCAuthConfig` in `httproute_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GrpcAuthConfig {
    /// The request headers that are sent along; all when empty.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub allowed_headers: Vec<String>,
}

/// Details of asking by HTTP.
///
/// # Spec
/// `HTTPAuthConfig` in `httproute_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpAuthConfig {
    /// What stands before the request's path when asking.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The request headers that are sent along, beside those always sent.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub allowed_headers: Vec<String>,
    /// The headers of the answer that are added to the request.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub allowed_response_headers: Vec<String>,
}

/// How much of the body is sent along.
///
/// # Spec
/// `ForwardBodyConfig` in `httproute_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ForwardBodyConfig {
    /// At most this many bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_size: Option<i32>,
}

// === impl HttpRouteFilter ===

impl HttpRouteFilter {
    /// A filter of a type, with no member yet.
    pub fn new(r#type: HttpRouteFilterType) -> Self {
        Self {
            r#type,
            request_header_modifier: None,
            response_header_modifier: None,
            request_mirror: None,
            request_redirect: None,
            url_rewrite: None,
            cors: None,
            external_auth: None,
            extension_ref: None,
        }
    }

    /// Changes the headers of the request.
    pub fn request_header_modifier(filter: HttpHeaderFilter) -> Self {
        Self {
            request_header_modifier: Some(Box::new(filter)),
            ..Self::new(HttpRouteFilterType::RequestHeaderModifier)
        }
    }

    /// Changes the headers of the response.
    pub fn response_header_modifier(filter: HttpHeaderFilter) -> Self {
        Self {
            response_header_modifier: Some(Box::new(filter)),
            ..Self::new(HttpRouteFilterType::ResponseHeaderModifier)
        }
    }

    /// Sends a copy of the request elsewhere.
    pub fn request_mirror(filter: HttpRequestMirrorFilter) -> Self {
        Self { request_mirror: Some(Box::new(filter)), ..Self::new(HttpRouteFilterType::RequestMirror) }
    }

    /// Answers with a redirect.
    pub fn request_redirect(filter: HttpRequestRedirectFilter) -> Self {
        Self { request_redirect: Some(Box::new(filter)), ..Self::new(HttpRouteFilterType::RequestRedirect) }
    }

    /// Changes hostname and path of the request.
    pub fn url_rewrite(filter: HttpUrlRewriteFilter) -> Self {
        Self { url_rewrite: Some(Box::new(filter)), ..Self::new(HttpRouteFilterType::UrlRewrite) }
    }

    /// Answers what a browser asks about other origins.
    pub fn cors(filter: HttpCorsFilter) -> Self {
        Self { cors: Some(Box::new(filter)), ..Self::new(HttpRouteFilterType::Cors) }
    }

    /// Asks another service whether the request may pass (experimental).
    pub fn external_auth(filter: HttpExternalAuthFilter) -> Self {
        Self { external_auth: Some(Box::new(filter)), ..Self::new(HttpRouteFilterType::ExternalAuth) }
    }

    /// Does what an object of the implementation's own says.
    pub fn extension_ref(filter: LocalObjectReference) -> Self {
        Self { extension_ref: Some(Box::new(filter)), ..Self::new(HttpRouteFilterType::ExtensionRef) }
    }
}

// === impl HttpRequestRedirectFilter ===

impl Default for HttpRequestRedirectFilter {
    fn default() -> Self {
        Self { scheme: None, hostname: None, path: None, port: None, status_code: found() }
    }
}

// === impl HttpCorsFilter ===

impl Default for HttpCorsFilter {
    fn default() -> Self {
        Self {
            allow_origins: Vec::new(),
            allow_credentials: None,
            allow_methods: Vec::new(),
            allow_headers: Vec::new(),
            expose_headers: Vec::new(),
            max_age: cors_max_age(),
        }
    }
}

// === impl HttpPathModifier ===

impl HttpPathModifier {
    /// Replaces the whole path.
    pub fn replace_full_path(path: impl Into<String>) -> Self {
        Self {
            r#type: HttpPathModifierType::ReplaceFullPath,
            replace_full_path: Some(path.into()),
            replace_prefix_match: None,
        }
    }

    /// Replaces the prefix that was matched.
    pub fn replace_prefix_match(prefix: impl Into<String>) -> Self {
        Self {
            r#type: HttpPathModifierType::ReplacePrefixMatch,
            replace_full_path: None,
            replace_prefix_match: Some(prefix.into()),
        }
    }
}

// === impl Fraction ===

impl Default for Fraction {
    /// None of a hundred.
    fn default() -> Self {
        Self { numerator: 0, denominator: hundred() }
    }
}

// === impl HttpExternalAuthFilter ===

impl HttpExternalAuthFilter {
    /// Asks this backend over HTTP.
    pub fn http(backend_ref: BackendObjectReference) -> Self {
        Self {
            protocol: HttpRouteExternalAuthProtocol::Http,
            backend_ref,
            grpc: None,
            http: None,
            forward_body: None,
        }
    }

    /// Asks this backend over gRPC.
    pub fn grpc(backend_ref: BackendObjectReference) -> Self {
        Self { protocol: HttpRouteExternalAuthProtocol::Grpc, ..Self::http(backend_ref) }
    }
}
