//! Expectations of a header.

use std::fmt;

use serde::Deserialize;

/// What a header must be. Several lines of one name count as one, joined by commas.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum HeaderExpectation {
    /// Exactly this: `X-Header-Set: set-overwrites-values`
    Value(String),
    /// One of these: `Access-Control-Allow-Methods: {oneOf: [POST, '*']}`
    OneOf(OneOf),
    /// These, in any order, and with spaces or without: `Access-Control-Allow-Methods: {set: [GET, OPTIONS]}`
    Set(Set),
}

/// One of several values.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OneOf {
    /// The values.
    pub one_of: Vec<String>,
}

/// A list in any order.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Set {
    /// The members. Names of headers and methods are compared without regard to case.
    pub set: Vec<String>,
}

// === impl HeaderExpectation ===

impl HeaderExpectation {
    /// Whether a header with these lines is what it must be. No lines: there is no such header.
    pub fn fits(&self, lines: &[&str]) -> bool {
        let found = lines.join(",");
        match self {
            Self::Value(value) => !lines.is_empty() && found == *value,
            Self::OneOf(OneOf { one_of }) => !lines.is_empty() && one_of.contains(&found),
            Self::Set(Set { set }) => {
                let sorted = |members: Vec<String>| {
                    let mut members = members;
                    members.sort_unstable();
                    members
                };
                let found = found.split(',').map(|member| member.trim().to_ascii_lowercase());
                let wanted = set.iter().map(|member| member.to_ascii_lowercase());
                !lines.is_empty() && sorted(found.collect()) == sorted(wanted.collect())
            }
        }
    }
}

impl fmt::Display for HeaderExpectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => write!(f, "{value:?}"),
            Self::OneOf(OneOf { one_of }) => write!(f, "one of {one_of:?}"),
            Self::Set(Set { set }) => write!(f, "{set:?} in any order"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(expected: &str, lines: &[&str]) -> bool {
        serde_json::from_str::<HeaderExpectation>(expected).unwrap().fits(lines)
    }

    #[test]
    fn lines_are_joined_and_compared() {
        assert!(fits(r#""a""#, &["a"]));
        assert!(fits(r#""a,b""#, &["a", "b"]) && fits(r#""a,b""#, &["a,b"]));
        assert!(!fits(r#""a""#, &[]) && !fits(r#""""#, &[]) && fits(r#""""#, &[""]));
        assert!(
            fits(r#"{"oneOf": ["POST", "*"]}"#, &["*"]) && !fits(r#"{"oneOf": ["POST", "*"]}"#, &["GET"])
        );
        assert!(fits(r#"{"set": ["GET", "OPTIONS"]}"#, &["options , GET"]));
        assert!(
            !fits(r#"{"set": ["GET", "OPTIONS"]}"#, &["GET"]) && !fits(r#"{"set": ["GET"]}"#, &["GET,PUT"])
        );
    }
}
