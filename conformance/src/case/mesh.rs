//! Mesh: requests from one workload to a Service.

use gateway_core::name::ObjectName;
use serde::Deserialize;

use super::http::HttpExchange;
use super::object_ref::key;

/// The namespace of the mesh's workloads.
pub const MESH: &str = "gateway-conformance-mesh";

/// Requests from a workload, one after the other.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MeshStep {
    /// Which way they go.
    pub way: Way,
    /// The requests. Only status, headers and the backend are compared: redirects have no target to look at.
    pub requests: Vec<HttpExchange>,
}

/// From where to where.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Way {
    /// The Deployment whose pod is the client: a name in [`MESH`], or `namespace/name`.
    pub from: MeshName,
    /// The Service that is dialled, by its name and namespace.
    pub to: MeshName,
    /// Dial the address of a pod of the Deployment of that name, not the Service's.
    #[serde(default)]
    pub pod: bool,
    /// The port that is dialled.
    #[serde(default = "http_port")]
    pub port: u16,
    /// What is spoken.
    #[serde(default)]
    pub speak: MeshProtocol,
}

/// What a client in the mesh speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MeshProtocol {
    /// HTTP/1.1
    #[default]
    Http,
    /// gRPC: a call of the echo service; status 0 counts as 200.
    Grpc,
}

/// A name in [`MESH`], or `namespace/name`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(from = "String")]
pub struct MeshName(pub ObjectName);

// === impl MeshName ===

impl From<String> for MeshName {
    fn from(text: String) -> Self {
        Self(key(MESH, &text))
    }
}

fn http_port() -> u16 {
    80
}
