//! The sessions of a rule: from the fields as written to what keeps requests with one endpoint.

use http::HeaderName;

use super::rule::{RuleFindings, WeightedBackends, WrittenBackend};
use super::scope::Scope;
use crate::api::{self, CookieConfig, CookieLifetimeType, SessionPersistenceType as Type};
use crate::condition::Reason;
use crate::duration;
use crate::filter::header_modifier::is_framing;
use crate::finding::Finding;
use crate::rule::{BackendTarget, SessionCarrier, SessionCookie, SessionPersistence};

const FIELD: &str = "sessionPersistence";

/// Sessions as they are written for a rule, which is named here, or known by its index. What of them cannot be carried out has no
/// effect: requests are answered all the same.
///
/// # Errors
/// When a Service of the rule has affinity of its own: the rule is invalid then.
///
/// # Spec
/// SES-01, SES-02, SES-08, SES-10, SES-11; AMB-54.
pub(super) fn session<B: WrittenBackend>(
    written: Option<&api::SessionPersistence>,
    rule: (usize, Option<&str>),
    (refs, backends): (&[B], &WeightedBackends),
    scope: &Scope<'_, '_>,
    findings: &mut RuleFindings,
) -> Result<Option<Box<SessionPersistence>>, Finding> {
    let Some(written) = written else { return Ok(None) };
    if !scope.options().session_persistence {
        findings.ignored.push(FIELD);
        return Ok(None);
    }
    // What may not be referred to is not looked at.
    let found = refs.iter().zip(backends).filter(|(_, (made, _))| made.target != BackendTarget::Unresolved);
    let with_affinity = found.filter_map(|(written, _)| scope.service_with_affinity(written.reference()));
    let services: Vec<_> = with_affinity.map(|service| service.to_string()).collect();
    if !services.is_empty() {
        let message = format!(
            "sessionAffinity of Service {} may want another endpoint than a session; set it to None there, or remove \
             sessionPersistence here",
            services.join(", ")
        );
        return Err(Finding::new(FIELD, Reason::UnsupportedValue, message));
    }
    let made = made(written, rule, scope);
    Ok(made.map_err(|field| findings.ignored.push(field)).ok().map(Box::new))
}

fn made(
    written: &api::SessionPersistence,
    rule: (usize, Option<&str>),
    scope: &Scope<'_, '_>,
) -> Result<SessionPersistence, &'static str> {
    let api::SessionPersistence { absolute_timeout, r#type, cookie, header } = written;
    let timeout = absolute_timeout.as_deref().map(duration::parse).transpose();
    let carrier = match r#type {
        Type::Cookie => {
            let CookieConfig { name, path, lifetime_type } = cookie.clone().unwrap_or_default();
            let name = name.unwrap_or_else(|| default_name(rule, scope));
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
    Ok(SessionPersistence { carrier, absolute_timeout, scope: scope.identity().into() })
}

/// A name that no other rule has, and that stays when others are added where the rule has a name: FNV-1a of that, in hexadecimal
/// digits.
fn default_name((index, name): (usize, Option<&str>), scope: &Scope<'_, '_>) -> String {
    let route = format!("{} {}", scope.route().kind, scope.route().name);
    let rule = name.map_or_else(|| format!("{route} {index}"), |name| format!("{route} name {name}"));
    let hash = rule.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("session-{hash:016x}")
}
