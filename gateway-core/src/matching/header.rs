//! Conditions on request headers.

use http::HeaderName;

use super::request::RequestHead;
use super::value::ValueMatch;

/// The condition that a match puts on one request header.
///
/// A header that comes on several lines meets the condition when one of the lines does; a line that holds commas is one
/// value. The lines of `Cookie` are one value: HTTP/2 lets clients divide it as they like.
///
/// # Spec
/// `HTTPHeaderMatch`, [HRM-08](crate::spec#HRM-08), [HRM-10](crate::spec#HRM-10), RFC 9113 section 8.2.3; the choices are
/// [AMB-27](crate::choices#AMB-27) and [AMB-28](crate::choices#AMB-28).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderMatch {
    /// The header; names compare without regard to case.
    pub name: HeaderName,
    /// What one of its lines must be.
    pub value: ValueMatch,
}

// === impl HeaderMatch ===

impl HeaderMatch {
    /// Whether some line of the header meets the condition.
    pub fn matches(&self, request: &RequestHead<'_>) -> bool {
        match &self.value {
            ValueMatch::Exact(exact) => request.header_values(&self.name).any(|line| *line == **exact),
            ValueMatch::Regex(pattern) => request.header_matches(&self.name, pattern),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hostname::Host;
    use http::{HeaderMap, Method, header};

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
            .collect()
    }

    fn head(headers: &HeaderMap) -> RequestHead<'_> {
        let host = Host::from_authority("example.com").unwrap();
        RequestHead::from_parts(&Method::GET, host, "/".into(), None, headers)
    }

    fn exact(value: &str) -> HeaderMatch {
        HeaderMatch { name: "version".parse().unwrap(), value: ValueMatch::exact(value) }
    }

    // HRM-08, AMB-28
    #[test]
    fn the_name_ignores_case_and_the_value_does_not() {
        let mut lines = HeaderMap::new();
        lines.insert(HeaderName::from_bytes(b"VERSION").unwrap(), "two".parse().unwrap());
        assert!(exact("two").matches(&head(&lines)));
        assert!(!exact("Two").matches(&head(&lines)));
        assert!(!exact("two").matches(&head(&HeaderMap::new())), "an absent header never matches");
    }

    // HRM-10, AMB-27
    #[test]
    fn one_line_of_several_is_enough_and_commas_do_not_split() {
        let lines = headers(&[("version", "one"), ("version", "two")]);
        assert!(exact("one").matches(&head(&lines)));
        assert!(exact("two").matches(&head(&lines)));
        assert!(!exact("one,two").matches(&head(&lines)));
        assert!(!exact("one").matches(&head(&headers(&[("version", "one,two")]))));
        assert!(exact("one,two").matches(&head(&headers(&[("version", "one,two")]))));
    }

    // HRM-10, AMB-27
    #[test]
    fn cookies_are_one_value_however_many_lines_they_come_in() {
        let exact = |value| HeaderMatch { name: header::COOKIE, value: ValueMatch::exact(value) };
        let crumbs = headers(&[("cookie", "a=1"), ("cookie", "b=2; c=3")]);
        assert!(exact("a=1; b=2; c=3").matches(&head(&crumbs)));
        assert!(!exact("a=1").matches(&head(&crumbs)), "nor would it match the one line of HTTP/1.1");
        assert!(exact("a=1").matches(&head(&headers(&[("cookie", "a=1")]))));
        assert!(!exact("").matches(&head(&HeaderMap::new())));
    }
}
