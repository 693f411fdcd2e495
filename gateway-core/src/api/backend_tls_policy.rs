//! BackendTLSPolicy: how a Gateway speaks TLS to a backend.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::field::{optional_list, or_default, or_empty, written_enum};
use super::meta::ObjectMeta;
use super::policy::PolicyStatus;
use super::reference::{LocalObjectReference, LocalPolicyTargetReferenceWithSectionName};

/// How a Gateway speaks TLS to a backend.
///
/// # Spec
/// `BackendTLSPolicy` in `backendtlspolicy_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendTlsPolicy {
    /// Name, namespace, labels and the like.
    pub metadata: ObjectMeta,
    /// What is wanted.
    pub spec: BackendTlsPolicySpec,
    /// What each controller says about it.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "PolicyStatus::is_empty")]
    pub status: PolicyStatus,
}

/// What is wanted of a BackendTLSPolicy.
///
/// # Spec
/// `BackendTLSPolicySpec` in `backendtlspolicy_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendTlsPolicySpec {
    /// The backends, 1 to 16.
    pub target_refs: Vec<LocalPolicyTargetReferenceWithSectionName>,
    /// How the backend's certificate is checked.
    pub validation: BackendTlsPolicyValidation,
    /// Options that an implementation defines, with a domain prefix.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
}

/// How a backend's certificate is checked.
///
/// # Spec
/// `BackendTLSPolicyValidation` in `backendtlspolicy_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendTlsPolicyValidation {
    /// The certificate authorities to trust; either this or `wellKnownCACertificates`. An empty list is not the same as
    /// none: the experimental channel does not take it.
    #[serde(default, deserialize_with = "optional_list", skip_serializing_if = "Option::is_none")]
    pub ca_certificate_refs: Option<Vec<LocalObjectReference>>,
    /// A set of certificate authorities that needs no reference.
    #[serde(rename = "wellKnownCACertificates", skip_serializing_if = "Option::is_none")]
    pub well_known_ca_certificates: Option<WellKnownCaCertificatesType>,
    /// The server name that is asked for (SNI), and that the certificate must have unless `subjectAltNames` are given.
    pub hostname: String,
    /// Names one of which the certificate must have instead, at most 5.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub subject_alt_names: Vec<SubjectAltName>,
}

written_enum! {
    /// A set of certificate authorities; an implementation may define more, with a domain prefix.
    ///
    /// # Spec
    /// `WellKnownCACertificatesType` in `backendtlspolicy_types.go`.
    pub enum WellKnownCaCertificatesType {
        /// Those that the system trusts.
        System = "System",
    }
}

/// A name that a certificate must have. It keeps the shape that it is written in.
///
/// # Spec
/// `SubjectAltName` in `backendtlspolicy_types.go`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SubjectAltName {
    /// Which of the members holds.
    pub r#type: SubjectAltNameType,
    /// A DNS name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// A URI, such as a SPIFFE identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
}

written_enum! {
    /// What kind of name a certificate must have.
    ///
    /// # Spec
    /// `SubjectAltNameType` in `backendtlspolicy_types.go`.
    pub enum SubjectAltNameType {
        /// A DNS name.
        Hostname = "Hostname",
        /// A URI.
        Uri = "URI",
    }
}

// === impl SubjectAltName ===

impl SubjectAltName {
    /// A DNS name.
    pub fn hostname(name: impl Into<String>) -> Self {
        Self { r#type: SubjectAltNameType::Hostname, hostname: Some(name.into()), uri: None }
    }

    /// A URI, such as a SPIFFE ID.
    pub fn uri(uri: impl Into<String>) -> Self {
        Self { r#type: SubjectAltNameType::Uri, hostname: None, uri: Some(uri.into()) }
    }
}
