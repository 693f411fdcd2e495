//! The set of those headers of a message that a gateway deals with.
//!
//! Most messages have none of them. One pass over the names finds that out faster than a search for each.

use std::ops::BitOr;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

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
    /// `Expect`
    pub const EXPECT: Self = Self(1 << 8);
    /// [What says where a request came from](super::forwarded), but for `X-Forwarded-For` itself.
    pub(super) const CLAIM: Self = Self(1 << 9);
    /// `X-Forwarded-For`
    pub const FORWARDED_FOR: Self = Self(1 << 10);
    /// `Content-Length`, where it is known to be said once, in digits only.
    pub(super) const PLAIN_LENGTH: Self = Self(1 << 11);

    /// Those that are there.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        headers.keys().fold(Self(0), |set, name| set | Self::of_name(name))
    }

    /// Those of them that are standard headers to `http`, which knows these without reading their names: all but `Keep-Alive`,
    /// `Proxy-Connection` and `X-Forwarded-For`.
    pub fn from_standard(headers: &HeaderMap) -> Self {
        headers.keys().fold(Self(0), |set, name| set | Self::of_standard_name(name))
    }

    /// Those of a message that comes from elsewhere, with what has to be known of it before it goes on.
    pub fn from_received(headers: &HeaderMap) -> Self {
        headers.iter().fold(Self(0), |set, (name, value)| {
            // Most are neither of these nor a claim.
            match Self::of_name(name) {
                Self(0) if is_claim(name.as_str()) => set | Self::CLAIM,
                Self(0) => set,
                Self::CONTENT_LENGTH => set.with_length(value),
                known => set | known,
            }
        })
    }

    /// The same with one more line of `Content-Length`.
    fn with_length(self, value: &HeaderValue) -> Self {
        if self.has(Self::CONTENT_LENGTH) {
            Self(self.0 & !Self::PLAIN_LENGTH.0)
        } else if is_plain_length(value) {
            self | Self::CONTENT_LENGTH | Self::PLAIN_LENGTH
        } else {
            self | Self::CONTENT_LENGTH
        }
    }

    /// The header of this name, if it is one of these.
    #[inline]
    fn of_name(name: &HeaderName) -> Self {
        match Self::of_standard_name(name) {
            Self(0) => match name.as_str() {
                "keep-alive" => Self::KEEP_ALIVE,
                "proxy-connection" => Self::PROXY_CONNECTION,
                "x-forwarded-for" => Self::FORWARDED_FOR,
                _ => Self(0),
            },
            known => known,
        }
    }

    /// The same of a standard header.
    #[inline]
    fn of_standard_name(name: &HeaderName) -> Self {
        match *name {
            header::CONNECTION => Self::CONNECTION,
            header::TE => Self::TE,
            header::UPGRADE => Self::UPGRADE,
            header::TRANSFER_ENCODING => Self::TRANSFER_ENCODING,
            header::CONTENT_LENGTH => Self::CONTENT_LENGTH,
            header::COOKIE => Self::COOKIE,
            header::EXPECT => Self::EXPECT,
            _ => Self(0),
        }
    }

    /// Whether one of `others` is in it.
    pub fn has(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }
}

/// Whether a header of this name says where a request came from: `Forwarded`, `X-Real-IP`, and all that begins with
/// `X-Forwarded-` but for `X-Forwarded-For`, which is a list that the gateway adds to. An underscore counts as a hyphen, as it
/// does for programs that find headers among the variables of their environment.
#[inline]
pub(super) fn is_claim(name: &str) -> bool {
    // Most begin with another letter, and are not worth a call.
    matches!(name.as_bytes().first(), Some(b'f' | b'x')) && says_origin(name)
}

fn says_origin(name: &str) -> bool {
    let begins = |with: &str| {
        let spelled = |(byte, wanted): (u8, u8)| byte == wanted || byte == b'_' && wanted == b'-';
        name.len() >= with.len() && name.bytes().zip(with.bytes()).all(spelled)
    };
    name == "forwarded"
        || begins("x-forwarded-") && name != "x-forwarded-for"
        || name.len() == "x-real-ip".len() && begins("x-real-ip")
}

/// Whether a length is written in digits alone, and not too large a number.
fn is_plain_length(value: &HeaderValue) -> bool {
    matches!(value.len(), 1..=19) && value.as_bytes().iter().all(u8::is_ascii_digit)
}

/// Whether a header that is there has one line.
pub(super) fn is_one_line(headers: &HeaderMap, name: &HeaderName) -> bool {
    // Known without a search where no header has more.
    headers.len() == headers.keys_len() || headers.get_all(name).iter().nth(1).is_none()
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
            ("expect", HeaderSet::EXPECT),
            ("accept", HeaderSet(0)),
            ("user-agent", HeaderSet(0)),
        ];
        for (name, expected) in names {
            let mut headers = HeaderMap::new();
            headers.insert("host", HeaderValue::from_static("a"));
            headers.insert(name, HeaderValue::from_static("b"));
            assert_eq!(HeaderSet::from_headers(&headers), expected, "{name}");
            assert_eq!(HeaderSet::from_received(&headers), expected, "{name}");
            if !["keep-alive", "proxy-connection"].contains(&name) {
                assert_eq!(HeaderSet::from_standard(&headers), expected, "{name}");
            }
            headers.insert("forwarded", HeaderValue::from_static("c"));
            assert_eq!(HeaderSet::from_headers(&headers), expected, "{name}");
            assert_eq!(HeaderSet::from_received(&headers), expected | HeaderSet::CLAIM, "{name}");
        }
    }

    // MSG-03
    #[test]
    fn a_length_is_plain_where_it_is_said_once_in_digits() {
        for (lines, plain) in [
            (&["0"][..], true),
            (&["1234567890123456789"], true),
            (&["12345678901234567890"], false),
            (&["7", "7"], false),
            (&["7", "7", "7"], false),
            (&["x", "7"], false),
            (&[""], false),
            (&["7, 7"], false),
            (&["+7"], false),
            (&["7 "], false),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append("content-length", HeaderValue::from_static(line));
            }
            let present = HeaderSet::from_received(&headers);
            assert!(present.has(HeaderSet::CONTENT_LENGTH));
            assert_eq!(present.has(HeaderSet::PLAIN_LENGTH), plain, "{lines:?}");
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
