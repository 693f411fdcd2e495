//! Session persistence, of rules, XBackend and XBackendTrafficPolicy.

use super::http_filter::member;
use super::pattern;
use super::problem::Problems;
use crate::api::{CookieConfig, CookieLifetimeType, SessionPersistence, SessionPersistenceType as Type};

/// # Spec
/// VAL-SP-01 to VAL-SP-05, VAL-ST-04.
pub(super) fn session_persistence(session: &SessionPersistence, at: &mut Problems) {
    let SessionPersistence { absolute_timeout, r#type, cookie, header } = session;
    at.optional_text("absoluteTimeout", absolute_timeout.as_deref(), &pattern::DURATION);
    if let Type::Unknown(value) = r#type {
        at.field("type").unknown_value(value, Type::KNOWN);
    }
    let of_cookie = *r#type == Type::Cookie;
    member("cookie", Type::Cookie.as_str(), of_cookie, cookie.is_some(), "VAL-SP-02", "VAL-SP-03", at);
    let of_header = *r#type == Type::Header;
    member("header", Type::Header.as_str(), of_header, header.is_some(), "VAL-SP-04", "VAL-SP-05", at);
    if let Some(cookie) = cookie {
        self::cookie(cookie, absolute_timeout.is_some(), at);
    }
    if let Some(header) = header {
        at.field("header").text("name", &header.name, &pattern::HEADER_NAME);
    }
}

/// # Spec
/// VAL-SP-01, LIM-22.
fn cookie(cookie: &CookieConfig, has_absolute_timeout: bool, at: &mut Problems) {
    let CookieConfig { name, path, lifetime_type } = cookie;
    match lifetime_type {
        CookieLifetimeType::Session => {}
        CookieLifetimeType::Permanent => {
            if !has_absolute_timeout {
                at.field("absoluteTimeout").report(
                    "VAL-SP-01",
                    "is absent, but a cookie of lifetimeType Permanent needs it; write when it expires",
                );
            }
        }
        CookieLifetimeType::Unknown(value) => {
            at.field("cookie").field("lifetimeType").unknown_value(value, CookieLifetimeType::KNOWN);
        }
    }
    let at = &mut *at.field("cookie");
    at.optional_text("name", name.as_deref(), &pattern::HEADER_NAME);
    at.length("path", path, 0..=1024, "LIM-22");
}
