//! Regular expressions, for paths, headers and query parameters alike.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use regex_syntax::ast::ErrorKind;

use super::automaton::{self, Automaton};
use super::pattern_set::{MEMBERS, PatternSet};

/// The sizes that expressions are counted with: the first into which one fits.
const SIZES: [usize; 4] = [SMALL, 32 << 10, 128 << 10, Pattern::SIZE_LIMIT];

/// The size up to which an expression counts once where it looks at a request.
const SMALL: usize = 16 << 10;

/// A regular expression that must match a whole text.
///
/// The dialect is that of the `regex` crate: RE2's without its `\C`, linear in the text, Unicode aware. The expression
/// is anchored as one whole, so that `a|b` matches `a` and `b` and nothing longer. An expression that would take more
/// than [`SIZE_LIMIT`](Self::SIZE_LIMIT) bytes is refused.
///
/// ```
/// use gateway_core::matching::Pattern;
///
/// let pattern: Pattern = "a|ab".parse()?;
/// assert!(pattern.matches(b"ab"));
/// assert!(!pattern.matches(b"abc"));
/// # Ok::<(), gateway_core::matching::PatternError>(())
/// ```
///
/// # Spec
/// [HRM-06](crate::spec#HRM-06), [VAL-ST-07](crate::spec#VAL-ST-07); the choice is [AMB-08](crate::choices#AMB-08).
#[derive(Clone)]
pub struct Pattern {
    /// Shared by all clones.
    compiled: Arc<Compiled>,
    /// The others that look at the same text of a request, and the place among them.
    set: Option<(Arc<PatternSet>, u8)>,
}

#[derive(Debug)]
struct Compiled {
    source: Arc<str>,
    automaton: Automaton,
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
    /// The memory that one compiled expression may take, in bytes, and as much again for each thread that matches with it.
    pub const SIZE_LIMIT: usize = 1 << 20;

    /// Whether there are other clones.
    #[cfg(feature = "resources")]
    pub(crate) fn is_shared(&self) -> bool {
        Arc::strong_count(&self.compiled) > 1
    }

    /// Whether the other was cloned from this one, and not compiled again.
    #[cfg(all(test, feature = "resources"))]
    pub(crate) fn is_clone_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.compiled, &other.compiled)
    }

    /// Whether the whole of `text` matches.
    pub fn matches(&self, text: &[u8]) -> bool {
        self.compiled.automaton.matches(text)
    }

    /// The memory that the compiled expression takes at most, in bytes: one of a few sizes. Clones share it. A thread that
    /// matches with it keeps as much again at most, and nothing with most expressions.
    pub fn size(&self) -> usize {
        self.compiled.size
    }

    /// The expression as written.
    pub fn as_str(&self) -> &str {
        &self.compiled.source
    }

    /// How much work each byte can be, compared with a small expression.
    pub(super) fn weight(&self) -> usize {
        if self.compiled.automaton.is_table() { 1 } else { self.compiled.size.div_ceil(SMALL) }
    }

    /// The set in which this looks at a text together with others, and its place there.
    pub(super) fn set(&self) -> Option<(&PatternSet, u8)> {
        self.set.as_ref().map(|(set, place)| (&**set, *place))
    }

    /// Lets these, which look at the same text of a request, look together if there are enough of them. Those that are
    /// large go on alone.
    pub(super) fn join<'p>(patterns: impl IntoIterator<Item = &'p mut Self>) {
        let mut small: Vec<_> =
            patterns.into_iter().filter(|pattern| pattern.compiled.size <= SMALL).collect();
        for chunk in small.chunks_mut(*MEMBERS.end()).filter(|chunk| MEMBERS.contains(&chunk.len())) {
            let sources = chunk.iter().map(|pattern| pattern.compiled.source.clone());
            let set = Arc::new(PatternSet::new(sources));
            for (pattern, place) in chunk.iter_mut().zip(0..) {
                pattern.set = Some((set.clone(), place));
            }
        }
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(source: &str) -> Result<Self, PatternError> {
        let refused =
            |reason: String| PatternError { source_text: source.chars().take(200).collect(), reason };
        let expression = automaton::parse(source)
            .map_err(|error| refused(format!("{}; {}", in_one_line(&error), way_out(&error))))?;
        let (automaton, size) = Automaton::new(expression, &SIZES).ok_or_else(|| {
            refused(format!(
                "it takes more than {} bytes when compiled; simplify it or shorten its repetitions",
                Self::SIZE_LIMIT
            ))
        })?;
        let compiled = Arc::new(Compiled { source: source.into(), automaton, size });
        Ok(Self { compiled, set: None })
    }
}

/// What is wrong with an expression, without the drawing of it: the expression stands beside, and a message is one line.
fn in_one_line(error: &impl fmt::Display) -> String {
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

/// What to write in the place of an expression that cannot be read.
fn way_out(error: &regex_syntax::Error) -> &'static str {
    match error {
        regex_syntax::Error::Parse(error) => match error.kind() {
            ErrorKind::UnsupportedBackreference | ErrorKind::UnsupportedLookAround => "write it without",
            _ => "write a backslash before each character that stands for itself",
        },
        _ => "write it without",
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Pattern {}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/", self.as_str())
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
            ("[0-9", "at character 1; write a backslash before each character that stands for itself"),
            ("a(?!b)", "is not supported, at character 2; write it without"),
            (r"(a)\1", "backreferences are not supported, at character 4; write it without"),
            (r"\p{Klingon}", "Unicode property not found, at character 1; write it without"),
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
            ("(?x)a # (c", "a", true),
        ] {
            let compiled: Pattern = pattern.parse().expect(pattern);
            assert_eq!(compiled.matches(text.as_bytes()), expected, "{pattern} on {text:?}");
        }
    }

    // VAL-ST-07
    #[test]
    fn the_size_is_that_of_the_compiled_expression() {
        for (pattern, size) in [
            ("/v[0-9]+", 16 << 10),
            (r"/users/\d+/x", 32 << 10),
            (r"\w+@\w+", 128 << 10),
            (r"\w{15}", Pattern::SIZE_LIMIT),
        ] {
            assert_eq!(pattern.parse::<Pattern>().expect(pattern).size(), size, "{pattern}");
        }
        assert!(r"\w{90}".parse::<Pattern>().unwrap_err().to_string().contains("more than 1048576 bytes"));
    }

    // VAL-ST-07
    #[test]
    fn what_cannot_be_compiled_is_an_error() {
        for bad in ["(", "a)|(b", "[z-a]", r"\C", "(?P<n>a)(?P<n>b)", "a{1000}{1000}{1000}", "(?=a)"] {
            assert!(bad.parse::<Pattern>().is_err(), "{bad}");
        }
    }
}
