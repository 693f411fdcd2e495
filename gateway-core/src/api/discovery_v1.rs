//! EndpointSlice: the addresses behind a Service or a ServiceImport.
//!
//! Only the fields that routing needs are here.

use serde::{Deserialize, Serialize};

use super::core_v1::TransportProtocol;
use super::field::{or_default, or_empty, written_enum};
use super::meta::ObjectMeta;

/// Some of the endpoints of a Service or a ServiceImport.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndpointSlice {
    /// Name, namespace, labels and the like.
    pub metadata: ObjectMeta,
    /// What kind of addresses all endpoints have.
    pub address_type: EndpointAddressType,
    /// The endpoints.
    #[serde(default, deserialize_with = "or_empty")]
    pub endpoints: Vec<Endpoint>,
    /// The ports that all endpoints have.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<EndpointPort>,
}

written_enum! {
    /// What kind of addresses endpoints have.
    pub enum EndpointAddressType {
        /// IPv4
        Ipv4 = "IPv4",
        /// IPv6
        Ipv6 = "IPv6",
        /// DNS names.
        Fqdn = "FQDN",
    }
}

/// An endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// The addresses; they are interchangeable, so one is enough.
    pub addresses: Vec<String>,
    /// Whether it can be used.
    #[serde(default, deserialize_with = "or_default")]
    pub conditions: EndpointConditions,
    /// The hostname of the endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// The node that it runs on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_name: Option<String>,
    /// The zone that it runs in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// The object that it is, usually a pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_ref: Option<EndpointTarget>,
}

/// Whether an endpoint can be used. Absent means: not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndpointConditions {
    /// It takes requests; not known is to be taken as yes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready: Option<bool>,
    /// It takes requests, even though it may be terminating; not known is to be taken as `ready`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serving: Option<bool>,
    /// It is terminating; not known is to be taken as no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terminating: Option<bool>,
}

/// The object that an endpoint is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndpointTarget {
    /// The kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The identity of the object over time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
}

/// A port that endpoints have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndpointPort {
    /// The name of the Service's port; absent or empty if that has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The port; every port when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<i32>,
    /// The transport protocol; `TCP` when absent.
    #[serde(default, deserialize_with = "or_default")]
    pub protocol: TransportProtocol,
    /// What is spoken on the port, such as `kubernetes.io/h2c`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_protocol: Option<String>,
}

// === impl EndpointSlice ===

impl EndpointSlice {
    /// The label that names the Service.
    pub const SERVICE_NAME_LABEL: &'static str = "kubernetes.io/service-name";

    /// The label that names the ServiceImport.
    pub const SERVICE_IMPORT_NAME_LABEL: &'static str = "multicluster.kubernetes.io/service-name";

    /// The label that names the cluster that the endpoints of a ServiceImport are in.
    pub const SOURCE_CLUSTER_LABEL: &'static str = "multicluster.kubernetes.io/source-cluster";

    /// The name of the Service that the endpoints are of, in the namespace of the slice.
    ///
    /// One with the label of a [ServiceImport](Self::service_import_name) is of that alone, even where it has both, as the slices of the
    /// Service have that some make for a ServiceImport: a Service has endpoints of its own cluster and no others.
    ///
    /// # Spec
    /// [HRB-17](crate::spec#HRB-17)
    pub fn service_name(&self) -> Option<&str> {
        match self.service_import_name() {
            None => self.label(Self::SERVICE_NAME_LABEL),
            Some(_) => None,
        }
    }

    /// The name of the ServiceImport that the endpoints are of, in the namespace of the slice.
    pub fn service_import_name(&self) -> Option<&str> {
        self.label(Self::SERVICE_IMPORT_NAME_LABEL)
    }

    /// The name of the cluster that the endpoints of a ServiceImport are in.
    pub fn source_cluster(&self) -> Option<&str> {
        self.label(Self::SOURCE_CLUSTER_LABEL)
    }

    fn label(&self, name: &str) -> Option<&str> {
        self.metadata.labels.get(name).map(String::as_str)
    }
}

// === impl EndpointConditions ===

impl EndpointConditions {
    /// Whether the endpoint takes requests.
    pub(crate) fn is_ready(&self) -> bool {
        self.ready.unwrap_or(true)
    }

    /// Whether the endpoint terminates, and takes requests until then.
    pub(crate) fn is_terminating_and_serving(&self) -> bool {
        self.terminating == Some(true) && self.serving == Some(true)
    }
}

// === impl EndpointSlice ===

impl EndpointSlice {
    /// A slice without endpoints. The label `kubernetes.io/service-name` says of which Service it is.
    pub fn new(metadata: ObjectMeta, address_type: EndpointAddressType) -> Self {
        Self { metadata, address_type, endpoints: Vec::new(), ports: Vec::new() }
    }
}
