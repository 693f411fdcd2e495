//! Regular expressions, for paths, headers and query parameters alike.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use regex::bytes::{Regex, RegexBuilder};

/// The memory that one compiled expression may take, in bytes.
pub const SIZE_LIMIT: usize = 1 << 20;

/// The sizes that an expression is compiled for, one after the other: the first into which it fits is counted.
const SIZES: [usize; 3] = [16 << 10, 128 << 10, SIZE_LIMIT];

/// The memory that one expression may take for each thread that matches with it, in bytes.
const CACHE_LIMIT: usize = 256 << 10;

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
    /// Shared by all clones: each `Regex` has caches of its own, which grow with what is matched.
    regex: Arc<Regex>,
    size: usize,
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
    /// Whether there are other clones.
    #[cfg(feature = "resources")]
    pub(crate) fn is_shared(&self) -> bool {
        Arc::strong_count(&self.regex) > 1
    }

    /// Whether the other was cloned from this one, and not compiled again.
    #[cfg(all(test, feature = "resources"))]
    pub(crate) fn is_clone_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.regex, &other.regex)
    }

    /// Whether the whole of `text` matches.
    pub fn matches(&self, text: &[u8]) -> bool {
        self.regex.is_match(text)
    }

    /// The memory that the compiled expression takes, in bytes, rounded up to one of a few sizes. Clones share it.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The expression as written.
    pub fn as_str(&self) -> &str {
        &self.source
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(source: &str) -> Result<Self, PatternError> {
        let refused =
            |reason: String| PatternError { source_text: source.chars().take(200).collect(), reason };
        let compile =
            |text: &str, size| RegexBuilder::new(text).size_limit(size).dfa_size_limit(CACHE_LIMIT).build();
        // Alone first: `a)|(b` would be well formed inside the group. With no room nothing but the syntax is looked at.
        match compile(source, 0) {
            Ok(_) | Err(regex::Error::CompiledTooBig(_)) => {}
            Err(error) => return Err(refused(in_one_line(&error))),
        }
        let anchored = format!(r"\A(?:{source})\z");
        for size in SIZES {
            match compile(&anchored, size) {
                Ok(regex) => return Ok(Self { source: source.into(), regex: Arc::new(regex), size }),
                Err(regex::Error::CompiledTooBig(_)) => {}
                Err(error) => return Err(refused(in_one_line(&error))),
            }
        }
        Err(refused(format!(
            "it takes more than {SIZE_LIMIT} bytes when compiled; simplify it or shorten its repetitions"
        )))
    }
}

/// What is wrong with an expression, without the drawing of it: the expression stands beside, and a message is one line.
fn in_one_line(error: &regex::Error) -> String {
    let text = error.to_string();
    let reason = text.lines().rev().find_map(|line| line.strip_prefix("error: "));
    // The drawing indents the expression by four, and marks the place in the line below.
    let mark = text.lines().find(|line| line.trim_start().starts_with('^')).and_then(|line| line.find('^'));
    match (reason, mark) {
        (Some(reason), Some(mark)) if mark >= 4 => format!("{reason}, at character {}", mark - 3),
        (Some(reason), _) => reason.to_owned(),
        (None, _) => text.split_whitespace().collect::<Vec<_>>().join(" "),
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

    #[test]
    fn what_is_wrong_is_said_in_one_line() {
        for (source, reason) in [
            ("/a(", "unclosed group, at character 3"),
            ("a\nb(", "unclosed group"),
            ("[z-a]", "invalid character class range, the start must be <= the end, at character 2"),
            ("(?<x", "unclosed"),
            (r"\q", "unrecognized escape sequence, at character 1"),
        ] {
            let error = source.parse::<Pattern>().unwrap_err().to_string();
            assert!(!error.contains('\n') && error.contains(reason), "{source:?}: {error:?}");
        }
    }

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
    fn the_size_is_that_of_the_compiled_expression() {
        for (pattern, size) in [("/v[0-9]+", 16 << 10), (r"\w+@\w+", 128 << 10), (r"\w{15}", SIZE_LIMIT)] {
            assert_eq!(pattern.parse::<Pattern>().expect(pattern).size(), size, "{pattern}");
        }
        assert!(r"\w{30}".parse::<Pattern>().unwrap_err().to_string().contains("more than 1048576 bytes"));
    }

    // VAL-ST-07
    #[test]
    fn what_cannot_be_compiled_is_an_error() {
        for bad in ["(", "a)|(b", "[z-a]", r"\C", "(?P<n>a)(?P<n>b)", "a{1000}{1000}{1000}", "(?=a)"] {
            assert!(bad.parse::<Pattern>().is_err(), "{bad}");
        }
    }
}
