//! Sessions, as a rule says that they are kept.
//!
//! The texts that clients keep are the reference's own: they say in plain words with whom the session is and when it began.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use gateway_core::api::{
    CookieConfig, CookieLifetimeType, HttpRouteRule, Resources, ServiceAffinity, SessionPersistence,
    SessionPersistenceType as Type,
};
use gateway_core::rule::BackendKind;
use http::header;

use super::super::{Session, Target};
use super::backend::{self, Referrer};
use super::limits::duration;
use super::request::Seen;
use super::route::Candidate;
use super::{traffic_policy, x_backend};

/// How many texts of one name are looked at.
const TEXTS: usize = 4;

/// A session with an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Held {
    /// The route that asks for sessions.
    of: String,
    service: String,
    port: u16,
    endpoint: SocketAddr,
    /// Milliseconds since the Unix epoch.
    began: u64,
}

/// SES-11: whether a rule asks for sessions and has a backend whose Service keeps clients to itself.
pub(super) fn is_rejected(resources: &Resources, referrer: &Referrer<'_>, rule: &HttpRouteRule) -> bool {
    let has_affinity = |target: Target| {
        let service = backend::service(resources, target.kind, &target.service);
        service.is_some_and(|service| service.spec.session_affinity != ServiceAffinity::None)
    };
    rule.session_persistence.is_some()
        && rule
            .backend_refs
            .iter()
            .any(|reference| backend::resolve_ref(resources, referrer, reference).is_some_and(has_affinity))
}

/// SES-01 to SES-15: the session of a request whose backend was chosen, by what the request said before filters changed it.
pub(super) fn of_request(
    resources: &Resources,
    candidate: &Candidate<'_>,
    seen: &Seen,
    (to, endpoints): (&Target, &[SocketAddr]),
    secure: bool,
    now: SystemTime,
) -> Option<Session> {
    // SES-01: the word of the rule, or else that of a policy for the Service.
    let of_rule = candidate.rule.session_persistence.as_deref();
    let of_rule = of_rule.map(|written| (format!("{}/{}", candidate.kind, candidate.route), written));
    let of_backend = || match to.kind {
        BackendKind::XBackend => x_backend::sessions(resources, &to.service),
        _ => traffic_policy::sessions(resources, to),
    };
    let (of, written) = of_rule.or_else(of_backend)?;
    let cookie = written.cookie.clone().unwrap_or_default();
    let name = match (&written.r#type, &written.header) {
        // SES-10: all that is known of the name of its own is that it has one.
        (Type::Cookie, _) => cookie.name.clone().unwrap_or_else(|| "unnamed".to_owned()),
        (Type::Header, Some(header)) => header.name.to_ascii_lowercase(),
        (Type::Header, None) | (Type::Unknown(_), _) => return None,
    };
    let held = held(written, &name, seen);
    let is_there = |held: &&Held| {
        (&held.of, &held.service, held.port) == (&of, &named(to), to.port)
            && !is_over(written, held.began, now)
            && endpoints.contains(&held.endpoint)
    };
    let kept = held.iter().find(is_there).map(|held| held.endpoint);
    let others =
        held.iter().filter(|held| held.of == of && (&held.service, held.port) != (&named(to), to.port));
    // SES-14: the sessions with the other backends go on.
    let others = others.take(candidate.rule.backend_refs.len() - 1);
    let others: Vec<String> = others.map(text).collect();
    let begins = endpoints.iter().map(|endpoint| {
        let service = named(to);
        let began = Held { of: of.clone(), service, port: to.port, endpoint: *endpoint, began: since(now) };
        let texts: Vec<String> = std::iter::once(text(&began)).chain(others.iter().cloned()).collect();
        match &written.r#type {
            Type::Header => (name.clone(), texts.join("!")),
            _ => (header::SET_COOKIE.to_string(), set(&name, &texts.join("!"), &cookie, written, secure)),
        }
    });
    Some(Session { kept, begins: begins.collect() })
}

/// A name that no other backend has.
fn named(to: &Target) -> String {
    format!("{}/{}", to.kind, to.service)
}

/// SES-03, SES-08, SES-09
fn set(name: &str, text: &str, cookie: &CookieConfig, written: &SessionPersistence, secure: bool) -> String {
    let mut set = format!("{name}={text}; Path={}; HttpOnly; SameSite=Strict", cookie.path);
    if secure {
        set += "; Secure";
    }
    if let (CookieLifetimeType::Permanent, Some(timeout)) = (&cookie.lifetime_type, timeout(written)) {
        set += &format!("; Max-Age={}", timeout.as_millis().div_ceil(1_000));
    }
    set
}

/// SES-04
fn is_over(written: &SessionPersistence, began: u64, now: SystemTime) -> bool {
    let age = Duration::from_millis(since(now).saturating_sub(began));
    timeout(written).is_some_and(|timeout| age >= timeout)
}

fn timeout(written: &SessionPersistence) -> Option<Duration> {
    written.absolute_timeout.as_deref().map(duration)
}

fn since(now: SystemTime) -> u64 {
    now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// SES-12: all that the client shows under the name.
fn held(written: &SessionPersistence, name: &str, seen: &Seen) -> Vec<Held> {
    let is_cookie = written.r#type == Type::Cookie;
    let lines = seen.headers.get_all(if is_cookie { "cookie" } else { name });
    let lines = lines.iter().map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned());
    let mut texts = Vec::new();
    for line in lines {
        for part in line.split(if is_cookie { ';' } else { ',' }) {
            match part.trim().split_once('=') {
                _ if !is_cookie => texts.push(part.trim().to_owned()),
                Some((found, text)) if found == name => texts.push(text.to_owned()),
                _ => {}
            }
        }
    }
    texts.iter().take(TEXTS).flat_map(|text| text.split('!')).filter_map(read).collect()
}

fn text(Held { of, service, port, endpoint, began }: &Held) -> String {
    format!("{of}@{service}:{port}@{endpoint}@{began}")
}

fn read(text: &str) -> Option<Held> {
    let mut parts = text.split('@');
    let of = parts.next()?.to_owned();
    let (service, port) = parts.next()?.rsplit_once(':')?;
    Some(Held {
        of,
        service: service.to_owned(),
        port: port.parse().ok()?,
        endpoint: parts.next()?.parse().ok()?,
        began: parts.next()?.parse().ok()?,
    })
}
