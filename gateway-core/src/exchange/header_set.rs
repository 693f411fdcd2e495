//! Which headers that a gateway deals with a message has.
//!
//! Most messages have none of them. One pass over the names finds that out faster than a search for each.

use std::ops::BitOr;

use http::HeaderMap;

/// A set of header names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderSet(u16);

// === impl HeaderSet ===

impl HeaderSet {
    /// `Connection`
    pub const CONNECTION: Self = Self(1);
    /// `Keep-Alive`
    pub const KEEP_ALIVE: Self = Self(1 << 1);
    /// `Proxy-Connection`
    pub const PROXY_CONNECTION: Self = Self(1 << 2);
    /// `TE`
    pub const TE: Self = Self(1 << 3);
    /// `Upgrade`
    pub const UPGRADE: Self = Self(1 << 4);
    /// `Transfer-Encoding`
    pub const TRANSFER_ENCODING: Self = Self(1 << 5);
    /// `Content-Length`
    pub const CONTENT_LENGTH: Self = Self(1 << 6);
    /// `Cookie`
    pub const COOKIE: Self = Self(1 << 7);
    /// [What says where a request came from](super::forwarded), but for `X-Forwarded-For` itself.
    pub const CLAIM: Self = Self(1 << 8);

    /// Those that are there.
    pub fn of(headers: &HeaderMap) -> Self {
        headers.keys().fold(Self(0), |set, name| {
            set | match name.as_str() {
                "connection" => Self::CONNECTION,
                "keep-alive" => Self::KEEP_ALIVE,
                "proxy-connection" => Self::PROXY_CONNECTION,
                "te" => Self::TE,
                "upgrade" => Self::UPGRADE,
                "transfer-encoding" => Self::TRANSFER_ENCODING,
                "content-length" => Self::CONTENT_LENGTH,
                "cookie" => Self::COOKIE,
                name if is_claim(name) => Self::CLAIM,
                _ => Self(0),
            }
        })
    }

    /// Whether one of `others` is in it.
    pub fn has(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }
}

/// Whether a header of this name says where a request came from: `Forwarded`, `X-Real-IP`, and all that begins with
/// `X-Forwarded-` but for `X-Forwarded-For`, which is a list that the gateway adds to. An underscore counts as a hyphen, as it
/// does for programs that find headers among the variables of their environment.
pub(super) fn is_claim(name: &str) -> bool {
    let begins = |with: &str| {
        let spelled = |(byte, wanted): (u8, u8)| byte == wanted || byte == b'_' && wanted == b'-';
        name.len() >= with.len() && name.bytes().zip(with.bytes()).all(spelled)
    };
    match name.as_bytes().first() {
        Some(b'f') => name == "forwarded",
        Some(b'x') => {
            begins("x-forwarded-") && name != "x-forwarded-for"
                || name.len() == "x-real-ip".len() && begins("x-real-ip")
        }
        Some(_) | None => false,
    }
}

impl BitOr for HeaderSet {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn each_header_is_found() {
        let names = [
            ("connection", HeaderSet::CONNECTION),
            ("keep-alive", HeaderSet::KEEP_ALIVE),
            ("proxy-connection", HeaderSet::PROXY_CONNECTION),
            ("te", HeaderSet::TE),
            ("upgrade", HeaderSet::UPGRADE),
            ("transfer-encoding", HeaderSet::TRANSFER_ENCODING),
            ("content-length", HeaderSet::CONTENT_LENGTH),
            ("cookie", HeaderSet::COOKIE),
            ("forwarded", HeaderSet::CLAIM),
        ];
        for (name, expected) in names {
            let mut headers = HeaderMap::new();
            headers.insert("host", HeaderValue::from_static("a"));
            headers.insert(name, HeaderValue::from_static("b"));
            assert_eq!(HeaderSet::of(&headers), expected, "{name}");
        }
    }

    // FRW-07
    #[test]
    fn a_claim_is_one_however_it_is_spelled() {
        for claim in [
            "forwarded",
            "x-real-ip",
            "x_real-ip",
            "x-forwarded-port",
            "x_forwarded_host",
            "x_forwarded_for",
            "x-forwarded_for",
            "x-forwarded-client-cert",
        ] {
            assert!(is_claim(claim), "{claim}");
        }
        for other in ["x-forwarded-for", "x-forwarded", "x-real-ip-2", "forwarded-for", "x", "from", "via"] {
            assert!(!is_claim(other), "{other}");
        }
    }
}
