//! TLSRoute: which TLS connections go where.

use serde::{Deserialize, Serialize};

use super::field::{or_default, or_empty};
use super::meta::ObjectMeta;
use super::reference::{BackendRef, ParentReference};
use super::route::{GatewayDefaultScope, RouteStatus, StreamRouteVersion};

/// A set of rules for TLS connections.
///
/// # Spec
/// `TLSRoute` in `tlsroute_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TlsRoute {
    /// The version that it is written in, because validation differs.
    #[serde(default, deserialize_with = "or_default", skip_serializing)]
    pub api_version: StreamRouteVersion,
    /// Name, namespace, labels and the like.
    pub metadata: ObjectMeta,
    /// What is wanted.
    pub spec: TlsRouteSpec,
    /// What each controller says about it.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "RouteStatus::is_empty")]
    pub status: RouteStatus,
}

/// What is wanted of a TLSRoute.
///
/// # Spec
/// `TLSRouteSpec` in `tlsroute_types.go`, with `CommonRouteSpec`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TlsRouteSpec {
    /// The parents to attach to, at most 32.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub parent_refs: Vec<ParentReference>,
    /// Which default Gateways to attach to as well (experimental).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub use_default_gateways: Option<GatewayDefaultScope>,
    /// The server names (SNI) to take connections for, 1 to 1024; `v1alpha2` may leave them out.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub hostnames: Vec<String>,
    /// The rules: one in `v1`, up to 16 in `v1alpha2`.
    pub rules: Vec<TlsRouteRule>,
}

/// Where TLS connections go.
///
/// # Spec
/// `TLSRouteRule` in `tlsroute_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TlsRouteRule {
    /// The name, unique in the Route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The backends, 1 to 16.
    pub backend_refs: Vec<BackendRef>,
}
