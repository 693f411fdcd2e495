//! The origins that a CORS filter allows.

use std::hash::{Hash, Hasher};

use hashbrown::{Equivalent, HashSet};
use http::HeaderValue;

use super::scheme::Scheme;
use crate::hostname::Host;

/// The origins that may read answers.
///
/// An origin is a scheme, a host and a port, and all three must agree; a port that is not written is the scheme's.
/// `*` alone allows every origin, even the opaque `null`. Exact origins are looked up in one hash set, without
/// allocating, and only wildcard hosts are tried one by one.
///
/// # Spec
/// `allowOrigins`, [FCO-05](crate::spec#FCO-05), [FCO-06](crate::spec#FCO-06), [FCO-15](crate::spec#FCO-15),
/// [FCO-16](crate::spec#FCO-16); the choice is [AMB-25](crate::choices#AMB-25).
#[derive(Clone, Debug, PartialEq)]
pub struct AllowedOrigins(Allowed);

#[derive(Clone, Debug, PartialEq)]
enum Allowed {
    /// `*`
    Any,
    Listed {
        exact: HashSet<Origin<Box<str>>, foldhash::fast::RandomState>,
        /// The text before which labels stand: `.bar.com`, or nothing for every host.
        wildcards: Box<[Origin<Box<str>>]>,
    },
}

/// A scheme, a host in lower case, and a port.
#[derive(Clone, Copy, Debug)]
struct Origin<S> {
    scheme: Scheme,
    host: S,
    port: u16,
}

/// A text that is not an origin pattern, or a list that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// Not `scheme://host[:port]`.
    #[error(
        "{0:?} is not an origin; write http(s)://host[:port], where the host or its first label may be *"
    )]
    Syntax(String),
    /// `*` beside other origins.
    #[error("the origin * allows every origin; do not list others beside it")]
    WildcardNotAlone,
}

// === impl AllowedOrigins ===

impl AllowedOrigins {
    /// The origins that `patterns` name; none where there are none.
    ///
    /// # Errors
    /// When a pattern is not an origin, or `*` is not the only one.
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Result<Self, OriginError> {
        let patterns: Vec<&str> = patterns.into_iter().collect();
        if patterns == ["*"] {
            return Ok(Self(Allowed::Any));
        }
        let mut exact = HashSet::default();
        let mut wildcards = Vec::new();
        for pattern in patterns {
            if pattern == "*" {
                return Err(OriginError::WildcardNotAlone);
            }
            let origin = Origin::split(pattern).ok_or_else(|| OriginError::Syntax(pattern.to_owned()))?;
            let host = origin.host.to_ascii_lowercase();
            let owned =
                |host: &str| Origin { scheme: origin.scheme, host: Box::from(host), port: origin.port };
            let suffix = host.strip_prefix('*');
            let name = match suffix {
                Some(suffix) => suffix.strip_prefix('.'),
                None => Some(&*host),
            };
            if suffix != Some("") && !name.is_some_and(is_host_pattern) {
                return Err(OriginError::Syntax(pattern.to_owned()));
            }
            match suffix {
                Some(suffix) => wildcards.push(owned(suffix)),
                None => {
                    exact.insert(owned(&host));
                }
            }
        }
        Ok(Self(Allowed::Listed { exact, wildcards: wildcards.into() }))
    }

    /// Whether every origin is allowed.
    pub fn is_any(&self) -> bool {
        self.0 == Allowed::Any
    }

    /// Whether the origin that an Origin header names is allowed.
    pub fn allows(&self, origin: &HeaderValue) -> bool {
        match &self.0 {
            Allowed::Any => true,
            Allowed::Listed { exact, wildcards } => {
                let Some(origin) = origin.to_str().ok().and_then(Origin::split) else { return false };
                // A trailing dot makes another origin, so it must not be stripped as it is from a request's host.
                let Ok(host) = Host::from_name(origin.host) else { return false };
                if origin.host.ends_with('.') {
                    return false;
                }
                let origin = Origin { host: host.as_str(), ..origin };
                exact.contains(&origin) || wildcards.iter().any(|wildcard| wildcard.covers(&origin))
            }
        }
    }
}

// === impl Origin ===

impl<'a> Origin<&'a str> {
    /// The parts of `scheme://host[:port]`.
    fn split(text: &'a str) -> Option<Self> {
        let (scheme, authority) = match text.strip_prefix("https://") {
            Some(authority) => (Scheme::Https, authority),
            None => (Scheme::Http, text.strip_prefix("http://")?),
        };
        // The colons of an IPv6 address are inside of brackets.
        let end = authority.rfind(']').map_or(0, |bracket| bracket + 1);
        let (host, port) = match authority[end..].find(':') {
            None => (authority, scheme.default_port()),
            Some(colon) => {
                let port = &authority[end + colon + 1..];
                if port.len() > 5 || !port.bytes().all(|b| b.is_ascii_digit()) {
                    return None;
                }
                (&authority[..end + colon], port.parse().ok()?)
            }
        };
        (!host.is_empty()).then_some(Self { scheme, host, port })
    }
}

impl Origin<Box<str>> {
    /// Whether the host of `origin` is this text with at least one label before it, and all else is equal.
    fn covers(&self, origin: &Origin<&str>) -> bool {
        self.scheme == origin.scheme
            && self.port == origin.port
            && origin.host.strip_suffix(&*self.host).is_some_and(|labels| !labels.is_empty())
    }
}

impl<A: AsRef<str>> Hash for Origin<A> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.scheme.hash(state);
        self.host.as_ref().hash(state);
        self.port.hash(state);
    }
}

impl<A: AsRef<str>, B: AsRef<str>> PartialEq<Origin<B>> for Origin<A> {
    fn eq(&self, other: &Origin<B>) -> bool {
        self.scheme == other.scheme && self.port == other.port && self.host.as_ref() == other.host.as_ref()
    }
}

impl Eq for Origin<Box<str>> {}

impl Equivalent<Origin<Box<str>>> for Origin<&str> {
    fn equivalent(&self, key: &Origin<Box<str>>) -> bool {
        self == key
    }
}

/// Labels of letters, digits and hyphens, joined by dots.
fn is_host_pattern(host: &str) -> bool {
    host.split('.')
        .all(|label| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(patterns: &[&str], origin: &str) -> bool {
        let origins = AllowedOrigins::new(patterns.iter().copied()).expect("patterns");
        origins.allows(&HeaderValue::from_bytes(origin.as_bytes()).expect(origin))
    }

    // FCO-05, FCO-06, AMB-25
    #[test]
    fn scheme_host_and_port_must_agree() {
        for (pattern, origin, expected) in [
            ("http://foo.com", "http://foo.com", true),
            ("http://foo.com", "http://foo.com:80", true),
            ("http://foo.com:80", "http://foo.com", true),
            ("https://foo.com:443", "https://foo.com", true),
            ("http://foo.com", "http://foo.com:8080", false),
            ("http://foo.com:8080", "http://foo.com", false),
            ("http://foo.com", "https://foo.com", false),
            ("http://foo.com:443", "https://foo.com", false),
            ("https://foo.com", "https://www.foo.com", false),
            ("https://foo.com", "https://foo.com.evil.example", false),
            ("https://foo.com", "https://foo.com.", false),
            ("https://Foo.com", "https://foo.COM", true),
            ("http://10.0.0.1:3000", "http://10.0.0.1:3000", true),
            ("https://*.bar.com", "https://www.bar.com", true),
            ("https://*.bar.com", "https://xpto.www.bar.com", true),
            ("https://*.bar.com", "https://WWW.bar.com", true),
            ("https://*.bar.com", "https://bar.com", false),
            ("https://*.bar.com", "https://foobar.com", false),
            ("https://*.bar.com", "https://.bar.com", false),
            ("https://*.bar.com", "https://www.bar.com.evil.example", false),
            ("https://*.bar.com", "http://www.bar.com", false),
            ("https://*.bar.com", "https://a.bar.com:8443", false),
            ("https://*.bar.com:8443", "https://a.bar.com:8443", true),
            ("https://*", "https://anything.example", true),
            ("https://*", "https://anything.example:8443", false),
            ("https://*:8443", "https://anything.example:8443", true),
            ("https://*", "https://[::1]", true),
            ("https://*", "https://[::1]:8443", false),
            ("https://*", "http://anything.example", false),
            ("https://*", "null", false),
        ] {
            assert_eq!(allows(&[pattern], origin), expected, "{pattern} {origin}");
        }
    }

    // FCO-05, FCO-07
    #[test]
    fn a_lone_star_allows_every_origin() {
        for origin in
            ["https://foobar.com", "https://foobar.com:12345", "null", "file://", "moz-extension://x"]
        {
            assert!(allows(&["*"], origin));
        }
    }

    // FCO-15
    #[test]
    fn an_empty_list_allows_none() {
        assert!(!allows(&[], "https://foo.com"));
    }

    #[test]
    fn a_malformed_origin_is_not_allowed() {
        for origin in [
            "",
            "https://",
            "https://:443",
            "https://foo.com:",
            "https://foo.com:+443",
            "https://foo.com:65979", // 443 modulo 2^16
            "https://foo.com:000443",
            "https://foo.com/",
            "https://foo.com/x",
            "https://user@foo.com",
            "https://foo.com https://evil.example",
            "HTTPS://foo.com:99999",
            "//foo.com",
            "foo.com",
            "https://f\u{f6}o.com",
        ] {
            assert!(!allows(&["https://foo.com", "https://*.com"], origin), "{origin}");
        }
    }

    // FCO-05, FCO-16
    #[test]
    fn patterns_that_are_no_origin_are_refused() {
        for bad in [
            "",
            "foo.com",
            "ftp://foo.com",
            "https://",
            "https://foo.com/",
            "https://foo.com:65536",
            "https://foo.com:",
            "https://*foo.com",
            "https://*.",
            "https://a.*.com",
            "https://**",
            "https://a..b",
            "https://a_b",
            "**",
            "null",
        ] {
            assert_eq!(AllowedOrigins::new([bad]), Err(OriginError::Syntax(bad.to_owned())));
        }
        for list in [["*", "https://foo.com"], ["https://foo.com", "*"], ["*", "*"]] {
            assert_eq!(AllowedOrigins::new(list), Err(OriginError::WildcardNotAlone));
        }
    }

    #[test]
    fn many_origins_of_both_kinds_together() {
        let patterns =
            ["https://a.example", "http://b.example:81", "https://*.c.example", "http://*.d.example:82"];
        for origin in
            ["https://a.example", "http://b.example:81", "https://x.c.example", "http://y.z.d.example:82"]
        {
            assert!(allows(&patterns, origin));
        }
        assert!(!allows(&patterns, "https://b.example:81"));
    }
}
