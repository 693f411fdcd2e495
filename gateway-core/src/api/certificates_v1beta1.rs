//! ClusterTrustBundle: certificate authorities for a whole cluster.

use serde::{Deserialize, Serialize};

use super::meta::ObjectMeta;

/// The group of the kinds of certificates that Kubernetes has by itself.
pub const CERTIFICATES_GROUP: &str = "certificates.k8s.io";

/// Certificate authorities that everything in a cluster may trust.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterTrustBundle {
    /// Name, labels and the like.
    pub metadata: ObjectMeta,
    /// What is to be trusted.
    pub spec: ClusterTrustBundleSpec,
}

/// What a ClusterTrustBundle holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterTrustBundleSpec {
    /// Who signs by these authorities, if that is one signer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer_name: Option<String>,
    /// The certificates, in PEM.
    pub trust_bundle: String,
}
