//! Hostnames as configured, and the host a request names.
//!
//! A [`Hostname`] is written in a listener or a route and may start with a wildcard label; a [`Host`] comes from a
//! request and is brought into the one form that is compared: lower case, no port, no trailing dot.
//!
//! ```
//! use gateway_core::hostname::{Host, Hostname};
//!
//! let wildcard: Hostname = "*.example.com".parse()?;
//! assert!(wildcard.matches(&Host::from_authority("A.B.Example.com:8080")?));
//! assert!(!wildcard.matches(&Host::from_authority("example.com")?), "a wildcard needs at least one label");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use smol_str::{SmolStr, StrExt};

/// The longest hostname, in bytes.
pub const MAX_LENGTH: usize = 253;

/// A hostname as a listener or a route gives it: exact, or a wildcard for one or more leading labels.
///
/// Orders more specific hostnames first: exact ones before wildcards, then the longer ones.
///
/// # Spec
/// `Hostname`, [HST-01](crate::spec#HST-01), [HST-02](crate::spec#HST-02), [HST-14](crate::spec#HST-14).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Hostname {
    /// `foo.example.com`
    Exact(Arc<str>),
    /// `*.example.com`; the text kept is `example.com`.
    Wildcard(Arc<str>),
}

/// A text that is not a [`Hostname`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostnameError {
    /// Nothing, or more than 253 bytes.
    #[error("a hostname has 1 to 253 characters, this one has {0}")]
    Length(usize),
    /// Not a lower-case DNS name, apart from a leading `*.`.
    #[error(
        "{0:?} is not a lower-case DNS name; a wildcard may only be the whole first label, as in *.example.com"
    )]
    Syntax(String),
    /// An IP address.
    #[error("{0:?} is an IP address; a hostname is a DNS name")]
    IpAddress(String),
}

/// The host that a request names, in the form that is compared: lower case, without port and trailing dot.
///
/// Text that is in that form already is borrowed; upper case is lowered into the value itself, and allocates where it is longer
/// than 23 bytes: more room would be moved with every request, for a case that no browser sends.
///
/// # Spec
/// [HST-07](crate::spec#HST-07), [HST-15](crate::spec#HST-15), [AMB-14](crate::choices#AMB-14), [AMB-15](crate::choices#AMB-15),
/// [AMB-16](crate::choices#AMB-16).
#[derive(Clone, Debug)]
pub struct Host<'a>(HostText<'a>);

#[derive(Clone, Debug)]
enum HostText<'a> {
    Borrowed(&'a str),
    Lowered(SmolStr),
}

/// An authority that names no host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// No host before the port.
    #[error("the host is empty")]
    Empty,
    /// More than 253 bytes.
    #[error("the host is longer than 253 bytes")]
    TooLong,
    /// A character that no host has, or a port that is not a number.
    #[error("the host has a character that is not allowed there")]
    Syntax,
}

// === impl Hostname ===

impl Hostname {
    /// Whether `host` is this hostname, or falls under this wildcard with at least one label in its place.
    pub fn matches(&self, host: &Host<'_>) -> bool {
        self.matches_name(host.as_str())
    }

    fn matches_name(&self, host: &str) -> bool {
        match self {
            Self::Exact(name) => **name == *host,
            Self::Wildcard(suffix) => falls_under(host, suffix),
        }
    }

    /// Whether some host matches both.
    ///
    /// # Spec
    /// [HST-03](crate::spec#HST-03)
    pub fn intersects(&self, other: &Self) -> bool {
        self.intersection(other).is_some()
    }

    /// The hostname that matches exactly what both match: the more specific of the two, if they overlap at all.
    ///
    /// # Spec
    /// [HST-03](crate::spec#HST-03)
    pub fn intersection<'a>(&'a self, other: &'a Self) -> Option<&'a Self> {
        match (self, other) {
            (Self::Exact(a), Self::Exact(b)) => (a == b).then_some(self),
            (Self::Exact(name), Self::Wildcard(_)) => other.matches_name(name).then_some(self),
            (Self::Wildcard(_), Self::Exact(name)) => self.matches_name(name).then_some(other),
            (Self::Wildcard(a), Self::Wildcard(b)) => {
                if a == b || falls_under(a, b) {
                    Some(self)
                } else if falls_under(b, a) {
                    Some(other)
                } else {
                    None
                }
            }
        }
    }

    /// How specific the hostname is: exact before wildcard, then the number of characters as written.
    ///
    /// # Spec
    /// [HST-14](crate::spec#HST-14)
    pub fn specificity(&self) -> (bool, usize) {
        match self {
            Self::Exact(name) => (true, name.len()),
            Self::Wildcard(suffix) => (false, suffix.len() + 2),
        }
    }
}

/// Whether `host` is `.suffix` with at least one non-empty label before it.
fn falls_under(host: &str, suffix: &str) -> bool {
    host.strip_suffix(suffix).and_then(|rest| rest.strip_suffix('.')).is_some_and(|labels| !labels.is_empty())
}

impl PartialOrd for Hostname {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Hostname {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let text = |h: &Self| match h {
            Self::Exact(name) | Self::Wildcard(name) => name.clone(),
        };
        other.specificity().cmp(&self.specificity()).then_with(|| text(self).cmp(&text(other)))
    }
}

impl fmt::Display for Hostname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => f.write_str(name),
            Self::Wildcard(suffix) => write!(f, "*.{suffix}"),
        }
    }
}

impl FromStr for Hostname {
    type Err = HostnameError;

    fn from_str(text: &str) -> Result<Self, HostnameError> {
        if text.is_empty() || text.len() > MAX_LENGTH {
            return Err(HostnameError::Length(text.len()));
        }
        let (wildcard, name) = match text.strip_prefix("*.") {
            Some(suffix) => (true, suffix),
            None => (false, text),
        };
        if !is_dns_name(name) {
            return Err(HostnameError::Syntax(text.to_owned()));
        }
        if name.parse::<std::net::Ipv4Addr>().is_ok() {
            return Err(HostnameError::IpAddress(text.to_owned()));
        }
        Ok(if wildcard { Self::Wildcard(name.into()) } else { Self::Exact(name.into()) })
    }
}

/// Whether `text` is a lower-case RFC 1123 subdomain: labels of letters, digits and inner hyphens, joined by dots.
pub fn is_dns_name(text: &str) -> bool {
    !text.is_empty()
        && text.split('.').all(|label| {
            let label = label.as_bytes();
            let alphanumeric = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
            label.first().is_some_and(alphanumeric)
                && label.last().is_some_and(alphanumeric)
                && label.iter().all(|b| alphanumeric(b) || *b == b'-')
        })
}

// === impl Host ===

impl<'a> Host<'a> {
    /// The host of an authority (`host`, `host:port`, `[v6]:port`), as a Host header or a URI holds it.
    ///
    /// # Errors
    /// When the authority is empty, too long, or holds a character that a host cannot have.
    pub fn from_authority(authority: &'a str) -> Result<Self, HostError> {
        // Most authorities are a name and nothing else.
        let characters = characters(authority);
        if characters & (REFUSED | DELIMITER) == 0 {
            return Self::of_characters(authority, characters);
        }
        let bytes = authority.as_bytes();
        let (host, port) = if bytes.first() == Some(&b'[') {
            let end = memchr::memchr(b']', bytes).ok_or(HostError::Syntax)? + 1;
            match &bytes[end..] {
                [] => (&authority[..end], None),
                [b':', ..] => (&authority[..end], Some(&bytes[end + 1..])),
                [..] => return Err(HostError::Syntax),
            }
        } else {
            match memchr::memchr(b':', bytes) {
                Some(colon) => (&authority[..colon], Some(&bytes[colon + 1..])),
                None => (authority, None),
            }
        };
        if port.is_some_and(|port| !port.iter().all(u8::is_ascii_digit)) {
            return Err(HostError::Syntax);
        }
        Self::from_name(host)
    }

    /// The host of a name without port, as the server name of a TLS handshake gives it.
    ///
    /// # Errors
    /// When the name is empty, too long, or holds a character that a host cannot have.
    pub fn from_name(name: &'a str) -> Result<Self, HostError> {
        Self::of_characters(name, characters(name))
    }

    /// The host of a name that is made of these kinds of characters.
    #[inline]
    fn of_characters(name: &'a str, characters: u8) -> Result<Self, HostError> {
        let name = name.strip_suffix('.').unwrap_or(name);
        if name.is_empty() {
            return Err(HostError::Empty);
        }
        if name.len() > MAX_LENGTH {
            return Err(HostError::TooLong);
        }
        if characters & REFUSED != 0 || (characters & DELIMITER != 0 && !is_ip_literal(name)) {
            return Err(HostError::Syntax);
        }
        if characters & UPPER == 0 {
            return Ok(Self(HostText::Borrowed(name)));
        }
        Ok(Self(HostText::Lowered(name.to_ascii_lowercase_smolstr())))
    }

    /// The host of a request of HTTP/1.0 that names none: only what is for all hosts is for it.
    pub const fn absent() -> Self {
        Self(HostText::Borrowed(""))
    }

    /// The host: lower case, without port and trailing dot.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            HostText::Borrowed(text) => text,
            HostText::Lowered(text) => text,
        }
    }
}

/// Whether `name` is an IPv6 address in brackets: nothing else holds a bracket or a colon.
fn is_ip_literal(name: &str) -> bool {
    let address = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    address.is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok())
}

/// The kinds of characters that `text` holds, one bit each.
#[inline]
fn characters(text: &str) -> u8 {
    text.bytes().fold(0, |kinds, b| kinds | CHARACTERS[b as usize])
}

const UPPER: u8 = 1;
/// `[`, `]` and `:`, as in IPv6 literals and before ports.
const DELIMITER: u8 = 2;
const REFUSED: u8 = 4;

/// What a host may hold: unreserved and sub-delimiter characters, percent-encoded text, and the `[:]` of an IPv6 literal.
static CHARACTERS: [u8; 256] = {
    let mut table = [REFUSED; 256];
    let mut b = 0;
    while b < 128 {
        let c = b as u8;
        if c.is_ascii_uppercase() {
            table[b] = UPPER;
        } else if c.is_ascii_lowercase() || c.is_ascii_digit() {
            table[b] = 0;
        }
        b += 1;
    }
    let others = b"-._~%!$&'()*+,;=";
    let mut i = 0;
    while i < others.len() {
        table[others[i] as usize] = 0;
        i += 1;
    }
    let delimiters = b"[]:";
    let mut i = 0;
    while i < delimiters.len() {
        table[delimiters[i] as usize] = DELIMITER;
        i += 1;
    }
    table
};

impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hostname(text: &str) -> Hostname {
        text.parse().expect(text)
    }

    fn host(text: &str) -> Host<'_> {
        Host::from_authority(text).expect(text)
    }

    // HST-01
    #[test]
    fn a_hostname_is_a_lower_case_dns_name_with_at_most_a_leading_wildcard_label() {
        for good in ["a", "example.com", "*.example.com", "1a.b-c.d", "*.com"] {
            assert_eq!(hostname(good).to_string(), good);
        }
        for bad in [
            "",
            "*",
            "*.",
            "a.*.b",
            "*a.b",
            "Example.com",
            "a..b",
            "-a.b",
            "a-.b",
            "a.",
            "a_b",
            "a b",
            "*.*.a",
        ] {
            assert!(bad.parse::<Hostname>().is_err(), "{bad:?}");
        }
        assert_eq!("10.0.0.1".parse::<Hostname>(), Err(HostnameError::IpAddress("10.0.0.1".into())));
        assert!("a".repeat(254).parse::<Hostname>().is_err());
    }

    // HST-02, AMB-47, AMB-48
    #[test]
    fn a_wildcard_stands_for_one_or_more_labels() {
        let wildcard = hostname("*.example.com");
        for (name, expected) in [
            ("a.example.com", true),
            ("a.b.example.com", true),
            ("example.com", false),
            (".example.com", false),
            ("aexample.com", false),
            ("a.example.org", false),
        ] {
            assert_eq!(wildcard.matches(&host(name)), expected, "{name}");
        }
    }

    // HST-03
    #[test]
    fn the_intersection_is_the_more_specific_of_two_that_overlap() {
        for (a, b, expected) in [
            ("a.b.c", "a.b.c", Some("a.b.c")),
            ("a.b.c", "x.b.c", None),
            ("*.b.c", "a.b.c", Some("a.b.c")),
            ("*.b.c", "b.c", None),
            ("*.b.c", "*.c", Some("*.b.c")),
            ("*.b.c", "*.b.c", Some("*.b.c")),
            ("*.b.c", "*.x.c", None),
            ("*.bb.c", "*.b.c", None),
        ] {
            let (a, b) = (hostname(a), hostname(b));
            assert_eq!(a.intersection(&b).map(ToString::to_string).as_deref(), expected, "{a} and {b}");
            assert_eq!(b.intersection(&a).map(ToString::to_string).as_deref(), expected, "{b} and {a}");
        }
    }

    // HST-14
    #[test]
    fn exact_orders_before_any_wildcard_and_longer_before_shorter() {
        let mut all: Vec<_> =
            ["*.c", "x.y", "*.long.wildcard.example", "*.b.c", "a.b.c"].map(hostname).into();
        all.sort();
        let text: Vec<_> = all.iter().map(ToString::to_string).collect();
        assert_eq!(text, ["a.b.c", "x.y", "*.long.wildcard.example", "*.b.c", "*.c"]);
    }

    // HST-07, HST-15, AMB-14, AMB-15, AMB-16
    #[test]
    fn a_host_is_compared_in_lower_case_without_port_and_trailing_dot() {
        for (authority, expected) in [
            ("example.com", "example.com"),
            ("Example.COM:8080", "example.com"),
            ("example.com.", "example.com"),
            ("example.com.:80", "example.com"),
            ("example.com..", "example.com."),
            ("[::1]:80", "[::1]"),
            ("[::1]", "[::1]"),
            ("example.com:", "example.com"),
        ] {
            assert_eq!(host(authority).as_str(), expected, "{authority}");
        }
        for bad in
            ["", ":80", ".", "a b", "a/b", "a@b", "a:b", "[::1", "[::1]x", "a:80:90", "ü", "a]b", "[a]", "[]"]
        {
            assert!(Host::from_authority(bad).is_err(), "{bad:?}");
        }
        assert_eq!(Host::from_authority(&"a".repeat(254)).unwrap_err(), HostError::TooLong);
    }
}
