//! The filters of a listener, which run before a Route is looked for (experimental).

use serde::{Deserialize, Serialize};

use super::field::{or_empty, written_enum};
use super::http_filter::HttpExternalAuthFilter;
use super::reference::LocalObjectReference;

/// What happens to requests before a Route is looked for.
///
/// # Spec
/// `ListenerFilters` in `gateway_types.go`; GEP-5224.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListenerFilters {
    /// The filters, at most 16, in the order in which they run.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<ListenerFilter>,
}

/// One filter of a listener. It keeps the shape that it is written in.
///
/// # Spec
/// `ListenerFilter` in `gateway_types.go`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListenerFilter {
    /// Which of the members holds.
    pub r#type: ListenerFilterType,
    /// Asks another service whether the request may go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_auth: Option<HttpExternalAuthFilter>,
    /// A filter of an implementation's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extension_ref: Option<LocalObjectReference>,
}

written_enum! {
    /// What a filter of a listener does.
    ///
    /// # Spec
    /// `ListenerFilterType` in `gateway_types.go`.
    pub enum ListenerFilterType {
        /// It asks another service whether the request may go on.
        ExternalAuth = "ExternalAuth",
        /// What an implementation makes of it.
        ExtensionRef = "ExtensionRef",
    }
}

// === impl ListenerFilter ===

impl ListenerFilter {
    /// Asks another service whether the request may pass (experimental).
    pub fn external_auth(filter: HttpExternalAuthFilter) -> Self {
        Self { external_auth: Some(filter), ..Self::of_type(ListenerFilterType::ExternalAuth) }
    }

    /// Does what an object of the implementation's own says.
    pub fn extension_ref(filter: LocalObjectReference) -> Self {
        Self { extension_ref: Some(filter), ..Self::of_type(ListenerFilterType::ExtensionRef) }
    }

    fn of_type(r#type: ListenerFilterType) -> Self {
        Self { r#type, external_auth: None, extension_ref: None }
    }
}
