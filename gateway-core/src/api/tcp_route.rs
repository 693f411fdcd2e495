//! TCPRoute: which TCP connections go where.

use serde::{Deserialize, Serialize};

use super::field::{or_default, or_empty};
use super::meta::ObjectMeta;
use super::reference::{BackendRef, ParentReference};
use super::route::{GatewayDefaultScope, RouteStatus, StreamRouteVersion};

/// A set of rules for TCP connections.
///
/// # Spec
/// `TCPRoute` in `tcproute_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TcpRoute {
    /// The version that it is written in, because validation differs.
    #[serde(default, deserialize_with = "or_default", skip_serializing)]
    pub api_version: StreamRouteVersion,
    /// Name, namespace, labels and the like.
    pub metadata: ObjectMeta,
    /// What is wanted.
    pub spec: TcpRouteSpec,
    /// What each controller says about it.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "RouteStatus::is_empty")]
    pub status: RouteStatus,
}

/// What is wanted of a TCPRoute.
///
/// # Spec
/// `TCPRouteSpec` in `tcproute_types.go`, with `CommonRouteSpec`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TcpRouteSpec {
    /// The parents to attach to, at most 32.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub parent_refs: Vec<ParentReference>,
    /// Which default Gateways to attach to as well (experimental).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub use_default_gateways: Option<GatewayDefaultScope>,
    /// The rules: one in `v1`, up to 16 in `v1alpha2`.
    pub rules: Vec<TcpRouteRule>,
}

/// Where TCP connections go.
///
/// # Spec
/// `TCPRouteRule` in `tcproute_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TcpRouteRule {
    /// The name, unique in the Route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The backends, 1 to 16.
    pub backend_refs: Vec<BackendRef>,
}
