//! The texts of sessions: what they say, and what makes and understands them.

use std::fmt;
use std::hash::Hasher;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use siphasher::sip::SipHasher24;

use super::backend::{Backend, BackendKind, Endpoint};

/// What makes the texts of sessions, and what only those who have it understand. Replicas share one.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionKey([u8; 16]);

/// The sessions that a request shows: one with each backend of the rule that its client has come to. They are what the client
/// says, and may be made up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownSessions {
    parts: Box<[Part]>,
}

/// One part of a text: a session with an endpoint of one backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Which backend it is, as far as four bytes tell.
    pub(super) backend: u32,
    /// Where the endpoint stood when the session began.
    hint: u16,
    /// Milliseconds since the Unix epoch; six bytes of them are written.
    began: u64,
    seal: u64,
}

/// Whose sessions they are, and with which backend.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) scope: &'a str,
    pub(super) backend: &'a Backend,
}

/// The length of a part: four numbers in hexadecimal digits.
const LENGTH: usize = 40;

/// What stands between two parts.
const SEPARATOR: char = '.';

/// The largest time that is written.
const LATEST: u64 = (1 << 48) - 1;

// === impl SessionKey ===

impl SessionKey {
    /// This key. It should be random, and known to gateways only.
    pub const fn new(key: [u8; 16]) -> Self {
        Self(key)
    }

    /// A key that is no secret. The texts are sealed by the UIDs of the objects that ask for sessions, then, which an API server
    /// makes up: all replicas know them, and no client outside of the cluster. Objects from files mostly have none.
    pub const BY_UID: Self = Self([0; 16]);

    /// A key made of a secret of any length, the same for the same secret.
    pub fn from_secret(secret: &[u8]) -> Self {
        let half = |which: u8| {
            let mut hasher = SipHasher24::new_with_key(&[which; 16]);
            hasher.write(secret);
            hasher.finish().to_be_bytes()
        };
        let mut key = [0; 16];
        key[..8].copy_from_slice(&half(1));
        key[8..].copy_from_slice(&half(2));
        Self(key)
    }

    /// Four bytes that tell the backends of a rule apart, mostly.
    pub(super) fn backend(&self, place: Place<'_>) -> u32 {
        self.hasher(b"backend.", place).finish() as u32
    }

    /// A session that begins with the endpoint at this position; none when it is not there.
    pub(super) fn begin(&self, place: Place<'_>, position: usize, now: SystemTime) -> Option<Part> {
        let endpoint = place.backend.endpoints.get(position)?;
        // Where it stands further behind, all are looked at.
        let hint = u16::try_from(position).unwrap_or(u16::MAX);
        let part = Part { backend: self.backend(place), hint, began: milliseconds(now), seal: 0 };
        Some(Part { seal: self.seal(place, endpoint, part), ..part })
    }

    /// The position of the endpoint that a session is with, if it is one and the endpoint is there.
    pub(super) fn endpoint(&self, place: Place<'_>, part: Part) -> Option<usize> {
        let is_its = |endpoint: &Endpoint| self.seal(place, endpoint, part) == part.seal;
        // Mostly it stands where it stood.
        let hint = usize::from(part.hint);
        match place.backend.endpoints.get(hint).is_some_and(is_its) {
            true => Some(hint),
            false => place.backend.endpoints.iter().position(is_its),
        }
    }

    fn seal(&self, place: Place<'_>, endpoint: &Endpoint, part: Part) -> u64 {
        let mut hasher = self.hasher(b"endpoint", place);
        let address = endpoint.address();
        match address.ip() {
            IpAddr::V4(ip) => hasher.write(&ip.octets()),
            IpAddr::V6(ip) => hasher.write(&ip.octets()),
        }
        hasher.write(&address.port().to_be_bytes());
        hasher.write(&part.backend.to_be_bytes());
        hasher.write(&part.hint.to_be_bytes());
        hasher.write(&part.began.to_be_bytes());
        hasher.finish()
    }

    fn hasher(&self, purpose: &[u8; 8], Place { scope, backend }: Place<'_>) -> SipHasher24 {
        let Backend { service, kind, port, .. } = backend;
        let mut hasher = SipHasher24::new_with_key(&self.0);
        hasher.write(purpose);
        for text in [scope, &service.namespace, &service.name] {
            hasher.write(&(text.len() as u64).to_be_bytes());
            hasher.write(text.as_bytes());
        }
        hasher.write(&port.to_be_bytes());
        match kind {
            BackendKind::Service => {}
            kind => hasher.write(kind.as_str().as_bytes()),
        }
        hasher
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey")
    }
}

// === impl ShownSessions ===

impl ShownSessions {
    /// The most parts that are looked at: a text for each backend that a rule can have, with room for what a client has besides.
    const MOST: usize = 32;

    /// What these texts say, as far as they say something.
    pub(super) fn of_texts<'t>(texts: impl Iterator<Item = &'t [u8]>) -> Option<Self> {
        let split = texts.flat_map(|text| text.split(|byte| *byte == SEPARATOR as u8).take(Self::MOST));
        let parts: Box<[Part]> = split.filter_map(Part::parse).take(Self::MOST).collect();
        (!parts.is_empty()).then_some(Self { parts })
    }

    pub(super) fn parts(&self) -> impl Iterator<Item = Part> {
        self.parts.iter().copied()
    }
}

// === impl Part ===

impl Part {
    /// How long it has lasted at `now`: no time at all where the clock of another gateway goes before.
    pub(super) fn age(self, now: SystemTime) -> Duration {
        Duration::from_millis(milliseconds(now).saturating_sub(self.began))
    }

    /// The text of several.
    pub(super) fn text(parts: impl Iterator<Item = Self>) -> String {
        let mut text = String::new();
        for Self { backend, hint, began, seal } in parts {
            if !text.is_empty() {
                text.push(SEPARATOR);
            }
            text.push_str(&format!("{backend:08x}{hint:04x}{began:012x}{seal:016x}"));
        }
        text
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let digits = std::str::from_utf8(text).ok().filter(|text| text.len() == LENGTH)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let number = |from: usize, to: usize| u64::from_str_radix(digits.get(from..to)?, 16).ok();
        Some(Self {
            backend: number(0, 8)? as u32,
            hint: number(8, 12)? as u16,
            began: number(12, 24)?,
            seal: number(24, LENGTH)?,
        })
    }
}

/// Milliseconds since the Unix epoch.
fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(LATEST).min(LATEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_makes_one_key() {
        let [a, b] = ["secret", "secrex"].map(|secret| SessionKey::from_secret(secret.as_bytes()));
        assert_eq!(a, SessionKey::from_secret(b"secret"));
        assert_ne!(a, b);
        assert_ne!(a.0[..8], a.0[8..]);
        assert_eq!(format!("{a:?}"), "SessionKey", "it is not told");
    }

    #[test]
    fn a_text_has_nothing_but_digits_in_it() {
        let part = Part { backend: 1, hint: 2, began: 3, seal: 4 };
        let text = Part::text([part].into_iter());
        assert_eq!(text, "00000001000200000000000300000000000000 04".replace(' ', ""));
        assert_eq!(Part::parse(text.as_bytes()), Some(part));
        for wrong in [text.replacen('0', "+", 1), text.replacen('0', " ", 1), format!("{text}0")] {
            assert_eq!(Part::parse(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
