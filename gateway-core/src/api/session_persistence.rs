//! Session persistence: the requests of a session stay with one backend (experimental).

use serde::{Deserialize, Serialize};

use super::field::*;

/// How the requests of a session stay with one backend.
///
/// # Spec
/// `SessionPersistence` in `shared_types.go`; GEP-1619.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionPersistence {
    /// After this time a session ends in any case, as a duration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absolute_timeout: Option<String>,
    /// What carries the session; `Cookie` when absent.
    #[serde(default, deserialize_with = "or_default")]
    pub r#type: SessionPersistenceType,
    /// Details for `Cookie`; required for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cookie: Option<CookieConfig>,
    /// Details for `Header`; required for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<HeaderConfig>,
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CookieConfig {
    /// The name of the cookie; the implementation chooses one of its own when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The path that the cookie is sent for; `/` when absent.
    #[serde(default = "root_path", deserialize_with = "or_root_path")]
    pub path: String,
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

/// Details of a session header.
///
/// # Spec
/// `HeaderConfig` in `shared_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeaderConfig {
    /// The name of the header, which the client sends again with each request.
    pub name: String,
}

// === impl CookieConfig ===

impl Default for CookieConfig {
    /// A cookie for every path, as long as the browser session lasts.
    fn default() -> Self {
        Self { name: None, path: root_path(), lifetime_type: CookieLifetimeType::default() }
    }
}
