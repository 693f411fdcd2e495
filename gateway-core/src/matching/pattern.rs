//! Regular expressions, for paths, headers and query parameters alike.

use std::fmt;
use std::str::FromStr;

use regex::bytes::{Regex, RegexBuilder};

/// The memory that one compiled expression may take, in bytes.
pub const SIZE_LIMIT: usize = 1 << 20;

/// A regular expression that must match a whole text.
///
/// The dialect is that of the `regex` crate: RE2's without its `\C`, linear in the text, Unicode aware. The expression
/// is anchored as one whole, so that `a|b` matches `a` and `b` and nothing longer. An expression that would take more
/// than [`SIZE_LIMIT`] bytes is refused.
///
/// ```
/// use gateway_core::matching::pattern::Pattern;
///
/// let pattern: Pattern = "a|ab".parse()?;
/// assert!(pattern.matches(b"ab"));
/// assert!(!pattern.matches(b"abc"));
/// # Ok::<(), gateway_core::matching::pattern::PatternError>(())
/// ```
///
/// # Spec
/// HRM-06, VAL-ST-07; the choice is AMB-08.
#[derive(Clone)]
pub struct Pattern {
    source: Box<str>,
    regex: Regex,
}

/// A text that is no regular expression, or one that is too large.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{source_text:?} is not a usable regular expression: {reason}")]
pub struct PatternError {
    source_text: String,
    reason: String,
}

// === impl Pattern ===

impl Pattern {
    /// Whether the whole of `text` matches.
    pub fn matches(&self, text: &[u8]) -> bool {
        self.regex.is_match(text)
    }

    /// The expression as written.
    pub fn as_str(&self) -> &str {
        &self.source
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(source: &str) -> Result<Self, PatternError> {
        let refused = |reason: regex::Error| PatternError {
            source_text: source.chars().take(200).collect(),
            reason: match reason {
                regex::Error::CompiledTooBig(limit) => {
                    format!(
                        "it takes more than {limit} bytes when compiled; simplify it or shorten its repetitions"
                    )
                }
                other => other.to_string(),
            },
        };
        let compile = |text: &str| RegexBuilder::new(text).size_limit(SIZE_LIMIT).build().map_err(refused);
        // Alone first: `a)|(b` would be well formed inside the group.
        compile(source)?;
        let regex = compile(&format!(r"\A(?:{source})\z"))?;
        Ok(Self { source: source.into(), regex })
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Pattern {}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/", self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // HRM-06, AMB-08
    #[test]
    fn an_expression_matches_whole_texts_only() {
        for (pattern, text, expected) in [
            ("a|ab", "ab", true),
            ("a|ab", "abc", false),
            ("^a$", "a", true),
            ("(?i)abc", "ABC", true),
            ("a.c", "a\nc", false),
            ("(?m)^a$", "b\na", false),
            ("", "", true),
            ("", "a", false),
            ("/v[0-9]+/.*", "/v12/x", true),
        ] {
            let compiled: Pattern = pattern.parse().expect(pattern);
            assert_eq!(compiled.matches(text.as_bytes()), expected, "{pattern} on {text:?}");
        }
    }

    // VAL-ST-07
    #[test]
    fn what_cannot_be_compiled_is_an_error() {
        for bad in ["(", "a)|(b", "[z-a]", r"\C", "(?P<n>a)(?P<n>b)", "a{1000}{1000}{1000}", "(?=a)"] {
            assert!(bad.parse::<Pattern>().is_err(), "{bad}");
        }
    }
}
