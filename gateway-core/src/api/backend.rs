//! XBackend: a destination that is no Service (experimental).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::backend_tls_policy::BackendTlsPolicyValidation;
use super::field::{or_default, or_empty, written_enum};
use super::meta::{Condition, ObjectMeta};
use super::reference::{ParentReference, SecretObjectReference};
use super::session_persistence::SessionPersistence;

/// A destination that is no Service.
///
/// # Spec
/// `XBackend` in `apisx/v1alpha1/xbackend_types.go`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct XBackend {
    /// Name, namespace, labels and the like.
    pub metadata: ObjectMeta,
    /// What is wanted.
    pub spec: BackendSpec,
    /// What each controller says about it.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "BackendStatus::is_empty")]
    pub status: BackendStatus,
}

/// What is wanted of an XBackend. It keeps the shape that it is written in.
///
/// # Spec
/// `BackendSpec` in `apisx/v1alpha1/xbackend_types.go`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendSpec {
    /// Which of the members holds.
    pub r#type: BackendType,
    /// A name outside the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_hostname: Option<ExternalHostnameBackend>,
    /// Pods of the namespace, by their labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint_selector: Option<EndpointSelectorBackend>,
    /// The port.
    pub port: BackendPort,
    /// How the requests of a session stay with one pod; for type `EndpointSelector` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_persistence: Option<SessionPersistence>,
    /// What is spoken on the port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<BackendProtocol>,
    /// TLS towards it; there is none when absent.
    #[serde(default, deserialize_with = "or_default")]
    pub tls: BackendTls,
}

written_enum! {
    /// What an XBackend stands for.
    ///
    /// # Spec
    /// `BackendType` in `apisx/v1alpha1/xbackend_types.go`.
    pub enum BackendType {
        /// A name outside the cluster.
        ExternalHostname = "ExternalHostname",
        /// Pods of the namespace, by their labels.
        EndpointSelector = "EndpointSelector",
    }
}

/// A name outside the cluster.
///
/// # Spec
/// `ExternalHostnameBackend` in `apisx/v1alpha1/xbackend_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExternalHostnameBackend {
    /// The name.
    pub hostname: String,
}

/// Pods of the namespace, by their labels.
///
/// # Spec
/// `EndpointSelectorBackend` in `apisx/v1alpha1/xbackend_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndpointSelectorBackend {
    /// Labels that a pod must have all of, 1 to 64.
    pub match_labels: BTreeMap<String, String>,
}

/// The port of an XBackend.
///
/// # Spec
/// `BackendPort` in `apisx/v1alpha1/xbackend_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendPort {
    /// The number, 1 to 65535. The schema asks for something in the port, and there is nothing else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<i32>,
}

written_enum! {
    /// What an XBackend speaks.
    ///
    /// # Spec
    /// `BackendProtocol` in `apisx/v1alpha1/xbackend_types.go`.
    pub enum BackendProtocol {
        /// Anything over TCP.
        Tcp = "TCP",
        /// HTTP of any version.
        Http = "HTTP",
        /// HTTP/2.
        Http2 = "HTTP2",
        /// HTTP/1.1.
        Http11 = "HTTP11",
        /// HTTP/2 without TLS.
        H2c = "H2C",
        /// Model Context Protocol.
        Mcp = "MCP",
        /// gRPC.
        Grpc = "GRPC",
        /// WebSocket over TLS.
        Wss = "WSS",
    }
}

/// TLS towards an XBackend.
///
/// # Spec
/// `BackendTLS` in `apisx/v1alpha1/xbackend_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendTls {
    /// Who shows a certificate.
    pub mode: BackendTlsMode,
    /// How the backend's certificate is checked; required with TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<BackendTlsPolicyValidation>,
    /// The certificate that is shown to the backend.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_certificate_ref: Option<SecretObjectReference>,
}

written_enum! {
    /// Who shows a certificate.
    ///
    /// # Spec
    /// `BackendTLSMode` in `apisx/v1alpha1/xbackend_types.go`.
    #[derive(Default)]
    pub enum BackendTlsMode {
        /// Neither side: there is no TLS.
        #[default]
        None = "None",
        /// The backend.
        ServerOnly = "ServerOnly",
        /// Both.
        ClientAndServer = "ClientAndServer",
    }
}

/// The status of an XBackend: one entry for every ancestor and controller.
///
/// # Spec
/// `BackendStatus` in `apisx/v1alpha1/xbackend_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendStatus {
    /// What each controller says about each ancestor.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub ancestors: Vec<BackendAncestorStatus>,
}

/// What one controller says about an XBackend with regard to one ancestor, usually a Gateway.
///
/// # Spec
/// `BackendAncestorStatus` in `apisx/v1alpha1/xbackend_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendAncestorStatus {
    /// The ancestor.
    pub ancestor_ref: ParentReference,
    /// The controller that wrote the entry, and that alone may change it.
    pub controller_name: String,
    /// The conditions.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}

// === impl BackendSpec ===

impl BackendSpec {
    /// A name outside the cluster, at this port.
    pub fn external_hostname(hostname: ExternalHostnameBackend, port: BackendPort) -> Self {
        Self { external_hostname: Some(hostname), ..Self::of_type(BackendType::ExternalHostname, port) }
    }

    /// Pods by their labels, at this port.
    pub fn endpoint_selector(selector: EndpointSelectorBackend, port: BackendPort) -> Self {
        Self { endpoint_selector: Some(selector), ..Self::of_type(BackendType::EndpointSelector, port) }
    }

    fn of_type(r#type: BackendType, port: BackendPort) -> Self {
        Self {
            r#type,
            external_hostname: None,
            endpoint_selector: None,
            port,
            session_persistence: None,
            protocol: None,
            tls: BackendTls::default(),
        }
    }
}

// === impl BackendStatus ===

impl BackendStatus {
    /// Whether no controller has said anything yet.
    pub fn is_empty(&self) -> bool {
        self.ancestors.is_empty()
    }
}
