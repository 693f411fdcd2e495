//! Paths: the one form in which they are compared, and the three ways to match one.

use std::borrow::Cow;

use super::pattern::Pattern;

/// The condition that a match puts on the request's path.
///
/// # Spec
/// `HTTPPathMatch`, [HRM-04](crate::spec#HRM-04) to [HRM-07](crate::spec#HRM-07).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathMatch {
    /// The whole path, character by character.
    Exact(Box<str>),
    /// The leading path elements. Kept without trailing slash, so the root is the empty text.
    Prefix(Box<str>),
    /// The whole path, by a regular expression.
    Regex(Pattern),
}

/// How the path of a request met the [`PathMatch`] of the entry that was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchedPath {
    /// By the whole text.
    Exact,
    /// By a prefix: its length in bytes, without trailing slash, in the normalised path.
    Prefix(usize),
    /// By a regular expression.
    Regex,
    /// By service and method of a call, of which either may be any.
    Method,
}

/// How specific a path condition is; greater is more specific.
///
/// An exact path precedes every other; a regular expression precedes a prefix; within a kind the longer text precedes.
///
/// # Spec
/// [HRM-20](crate::spec#HRM-20) (1) and (2), [HRM-21](crate::spec#HRM-21), [HRM-25](crate::spec#HRM-25); the choices are
/// [AMB-09](crate::choices#AMB-09) and [AMB-10](crate::choices#AMB-10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathSpecificity {
    /// A prefix of this many characters, the trailing slash not counted.
    Prefix(usize),
    /// A regular expression of this many characters.
    Regex(usize),
    /// An exact path.
    Exact,
}

// === impl PathMatch ===

impl PathMatch {
    /// Matches `path` only.
    pub fn exact(path: &str) -> Self {
        Self::Exact(normalize_path(path).into())
    }

    /// Matches every path whose elements start with those of `prefix`; a trailing slash makes no difference.
    pub fn prefix(prefix: &str) -> Self {
        let normal = normalize_path(prefix);
        Self::Prefix(normal.strip_suffix('/').unwrap_or(&normal).into())
    }

    /// Whether the normalised `path` meets the condition.
    pub fn matches(&self, path: &str) -> bool {
        match self {
            Self::Exact(exact) => **exact == *path,
            Self::Prefix(prefix) => is_element_prefix(prefix, path),
            Self::Regex(pattern) => pattern.matches(path.as_bytes()),
        }
    }

    /// How specific the condition is.
    pub fn specificity(&self) -> PathSpecificity {
        match self {
            Self::Exact(_) => PathSpecificity::Exact,
            Self::Prefix(prefix) => PathSpecificity::Prefix(prefix.len()),
            Self::Regex(pattern) => PathSpecificity::Regex(pattern.as_str().chars().count()),
        }
    }

    /// What a request that meets the condition has met.
    pub fn matched(&self) -> MatchedPath {
        match self {
            Self::Exact(_) => MatchedPath::Exact,
            Self::Prefix(prefix) => MatchedPath::Prefix(prefix.len()),
            Self::Regex(_) => MatchedPath::Regex,
        }
    }
}

impl Default for PathMatch {
    /// The prefix `/`, which every path has.
    fn default() -> Self {
        Self::Prefix("".into())
    }
}

/// Whether the elements of `path` start with those of `prefix`, which has no trailing slash.
fn is_element_prefix(prefix: &str, path: &str) -> bool {
    prefix.is_empty()
        || path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The form of `path` that is compared and forwarded; borrowed when `path` has it already, as almost all do.
///
/// A path is *normalised* before anything looks at it: percent-encoded unreserved characters are decoded, characters that
/// no path may hold are encoded, the digits of escapes are put in upper case, dot segments are removed. Slashes are neither
/// merged nor decoded, and decoding never makes an escape that was not there. The normalised path is what is matched **and**
/// what is forwarded, so gateway and backend never see different things.
///
/// ```
/// use gateway_core::matching::{PathMatch, normalize_path};
///
/// let prefix = PathMatch::prefix("/shop/");
/// assert!(prefix.matches(&normalize_path("/shop")));
/// assert!(prefix.matches(&normalize_path("/%73hop/cart")));
/// assert!(!prefix.matches(&normalize_path("/shopping")));
/// assert!(!prefix.matches(&normalize_path("/shop/../admin")));
/// ```
///
/// An empty path, as a CONNECT request has, becomes `/`.
///
/// # Spec
/// [AMB-01](crate::choices#AMB-01) to [AMB-05](crate::choices#AMB-05), [AMB-07](crate::choices#AMB-07),
/// [AMB-70](crate::choices#AMB-70); RFC 3986 sections 3.3, 5.2.4 and 6.2.2.
pub fn normalize_path(path: &str) -> Cow<'_, str> {
    if path.is_empty() {
        return Cow::Borrowed("/");
    }
    let kinds = path.bytes().fold(0, |kinds, byte| kinds | KINDS[usize::from(byte)]);
    // Few paths have a dot or an escape at all.
    if kinds == 0 || kinds == DOT && !has_dot_segment(path) {
        return Cow::Borrowed(path);
    }
    let encoded = if kinds & REFUSED == 0 { Cow::Borrowed(path) } else { Cow::Owned(encode_refused(path)) };
    let decoded = match decode_unreserved(&encoded) {
        Cow::Borrowed(_) => None,
        Cow::Owned(decoded) => Some(decoded),
    };
    let decoded = decoded.map_or(encoded, Cow::Owned);
    if has_dot_segment(&decoded) { Cow::Owned(remove_dot_segments(&decoded)) } else { decoded }
}

const DOT: u8 = 1;
const PERCENT: u8 = 2;
/// What no path may hold, although parsers let some of it through: `"`, `\`, `^`, `` ` ``, `{`, `|`, `}` and what is not ASCII.
const REFUSED: u8 = 4;

/// The kind of each byte, 0 for most that a path may hold.
static KINDS: [u8; 256] = {
    let mut table = [REFUSED; 256];
    let mut byte: u8 = 0;
    while byte < 128 {
        if byte.is_ascii_alphanumeric() {
            table[byte as usize] = 0;
        }
        byte += 1;
    }
    let others = b"/-_~!$&'()*+,;=:@";
    let mut i = 0;
    while i < others.len() {
        table[others[i] as usize] = 0;
        i += 1;
    }
    table[b'.' as usize] = DOT;
    table[b'%' as usize] = PERCENT;
    table
};

/// Percent-encodes what no path may hold.
fn encode_refused(path: &str) -> String {
    let mut out = String::with_capacity(path.len() + 16);
    for byte in path.bytes() {
        if KINDS[usize::from(byte)] == REFUSED {
            out.push('%');
            for digit in [byte >> 4, byte & 0xf] {
                out.push(char::from_digit(digit.into(), 16).expect("four bits").to_ascii_uppercase());
            }
        } else {
            out.push(char::from(byte));
        }
    }
    out
}

/// Whether some segment is `.` or `..`: every one of them has a dot behind a slash.
fn has_dot_segment(path: &str) -> bool {
    let bytes = path.as_bytes();
    memchr::memchr_iter(b'.', bytes)
        .filter(|at| bytes[..*at].ends_with(b"/"))
        .any(|at| matches!(&bytes[at + 1..], [] | [b'/', ..] | [b'.'] | [b'.', b'/', ..]))
}

fn decode_unreserved(path: &str) -> Cow<'_, str> {
    let bytes = path.as_bytes();
    let mut out: Option<String> = None;
    let mut copied = 0;
    let mut from = 0;
    while let Some(at) = memchr::memchr(b'%', &bytes[from..]).map(|i| from + i) {
        let value = |i: usize| bytes.get(i).and_then(|b| (*b as char).to_digit(16));
        let (Some(high), Some(low)) = (value(at + 1), value(at + 2)) else {
            from = at + 1;
            continue;
        };
        from = at + 3;
        let byte = (high * 16 + low) as u8;
        // A digit behind a stray `%` would make an escape that the client did not write: `%%32e` must not become `%2e`.
        let before = |back: usize| match (at - copied).checked_sub(back) {
            Some(_) => Some(bytes[at - back]),
            None => out.as_ref().and_then(|out| out.bytes().nth_back(back - (at - copied) - 1)),
        };
        let completes = byte.is_ascii_hexdigit()
            && (before(1) == Some(b'%')
                || before(2) == Some(b'%') && before(1).is_some_and(|b| b.is_ascii_hexdigit()));
        let unreserved = !completes && (byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
        let escape = &path[at..from];
        if !unreserved && !escape.contains(|digit: char| digit.is_ascii_lowercase()) {
            continue;
        }
        let out = out.get_or_insert_with(|| String::with_capacity(path.len()));
        out.push_str(&path[copied..at]);
        if unreserved {
            out.push(byte as char);
        } else {
            out.push_str(&escape.to_ascii_uppercase());
        }
        copied = from;
    }
    match out {
        None => Cow::Borrowed(path),
        Some(mut out) => {
            out.push_str(&path[copied..]);
            Cow::Owned(out)
        }
    }
}

/// RFC 3986 section 5.2.4 for a path that starts with a slash. Empty segments count as segments.
fn remove_dot_segments(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." => {}
            ".." => {
                kept.pop();
            }
            other => {
                kept.push(other);
                continue;
            }
        }
        // A dot segment at the end stands for the directory itself.
        if last {
            kept.push("");
        }
    }
    let mut out = String::with_capacity(path.len());
    for segment in &kept {
        out.push('/');
        out.push_str(segment);
    }
    if out.is_empty() {
        out.push('/');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    // AMB-01, AMB-02, AMB-03, AMB-04, AMB-05, AMB-07
    #[test]
    fn normal_form() {
        for (path, normal) in [
            ("", "/"),
            ("/", "/"),
            ("*", "*"),
            ("/a/b", "/a/b"),
            ("/a//b", "/a//b"),
            ("//a", "//a"),
            ("/a/./b", "/a/b"),
            ("/a/../b", "/b"),
            ("/a/%2e%2E/b", "/b"),
            ("/a/b/..", "/a/"),
            ("/a/b/.", "/a/b/"),
            ("/../..", "/"),
            ("/a/...", "/a/..."),
            ("/a/.b", "/a/.b"),
            ("/a//../b", "/a/b"),
            ("/%66oo", "/foo"),
            ("/caf%c3%a9", "/caf%C3%A9"),
            ("/a%2fb", "/a%2Fb"),
            ("/a%2Fb", "/a%2Fb"),
            ("/100%", "/100%"),
            ("/%zz%41", "/%zzA"),
            ("/a%2", "/a%2"),
            ("/a;x=1", "/a;x=1"),
            ("/gr\u{fc}n", "/gr%C3%BCn"),
            ("/a|b\\c^`{d}\"<>[]", "/a%7Cb%5Cc%5E%60%7Bd%7D%22%3C%3E%5B%5D"),
            ("/a/%2e\u{fc}/../b", "/a/b"),
            ("/%4\u{fc}", "/%4%C3%BC"),
            ("/-._~!$&'()*+,;=:@", "/-._~!$&'()*+,;=:@"),
            ("/%25%34%31", "/%2541"),
            ("/a/%252e%252e/b", "/a/%252e%252e/b"),
            ("/a/%%32e%%32e/b", "/a/%%32e%%32e/b"),
            ("/a/%2%65%2%45/b", "/a/%2%65%2%45/b"),
            ("/%41%%32%66", "/A%%32f"),
            ("/%%2e%41", "/%.A"),
            ("/%41%2%66", "/A%2%66"),
        ] {
            assert_eq!(normalize_path(path), normal, "{path}");
            assert_eq!(normalize_path(normal), normal, "the normal form of {path} is stable");
        }
    }

    // HRM-04
    #[test]
    fn an_exact_path_is_the_whole_path_and_case_counts() {
        let exact = PathMatch::exact("/abc");
        assert!(exact.matches("/abc"));
        for other in ["/abc/", "/Abc", "/abcd", "/", "/a"] {
            assert!(!exact.matches(other), "{other}");
        }
    }

    // HRM-05, AMB-06, AMB-07
    #[test]
    fn a_prefix_compares_whole_elements_and_ignores_its_trailing_slash() {
        for prefix in ["/abc", "/abc/"] {
            let prefix = PathMatch::prefix(prefix);
            for path in ["/abc", "/abc/", "/abc/def", "/abc//x"] {
                assert!(prefix.matches(path), "{path}");
            }
            for path in ["/abcd", "/", "/ab", "//abc", "/Abc", "*"] {
                assert!(!prefix.matches(path), "{path}");
            }
        }
        for path in ["/", "/x", "//", "*"] {
            assert!(PathMatch::prefix("/").matches(path), "{path}");
        }
    }

    // HRM-20, HRM-21, HRM-25, AMB-09, AMB-10
    #[test]
    fn exact_then_regex_then_the_longest_prefix() {
        let regex = PathMatch::Regex("/a".parse().unwrap());
        let in_order = [PathMatch::exact("/"), regex, PathMatch::prefix("/abcd"), PathMatch::prefix("/")];
        assert!(in_order.is_sorted_by(|a, b| a.specificity() > b.specificity()));
        assert_eq!(PathMatch::prefix("/v2").specificity(), PathMatch::prefix("/v2/").specificity());
    }
}
