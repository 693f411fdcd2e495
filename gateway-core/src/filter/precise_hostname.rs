//! A hostname without wildcard, as redirects and rewrites name one.

use std::fmt;
use std::str::FromStr;

use http::header::MaxSizeReached;
use http::request;

use super::forwarded_host::ForwardedHost;
use crate::hostname::{Hostname, HostnameError};

/// A lower-case DNS name: no wildcard, no port, not an IP address.
///
/// # Spec
/// `PreciseHostname`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreciseHostname(ForwardedHost);

/// A text that is not a [`PreciseHostname`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PreciseHostnameError {
    /// A wildcard, which matches hosts but names none.
    #[error("{0:?} is a wildcard; name one host")]
    Wildcard(String),
    /// Not a hostname at all.
    #[error(transparent)]
    Hostname(#[from] HostnameError),
}

// === impl PreciseHostname ===

impl PreciseHostname {
    /// The hostname.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Makes this the host of the request, without port.
    pub(super) fn apply(&self, parts: &mut request::Parts) -> Result<(), MaxSizeReached> {
        self.0.apply(parts)
    }
}

impl FromStr for PreciseHostname {
    type Err = PreciseHostnameError;

    fn from_str(text: &str) -> Result<Self, PreciseHostnameError> {
        match text.parse()? {
            Hostname::Exact(_) => {
                ForwardedHost::new(text).map(Self).map_err(|_| HostnameError::Syntax(text.to_owned()).into())
            }
            Hostname::Wildcard(_) => Err(PreciseHostnameError::Wildcard(text.to_owned())),
        }
    }
}

impl fmt::Display for PreciseHostname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // FRD-03, FRW-01
    #[test]
    fn a_precise_hostname_is_one_dns_name() {
        assert_eq!("a.example".parse::<PreciseHostname>().unwrap().as_str(), "a.example");
        assert_eq!(
            "*.example".parse::<PreciseHostname>(),
            Err(PreciseHostnameError::Wildcard("*.example".to_owned()))
        );
        for bad in ["", "A.example", "a.example:80", "10.0.0.1", "a/b", "a@b"] {
            assert!(
                matches!(bad.parse::<PreciseHostname>(), Err(PreciseHostnameError::Hostname(_))),
                "{bad}"
            );
        }
    }
}
