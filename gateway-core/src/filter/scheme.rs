//! The two schemes of HTTP.

use std::fmt;
use std::str::FromStr;

/// The scheme of a listener, of a redirect or of an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scheme {
    /// `http`
    Http,
    /// `https`
    Https,
}

/// A scheme other than `http` and `https`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a scheme; write http or https")]
pub struct SchemeError(pub String);

// === impl Scheme ===

impl Scheme {
    /// The scheme as a URI spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port that a URI of this scheme has when it names none.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Scheme {
    type Err = SchemeError;

    fn from_str(text: &str) -> Result<Self, SchemeError> {
        [Self::Http, Self::Https]
            .into_iter()
            .find(|scheme| scheme.as_str() == text)
            .ok_or_else(|| SchemeError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // FRD-10
    #[test]
    fn only_http_and_https_in_lower_case_are_schemes() {
        for scheme in [Scheme::Http, Scheme::Https] {
            assert_eq!(scheme.as_str().parse(), Ok(scheme));
        }
        for other in ["", "HTTP", "ws", "http:"] {
            assert_eq!(other.parse::<Scheme>(), Err(SchemeError(other.to_owned())));
        }
    }
}
