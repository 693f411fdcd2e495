//! Conditions on request headers.

use http::{HeaderMap, HeaderName};

use super::value::ValueMatch;

/// The condition that a match puts on one request header.
///
/// A header that comes on several lines meets the condition when one of the lines does; a line that holds commas is one
/// value.
///
/// # Spec
/// `HTTPHeaderMatch`, HRM-08, HRM-10; the choices are AMB-27 and AMB-28.
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
    pub fn matches(&self, headers: &HeaderMap) -> bool {
        headers.get_all(&self.name).iter().any(|line| self.value.matches(line.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
            .collect()
    }

    fn exact(value: &str) -> HeaderMatch {
        HeaderMatch { name: "version".parse().unwrap(), value: ValueMatch::exact(value) }
    }

    // HRM-08, AMB-28
    #[test]
    fn the_name_ignores_case_and_the_value_does_not() {
        let mut lines = HeaderMap::new();
        lines.insert(HeaderName::from_bytes(b"VERSION").unwrap(), "two".parse().unwrap());
        assert!(exact("two").matches(&lines));
        assert!(!exact("Two").matches(&lines));
        assert!(!exact("two").matches(&HeaderMap::new()), "an absent header never matches");
    }

    // HRM-10, AMB-27
    #[test]
    fn one_line_of_several_is_enough_and_commas_do_not_split() {
        let lines = headers(&[("version", "one"), ("version", "two")]);
        assert!(exact("one").matches(&lines));
        assert!(exact("two").matches(&lines));
        assert!(!exact("one,two").matches(&lines));
        assert!(!exact("one").matches(&headers(&[("version", "one,two")])));
        assert!(exact("one,two").matches(&headers(&[("version", "one,two")])));
    }
}
