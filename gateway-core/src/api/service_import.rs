//! ServiceImport: a Service of several clusters, as the Multi-Cluster Services API has it.
//!
//! Only the fields that routing needs are here. Who imports Services writes the objects, and EndpointSlices for their endpoints
//! ([`service_import_name`](super::EndpointSlice::service_import_name)).

use serde::{Deserialize, Serialize};

use super::core_v1::{ServiceAffinity, TransportProtocol};
use super::field::{or_default, or_empty, written_enum};
use super::meta::ObjectMeta;

/// The group of the Multi-Cluster Services API.
pub const MULTICLUSTER_GROUP: &str = "multicluster.x-k8s.io";

/// A Service that other clusters export, and mostly this one too.
///
/// # Spec
/// `ServiceImport` of `multicluster.x-k8s.io`; GEP-1748.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceImport {
    /// Name, namespace, labels and the like.
    pub metadata: ObjectMeta,
    /// What is imported.
    #[serde(default, deserialize_with = "or_default")]
    pub spec: ServiceImportSpec,
}

/// What is imported.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceImportSpec {
    /// How it is reached by those who know its name alone. As a backend it is reached at its endpoints, whichever it is.
    pub r#type: ServiceImportType,
    /// The ports.
    pub ports: Vec<ServiceImportPort>,
    /// The addresses that it has in all clusters, one for each IP family; a headless one has none.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub ips: Vec<String>,
    /// Whether connections of a client stay together; `None` when absent, and for a headless one.
    #[serde(default, deserialize_with = "or_default")]
    pub session_affinity: ServiceAffinity,
}

written_enum! {
    /// How a ServiceImport is reached.
    #[derive(Default)]
    pub enum ServiceImportType {
        /// By addresses of its own.
        #[default]
        ClusterSetIp = "ClusterSetIP",
        /// By those of its endpoints.
        Headless = "Headless",
    }
}

/// A port of a ServiceImport.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceImportPort {
    /// The name; may be absent if it is the only port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The port. That of the endpoints is said by their EndpointSlices.
    pub port: i32,
    /// The transport protocol; `TCP` when absent.
    #[serde(default, deserialize_with = "or_default")]
    pub protocol: TransportProtocol,
    /// What is spoken on the port, such as `kubernetes.io/h2c`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_protocol: Option<String>,
}
