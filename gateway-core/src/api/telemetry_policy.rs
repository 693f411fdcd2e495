//! XTelemetryPolicy: what a Gateway tells about the requests that it serves (experimental).

use serde::{Deserialize, Serialize};

use super::field::{or_default, or_empty, written_enum};
use super::http_filter::{Fraction, HttpHeader};
use super::meta::ObjectMeta;
use super::policy::PolicyStatus;
use super::reference::{BackendObjectReference, LocalObjectReference};

/// What a Gateway tells about the requests that it serves.
///
/// # Spec
/// `XTelemetryPolicy` in `apisx/v1alpha1/xtelemetrypolicy_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct XTelemetryPolicy {
    /// Name, namespace, labels and the like.
    pub metadata: ObjectMeta,
    /// What is wanted.
    pub spec: TelemetryPolicySpec,
    /// What each controller says about it.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "PolicyStatus::is_empty")]
    pub status: PolicyStatus,
}

/// What is wanted of an XTelemetryPolicy.
///
/// # Spec
/// `TelemetryPolicySpec` in `apisx/v1alpha1/xtelemetrypolicy_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TelemetryPolicySpec {
    /// The Gateways, 1 to 16.
    pub target_refs: Vec<LocalObjectReference>,
    /// How requests are traced; the schema asks for it, as long as there is nothing else to ask for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracing: Option<TracingConfig>,
}

/// How requests are traced.
///
/// # Spec
/// `TracingConfig` in `apisx/v1alpha1/xtelemetrypolicy_types.go`; GEP-4768.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TracingConfig {
    /// Whether they are; the implementation decides when absent. All other fields are for `Enabled` only.
    #[serde(default, deserialize_with = "or_default")]
    pub mode: TelemetryMode,
    /// Who is told; required for `Enabled`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<TracingProvider>,
    /// The share of requests that start a trace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sampling_rate: Option<Fraction>,
    /// What is made of the decision of who sent the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_based_sampling: Option<ParentBasedSampling>,
    /// The name of the service in the trace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_name: Option<String>,
    /// The name of the span in the trace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span_name: Option<String>,
    /// What every span carries besides.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<TelemetryAttribute>,
}

written_enum! {
    /// Whether something is done, or left to the implementation.
    ///
    /// # Spec
    /// `TracingMode` and `ParentBasedSamplingMode` in `apisx/v1alpha1/xtelemetrypolicy_types.go`, which have the same values.
    #[derive(Default)]
    pub enum TelemetryMode {
        /// It is done.
        Enabled = "Enabled",
        /// It is not done.
        Disabled = "Disabled",
        /// As the implementation likes.
        #[default]
        ImplementationDefault = "ImplementationDefault",
    }
}

/// Who is told about traces, by OTLP.
///
/// # Spec
/// `TracingProvider` in `apisx/v1alpha1/xtelemetrypolicy_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TracingProvider {
    /// The backend.
    pub backend_ref: BackendObjectReference,
    /// Headers of the export requests, at most 16.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<HttpHeader>,
}

/// What is made of the sampling decision of who sent the request.
///
/// # Spec
/// `ParentBasedSampling` in `apisx/v1alpha1/xtelemetrypolicy_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParentBasedSampling {
    /// Whether it counts; the implementation decides when absent.
    #[serde(default, deserialize_with = "or_default")]
    pub mode: TelemetryMode,
    /// The share of requests in which it counts; for `Enabled` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sampling_rate: Option<Fraction>,
}

/// Something that every span carries. It keeps the shape that it is written in.
///
/// # Spec
/// `Attribute` in `apisx/v1alpha1/xtelemetrypolicy_types.go`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TelemetryAttribute {
    /// The key in the span, unique in the policy.
    pub name: String,
    /// Which of the members holds.
    pub source_type: AttributeSourceType,
    /// A header of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_name: Option<String>,
    /// A text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub literal_value: Option<String>,
    /// What OpenTelemetry calls by this name, such as `http.request.method`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attribute_key: Option<String>,
}

written_enum! {
    /// Where the value of an attribute comes from.
    ///
    /// # Spec
    /// `AttributeSourceType` in `apisx/v1alpha1/xtelemetrypolicy_types.go`.
    pub enum AttributeSourceType {
        /// A header of the request.
        Header = "Header",
        /// A text.
        Literal = "Literal",
        /// What OpenTelemetry knows about the request.
        Attribute = "Attribute",
    }
}

// === impl TelemetryAttribute ===

impl TelemetryAttribute {
    /// The attribute `name` with the value of a header of the request.
    pub fn header(name: impl Into<String>, header_name: impl Into<String>) -> Self {
        Self {
            header_name: Some(header_name.into()),
            ..Self::without_value(name, AttributeSourceType::Header)
        }
    }

    /// The attribute `name` with this text.
    pub fn literal(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { literal_value: Some(value.into()), ..Self::without_value(name, AttributeSourceType::Literal) }
    }

    /// The attribute `name` with what OpenTelemetry calls `key`.
    ///
    /// ```
    /// use gateway_core::api::TelemetryAttribute;
    ///
    /// let path = TelemetryAttribute::attribute("path", "url.path");
    /// assert_eq!(path.attribute_key.as_deref(), Some("url.path"));
    /// assert_eq!(TelemetryAttribute::header("user", "x-user").header_name.as_deref(), Some("x-user"));
    /// assert_eq!(TelemetryAttribute::literal("tier", "gold").literal_value.as_deref(), Some("gold"));
    /// ```
    pub fn attribute(name: impl Into<String>, key: impl Into<String>) -> Self {
        Self { attribute_key: Some(key.into()), ..Self::without_value(name, AttributeSourceType::Attribute) }
    }

    fn without_value(name: impl Into<String>, source_type: AttributeSourceType) -> Self {
        Self { name: name.into(), source_type, header_name: None, literal_value: None, attribute_key: None }
    }
}
