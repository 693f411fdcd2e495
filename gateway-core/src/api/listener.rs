//! The listener, which Gateway and ListenerSet write alike, and its status.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use super::field::*;
use super::listener_filter::ListenerFilters;
use super::meta::{Condition, LabelSelector};
use super::reference::SecretObjectReference;

/// A port, a protocol and a hostname that requests are taken in on.
///
/// # Spec
/// `Listener` in `gateway_types.go` and `ListenerEntry` in `listenerset_types.go`, which have the same fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Listener {
    /// The name, unique among the listeners of the object; a Route's `sectionName` means it.
    pub name: String,
    /// The hostname to take requests for; all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// The port, 1 to 65535.
    pub port: i32,
    /// The protocol: `HTTP`, `HTTPS`, `TLS`, `TCP`, `UDP`, or one that an implementation defines, with a domain prefix.
    pub protocol: String,
    /// TLS; required for `HTTPS` and `TLS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<ListenerTlsConfig>,
    /// Which Routes may attach; those of the same namespace when absent.
    #[serde(default, deserialize_with = "or_default")]
    pub allowed_routes: AllowedRoutes,
    /// What happens to requests before a Route is looked for; for `HTTP` and `HTTPS` only (experimental).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filters: Option<ListenerFilters>,
}

/// How a listener speaks TLS.
///
/// # Spec
/// `ListenerTLSConfig` in `gateway_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListenerTlsConfig {
    /// Whether TLS ends here; `Terminate` when absent.
    #[serde(default, deserialize_with = "or_default")]
    pub mode: TlsModeType,
    /// The certificates; required for `Terminate` unless `options` say otherwise.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub certificate_refs: Vec<SecretObjectReference>,
    /// Options that an implementation defines, with a domain prefix.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
}

written_enum! {
    /// Whether a listener ends TLS or passes it through.
    ///
    /// # Spec
    /// `TLSModeType` in `gateway_types.go`.
    #[derive(Default)]
    pub enum TlsModeType {
        /// TLS ends at the Gateway.
        #[default]
        Terminate = "Terminate",
        /// The TLS stream is passed through to a backend, chosen by SNI.
        Passthrough = "Passthrough",
    }
}

/// Which Routes may attach to a listener.
///
/// # Spec
/// `AllowedRoutes` in `gateway_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AllowedRoutes {
    /// From which namespaces; the listener's own when absent.
    #[serde(default, deserialize_with = "or_default")]
    pub namespaces: RouteNamespaces,
    /// Of which kinds; those that fit the protocol when empty.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<RouteGroupKind>,
}

/// The namespaces that Routes may come from.
///
/// # Spec
/// `RouteNamespaces` in `gateway_types.go`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteNamespaces {
    /// How namespaces are chosen; `Same` when absent.
    #[serde(default = "same", deserialize_with = "or_same")]
    pub from: FromNamespaces,
    /// Which namespaces, by label; needed with `Selector` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector: Option<LabelSelector>,
}

written_enum! {
    /// How namespaces are chosen.
    ///
    /// # Spec
    /// `FromNamespaces` in `gateway_types.go`.
    pub enum FromNamespaces {
        /// Every namespace.
        All = "All",
        /// The namespaces that a selector picks.
        Selector = "Selector",
        /// The namespace of the Gateway or ListenerSet.
        Same = "Same",
        /// No namespace; for ListenerSets only.
        None = "None",
    }
}

/// A kind of Route.
///
/// # Spec
/// `RouteGroupKind` in `gateway_types.go`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteGroupKind {
    /// The group; `gateway.networking.k8s.io` when absent.
    #[serde(default = "gateway_group", deserialize_with = "or_gateway_group")]
    pub group: String,
    /// The kind.
    pub kind: String,
}

/// The status of one listener.
///
/// # Spec
/// `ListenerStatus` in `gateway_types.go` and `ListenerEntryStatus` in `listenerset_types.go`, which have the same fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListenerStatus {
    /// The name of the listener.
    pub name: String,
    /// The kinds of Routes that it takes.
    #[serde(default, deserialize_with = "or_empty")]
    pub supported_kinds: Vec<RouteGroupKind>,
    /// How many Routes are attached.
    #[serde(default, deserialize_with = "or_default")]
    pub attached_routes: i32,
    /// The conditions.
    #[serde(default, deserialize_with = "or_empty")]
    pub conditions: Vec<Condition>,
}

fn same() -> FromNamespaces {
    FromNamespaces::Same
}

fn or_same<'de, D: Deserializer<'de>>(deserializer: D) -> Result<FromNamespaces, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_else(same))
}

// === impl RouteNamespaces ===

impl Default for RouteNamespaces {
    fn default() -> Self {
        Self { from: same(), selector: None }
    }
}

// === impl RouteGroupKind ===

impl Default for RouteGroupKind {
    /// A kind of the Gateway API's own group, with no name yet.
    fn default() -> Self {
        Self { group: gateway_group(), kind: String::new() }
    }
}
