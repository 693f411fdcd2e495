//! The texts of sessions: what they say, and what makes and understands them.

use std::fmt;
use std::hash::Hasher;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, SystemTime};

use siphasher::sip::SipHasher24;

use super::backend::{Backend, Endpoint};

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
    /// Milliseconds since the Unix epoch; six bytes of them are written.
    began: u64,
    /// The endpoint, [masked](Sealing::masked).
    masked: Spot,
    /// Of all of it, before the endpoint was masked.
    seal: u64,
}

/// An endpoint, and where it stood when the session began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Spot {
    hint: u16,
    port: u16,
    /// An address of IPv4 is written as it is in IPv6.
    ip: u128,
}

/// What seals the sessions of one scope with one backend.
///
/// A text is masked by its seal, and sealed for what is beneath the mask: whether it is one, and which endpoint it says, is found out at
/// the same cost for any text, however many endpoints there are.
#[derive(Clone, Debug)]
pub(super) struct Sealing<'b> {
    endpoints: &'b [Endpoint],
    /// What has the key, the scope and the backend in it.
    hasher: SipHasher24,
}

/// The length of a part: its numbers in hexadecimal digits.
const LENGTH: usize = 76;

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

    /// What seals sessions of this scope with this backend.
    pub(super) fn sealing<'b>(&self, scope: &str, backend: &'b Backend) -> Sealing<'b> {
        let Backend { service, kind, port, endpoints, .. } = backend;
        let mut hasher = SipHasher24::new_with_key(&self.0);
        for text in [scope, &service.namespace, &service.name, kind.as_str()] {
            hasher.write(&(text.len() as u64).to_be_bytes());
            hasher.write(text.as_bytes());
        }
        hasher.write(&port.to_be_bytes());
        Sealing { endpoints, hasher }
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey")
    }
}

// === impl Sealing ===

impl Sealing<'_> {
    /// Four bytes that tell the backends of a rule apart, mostly.
    pub(super) fn backend(&self) -> u32 {
        self.hash(b"backend.", &[]) as u32
    }

    /// A session that begins with the endpoint at this position; none when it is not there.
    pub(super) fn begin(&self, position: usize, now: SystemTime) -> Option<Part> {
        let (spot, began) = (Spot::new(position, self.endpoints.get(position)?), milliseconds(now));
        let seal = self.seal(began, spot);
        Some(Part { backend: self.backend(), began, masked: self.masked(seal, spot), seal })
    }

    /// The position of the endpoint that a session is with, if it is one and the endpoint is there.
    pub(super) fn endpoint(&self, part: Part) -> Option<usize> {
        let spot = self.masked(part.seal, part.masked);
        if self.seal(part.began, spot) != part.seal {
            return None;
        }
        let is_it = |endpoint: &Endpoint| spot.is_with(endpoint);
        // Mostly it stands where it stood.
        let hint = usize::from(spot.hint);
        match self.endpoints.get(hint).is_some_and(is_it) {
            true => Some(hint),
            false => self.endpoints.iter().position(is_it),
        }
    }

    fn seal(&self, began: u64, spot: Spot) -> u64 {
        self.hash(b"endpoint", &[&began.to_be_bytes(), &spot.bytes()])
    }

    /// What is masked, of what is not, and the other way round.
    fn masked(&self, seal: u64, spot: Spot) -> Spot {
        let seal = seal.to_be_bytes();
        let block = |number: u8| u128::from(self.hash(b"masking.", &[&seal, &[number]]));
        let (ip, more) = (block(0) << 64 | block(1), block(2));
        Spot { hint: spot.hint ^ (more >> 16) as u16, port: spot.port ^ more as u16, ip: spot.ip ^ ip }
    }

    fn hash(&self, purpose: &[u8; 8], more: &[&[u8]]) -> u64 {
        let mut hasher = self.hasher;
        hasher.write(purpose);
        more.iter().for_each(|bytes| hasher.write(bytes));
        hasher.finish()
    }
}

// === impl Spot ===

impl Spot {
    fn new(position: usize, endpoint: &Endpoint) -> Self {
        let address = endpoint.address();
        // Where it stands further behind, all are looked at.
        let hint = u16::try_from(position).unwrap_or(u16::MAX);
        Self { hint, port: address.port(), ip: in_ipv6(address) }
    }

    fn is_with(self, endpoint: &Endpoint) -> bool {
        let address = endpoint.address();
        self.port == address.port() && self.ip == in_ipv6(address)
    }

    fn bytes(self) -> [u8; 20] {
        let mut bytes = [0; 20];
        bytes[..2].copy_from_slice(&self.hint.to_be_bytes());
        bytes[2..4].copy_from_slice(&self.port.to_be_bytes());
        bytes[4..].copy_from_slice(&self.ip.to_be_bytes());
        bytes
    }
}

fn in_ipv6(address: SocketAddr) -> u128 {
    match address.ip() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().to_bits(),
        IpAddr::V6(ip) => ip.to_bits(),
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
        for Self { backend, began, masked: Spot { hint, port, ip }, seal } in parts {
            if !text.is_empty() {
                text.push(SEPARATOR);
            }
            text.push_str(&format!("{backend:08x}{began:012x}{hint:04x}{port:04x}{ip:032x}{seal:016x}"));
        }
        text
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let digits = std::str::from_utf8(text).ok().filter(|text| text.len() == LENGTH)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let number = |from: usize, to: usize| u128::from_str_radix(digits.get(from..to)?, 16).ok();
        Some(Self {
            backend: number(0, 8)? as u32,
            began: number(8, 20)? as u64,
            masked: Spot { hint: number(20, 24)? as u16, port: number(24, 28)? as u16, ip: number(28, 60)? },
            seal: number(60, LENGTH)? as u64,
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
        let part = Part { backend: 1, began: 2, masked: Spot { hint: 3, port: 4, ip: 5 }, seal: 6 };
        let text = Part::text([part].into_iter());
        let numbers = ["00000001", "000000000002", "0003", "0004", &format!("{:032}", 5), "0000000000000006"];
        assert_eq!(text, numbers.concat());
        assert_eq!(Part::parse(text.as_bytes()), Some(part));
        for wrong in [text.replacen('0', "+", 1), text.replacen('0', " ", 1), format!("{text}0")] {
            assert_eq!(Part::parse(wrong.as_bytes()), None, "{wrong}");
        }
    }

    // SES-05: no client learns where an endpoint is, be it from two texts of one moment.
    #[test]
    fn texts_of_one_moment_say_nothing_about_their_endpoints() {
        let endpoints =
            ["10.0.0.1:80", "10.0.0.2:80", "[2001:db8::1]:80"].map(|it| it.parse::<SocketAddr>().unwrap());
        let backend = Backend { endpoints: endpoints.map(Into::into).into(), ..Backend::default() };
        let sealing = SessionKey::new([7; 16]).sealing("one", &backend);
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
        let parts: Vec<_> = (0..3).map(|position| sealing.begin(position, at).unwrap()).collect();
        for (position, part) in parts.iter().enumerate() {
            assert_eq!(sealing.endpoint(*part), Some(position));
            let spot = Spot::new(position, &backend.endpoints[position]);
            assert_ne!((part.masked.ip, part.masked.port), (spot.ip, spot.port));
        }
        assert_ne!(
            parts[0].masked.ip ^ parts[1].masked.ip,
            1 ^ 2,
            "what is the same in both does not cancel out"
        );
        // The mask is the seal's, so that the endpoint of one does not fit the other.
        assert_eq!(sealing.endpoint(Part { masked: parts[1].masked, ..parts[0] }), None);
    }
}
