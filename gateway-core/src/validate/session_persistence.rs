//! Session persistence, of rules and of XBackendTrafficPolicy.

use super::pattern;
use super::problem::Problems;
use crate::api::{CookieLifetimeType, SessionPersistence, SessionPersistenceType};

/// # Spec
/// VAL-SP-01, VAL-SP-02, VAL-ST-04, LIM-22.
pub(super) fn session_persistence(session: &SessionPersistence, at: &mut Problems) {
    if let Some(name) = &session.session_name {
        at.length("sessionName", name, 0..=128, "LIM-22");
    }
    at.optional_text("absoluteTimeout", session.absolute_timeout.as_deref(), &pattern::DURATION);
    if let SessionPersistenceType::Unknown(value) = &session.r#type {
        at.field("type").unknown_value(value, SessionPersistenceType::KNOWN);
    }
    let Some(cookie) = &session.cookie_config else { return };
    if session.r#type != SessionPersistenceType::Cookie {
        at.field("cookieConfig").report("VAL-SP-02", "is for type Cookie only; drop it, or change the type");
    }
    match &cookie.lifetime_type {
        CookieLifetimeType::Session => {}
        CookieLifetimeType::Permanent => {
            if session.absolute_timeout.is_none() {
                at.field("absoluteTimeout").report(
                    "VAL-SP-01",
                    "is absent, but a cookie of lifetimeType Permanent needs it; write when it expires",
                );
            }
        }
        CookieLifetimeType::Unknown(value) => {
            at.field("cookieConfig").field("lifetimeType").unknown_value(value, CookieLifetimeType::KNOWN);
        }
    }
}
