//! Gateway: the listeners, and what holds for all of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use super::field::{or_default, or_empty, written_enum};
use super::listener::{FromNamespaces, Listener, ListenerStatus};
use super::meta::{Condition, LabelSelector, ObjectMeta};
use super::reference::{LocalObjectReference, ObjectReference, SecretObjectReference};
use super::route::GatewayDefaultScope;

/// A place where traffic comes in.
///
/// # Spec
/// `Gateway` in `gateway_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Gateway {
    /// Name, namespace, labels and the like.
    pub metadata: ObjectMeta,
    /// What is wanted.
    pub spec: GatewaySpec,
    /// What is; a new Gateway is `Accepted: Unknown` and `Programmed: Unknown` until its controller looks at it.
    #[serde(default, deserialize_with = "or_default")]
    pub status: GatewayStatus,
}

/// What is wanted of a Gateway.
///
/// # Spec
/// `GatewaySpec` in `gateway_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewaySpec {
    /// The GatewayClass, and by it the controller.
    pub gateway_class_name: String,
    /// The listeners, 1 to 64.
    pub listeners: Vec<Listener>,
    /// The addresses that are asked for; the implementation chooses when empty.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<GatewaySpecAddress>,
    /// What the implementation should put on the infrastructure that it creates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub infrastructure: Option<GatewayInfrastructure>,
    /// Which ListenerSets may attach; none when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_listeners: Option<AllowedListeners>,
    /// TLS towards clients and towards backends, for all listeners.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<GatewayTlsConfig>,
    /// Which Routes without this Gateway among their parents it takes anyway (experimental).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_scope: Option<GatewayDefaultScope>,
}

/// An address that is asked for.
///
/// # Spec
/// `GatewaySpecAddress` in `gateway_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewaySpecAddress {
    /// What kind of address; `IPAddress` when absent.
    #[serde(default, deserialize_with = "or_default")]
    pub r#type: AddressType,
    /// The address; any of the kind when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// From where it must be reachable: `Cluster`, or a value of an implementation's own, with a domain prefix; no matter
    /// from where when absent or empty (experimental).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routability: Option<String>,
}

written_enum! {
    /// What kind of address; an implementation may define more, with a domain prefix.
    ///
    /// # Spec
    /// `AddressType` in `shared_types.go`.
    #[derive(Default)]
    pub enum AddressType {
        /// An IPv4 or IPv6 address.
        #[default]
        IpAddress = "IPAddress",
        /// A DNS name.
        Hostname = "Hostname",
        /// A name that means something to the implementation; deprecated.
        NamedAddress = "NamedAddress",
    }
}

/// What the implementation should put on the infrastructure that it creates.
///
/// # Spec
/// `GatewayInfrastructure` in `gateway_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayInfrastructure {
    /// Labels.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Parameters for the controller, for this Gateway alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters_ref: Option<LocalObjectReference>,
}

/// Which ListenerSets may attach to a Gateway.
///
/// # Spec
/// `AllowedListeners` in `gateway_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AllowedListeners {
    /// From which namespaces; none when absent.
    #[serde(default, deserialize_with = "or_default")]
    pub namespaces: ListenerNamespaces,
}

/// The namespaces that ListenerSets may come from.
///
/// # Spec
/// `ListenerNamespaces` in `gateway_types.go`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListenerNamespaces {
    /// How namespaces are chosen; `None` when absent.
    #[serde(default = "none", deserialize_with = "or_none")]
    pub from: FromNamespaces,
    /// Which namespaces, by label; needed with `Selector` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector: Option<LabelSelector>,
}

/// TLS of a whole Gateway.
///
/// # Spec
/// `GatewayTLSConfig` in `gateway_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayTlsConfig {
    /// Towards backends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend: Option<GatewayBackendTls>,
    /// Towards clients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frontend: Option<FrontendTlsConfig>,
}

/// TLS of a Gateway towards its backends.
///
/// # Spec
/// `GatewayBackendTLS` in `gateway_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayBackendTls {
    /// The certificate that the Gateway shows to backends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_certificate_ref: Option<SecretObjectReference>,
}

/// TLS of a Gateway towards its clients.
///
/// # Spec
/// `FrontendTLSConfig` in `gateway_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FrontendTlsConfig {
    /// What holds for every port that `perPort` does not name.
    pub default: TlsConfig,
    /// What holds for one port instead.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub per_port: Vec<TlsPortConfig>,
}

/// TLS towards clients on one port.
///
/// # Spec
/// `TLSPortConfig` in `gateway_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TlsPortConfig {
    /// The port.
    pub port: i32,
    /// What holds for it.
    pub tls: TlsConfig,
}

/// TLS towards clients.
///
/// # Spec
/// `TLSConfig` in `gateway_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TlsConfig {
    /// How client certificates are checked; none is asked for when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<FrontendTlsValidation>,
}

/// How client certificates are checked.
///
/// # Spec
/// `FrontendTLSValidation` in `gateway_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FrontendTlsValidation {
    /// The certificate authorities to trust, 1 to 16.
    pub ca_certificate_refs: Vec<ObjectReference>,
    /// What happens to a client without a valid certificate; it is refused when absent.
    #[serde(default, deserialize_with = "or_default")]
    pub mode: FrontendValidationModeType,
}

written_enum! {
    /// What happens to a client without a valid certificate.
    ///
    /// # Spec
    /// `FrontendValidationModeType` in `gateway_types.go`.
    #[derive(Default)]
    pub enum FrontendValidationModeType {
        /// It is refused.
        #[default]
        AllowValidOnly = "AllowValidOnly",
        /// It is let in; the backend decides.
        AllowInsecureFallback = "AllowInsecureFallback",
    }
}

/// The status of a Gateway.
///
/// # Spec
/// `GatewayStatus` in `gateway_types.go`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayStatus {
    /// The addresses that are bound.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<GatewayStatusAddress>,
    /// The conditions.
    #[serde(default = "pending", deserialize_with = "or_pending")]
    pub conditions: Vec<Condition>,
    /// The status of each listener.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub listeners: Vec<ListenerStatus>,
    /// How many ListenerSets are attached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attached_listener_sets: Option<i32>,
}

/// An address that is bound.
///
/// # Spec
/// `GatewayStatusAddress` in `gateway_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayStatusAddress {
    /// What kind of address; `IPAddress` when absent.
    #[serde(default, deserialize_with = "or_default")]
    pub r#type: AddressType,
    /// The address.
    pub value: String,
    /// From where it is reachable; an empty value says that there is nothing to say (experimental).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routability: Option<String>,
}

/// The conditions of an object that no controller has looked at.
pub(super) fn pending() -> Vec<Condition> {
    vec![Condition::pending("Accepted"), Condition::pending("Programmed")]
}

pub(super) fn or_pending<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Condition>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_else(pending))
}

fn none() -> FromNamespaces {
    FromNamespaces::None
}

fn or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<FromNamespaces, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_else(none))
}

// === impl ListenerNamespaces ===

impl Default for ListenerNamespaces {
    fn default() -> Self {
        Self { from: none(), selector: None }
    }
}

// === impl GatewayStatus ===

impl Default for GatewayStatus {
    fn default() -> Self {
        Self {
            addresses: Vec::new(),
            conditions: pending(),
            listeners: Vec::new(),
            attached_listener_sets: None,
        }
    }
}
