//! How the requests of a session stay with one backend (experimental).

use serde::{Deserialize, Serialize};

use super::field::{or_default, written_enum};

/// How the requests of a session stay with one backend.
///
/// # Spec
/// `SessionPersistence` in `shared_types.go`; GEP-1619.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionPersistence {
    /// The name of the cookie or header; the implementation chooses when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_name: Option<String>,
    /// After this time a session ends in any case, as a duration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absolute_timeout: Option<String>,
    /// What carries the session; `Cookie` when absent.
    #[serde(default, deserialize_with = "or_default")]
    pub r#type: SessionPersistenceType,
    /// Details for `Cookie`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cookie_config: Option<CookieConfig>,
}

written_enum! {
    /// What carries a session.
    ///
    /// # Spec
    /// `SessionPersistenceType` in `shared_types.go`.
    #[derive(Default)]
    pub enum SessionPersistenceType {
        /// A cookie.
        #[default]
        Cookie = "Cookie",
        /// A header.
        Header = "Header",
    }
}

/// Details of a session cookie.
///
/// # Spec
/// `CookieConfig` in `shared_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CookieConfig {
    /// Whether the cookie outlives the browser session; it does not when absent.
    #[serde(default, deserialize_with = "or_default")]
    pub lifetime_type: CookieLifetimeType,
}

written_enum! {
    /// Whether a cookie outlives the browser session.
    ///
    /// # Spec
    /// `CookieLifetimeType` in `shared_types.go`.
    #[derive(Default)]
    pub enum CookieLifetimeType {
        /// It does not.
        #[default]
        Session = "Session",
        /// It lives until the absolute timeout.
        Permanent = "Permanent",
    }
}
