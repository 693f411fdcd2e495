//! Sessions: from the fields as written to what keeps requests with one endpoint.

use http::HeaderName;

use super::service::BackendName;
use crate::api::{self, CookieConfig, CookieLifetimeType, SessionPersistenceType as Type};
use crate::duration;
use crate::filter::is_framing;
use crate::rule::{SessionCarrier, SessionCookie, SessionPersistence};

/// Sessions as they are written by the object of this `scope`, which tells it from all others. A cookie that is given no name has one
/// that is made of `named`, which is said of nothing else.
///
/// # Errors
/// The field, below that of the sessions, that cannot be carried out.
///
/// # Spec
/// SES-02, SES-08, SES-10.
pub(crate) fn session(
    written: &api::SessionPersistence,
    scope: String,
    named: &str,
) -> Result<SessionPersistence, &'static str> {
    let api::SessionPersistence { absolute_timeout, r#type, cookie, header } = written;
    let timeout = absolute_timeout.as_deref().map(duration::parse).transpose();
    let carrier = match r#type {
        Type::Cookie => {
            let CookieConfig { name, path, lifetime_type } = cookie.clone().unwrap_or_default();
            let name = name.unwrap_or_else(|| default_name(named));
            let permanent = lifetime_type == CookieLifetimeType::Permanent;
            let cookie = SessionCookie::new(&name, &path, permanent);
            SessionCarrier::Cookie(cookie.map_err(|_| "sessionPersistence.cookie")?)
        }
        Type::Header => {
            let name = header.as_ref().and_then(|header| HeaderName::from_bytes(header.name.as_bytes()).ok());
            // An answer must not say by it where it ends.
            let name = name.filter(|name| !is_framing(name));
            SessionCarrier::Header(name.ok_or("sessionPersistence.header")?)
        }
        Type::Unknown(_) => return Err("sessionPersistence.type"),
    };
    let absolute_timeout = timeout.map_err(|_| "sessionPersistence.absoluteTimeout")?;
    Ok(SessionPersistence { carrier, absolute_timeout, scope: scope.into() })
}

/// What is said of sessions with these Services and ServiceImports, which have an affinity of their own.
///
/// # Spec
/// SES-11
pub(crate) fn beside_affinity(services: &[BackendName]) -> String {
    let named: Vec<_> = services.iter().map(ToString::to_string).collect();
    format!(
        "sessionAffinity of {} may want another endpoint than a session; set it to None there, or remove sessionPersistence \
         here",
        named.join(", ")
    )
}

/// FNV-1a, in hexadecimal digits.
fn default_name(of: &str) -> String {
    let hash = of.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("session-{hash:016x}")
}
