//! The path that a redirect or a rewrite puts in place of the request's.

use bytes::Bytes;
use http::uri::PathAndQuery;

use crate::matching::MatchedPath;

/// What the path of a request is replaced with: all of it, or the prefix that matched.
///
/// A prefix is replaced by whole elements, never by text: the slashes where replacement and rest meet are made exactly
/// one, and the result always starts with a slash. What a URI cannot hold is percent-encoded when the modifier is made,
/// so every modifier gives a valid target.
///
/// # Spec
/// `HTTPPathModifier`, [FRD-06](crate::spec#FRD-06), [FRW-02](crate::spec#FRW-02), [FRW-03](crate::spec#FRW-03),
/// [FPR-01](crate::spec#FPR-01) to [FPR-03](crate::spec#FPR-03); the choices are [AMB-17](crate::choices#AMB-17) and
/// [AMB-66](crate::choices#AMB-66).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathModifier(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// The target, and whether its query (or the absence of one) replaces the request's too.
    FullPath { target: PathAndQuery, replaces_query: bool },
    /// Empty, or with a leading slash.
    PrefixMatch(Box<str>),
}

/// A replacement of more than 1024 characters; the number it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a replacement path has at most {MAX_LENGTH} characters, this one has {0}")]
pub struct PathModifierError(pub usize);

/// The longest replacement, in characters.
const MAX_LENGTH: usize = 1024;

/// Why a path cannot be replaced in one particular request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreplaceable {
    /// A prefix is to be replaced, but the request was not matched by a prefix.
    #[error("the request was not matched by a path prefix")]
    NoPrefix,
    /// The target would be longer than a URI can be.
    #[error("the new target is too long")]
    TooLong,
}

// === impl PathModifier ===

impl PathModifier {
    /// Replaces the whole path. A query in `path` replaces the request's query; one that is empty (`/path?`) drops it.
    ///
    /// A leading slash is added where there is none. A `#` is part of the path, as every other character that a path
    /// cannot hold, and is percent-encoded.
    ///
    /// # Errors
    /// When `path` has more than 1024 characters.
    pub fn replace_full_path(path: &str) -> Result<Self, PathModifierError> {
        let length = bounded(path)?;
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path, None),
        };
        let mut target = rooted(encode(path, is_path_character));
        if target.is_empty() {
            target.push('/');
        }
        if let Some(query) = query.filter(|query| !query.is_empty()) {
            target.push('?');
            target.push_str(&encode(query, |b| is_path_character(b) || b == b'?'));
        }
        // Encoding left only what a target may hold, and 1024 characters make at most 12 KiB of the 64 a URI may have.
        let target = PathAndQuery::try_from(target).map_err(|_| PathModifierError(length))?;
        Ok(Self(Kind::FullPath { target, replaces_query: query.is_some() }))
    }

    /// Replaces the prefix that the request was matched by; the elements behind it stay.
    ///
    /// The replacement may be empty. Characters that a path cannot hold, `?` and `#` among them, are percent-encoded.
    ///
    /// # Errors
    /// When `replacement` has more than 1024 characters.
    pub fn replace_prefix_match(replacement: &str) -> Result<Self, PathModifierError> {
        bounded(replacement)?;
        Ok(Self(Kind::PrefixMatch(rooted(encode(replacement, is_path_character)).into())))
    }

    /// Whether the modifier can be carried out for requests that were matched in this way.
    ///
    /// # Spec
    /// [FRD-08](crate::spec#FRD-08), [FRW-04](crate::spec#FRW-04)
    pub fn applies_to(&self, matched: MatchedPath) -> bool {
        match (&self.0, matched) {
            (
                Kind::FullPath { .. },
                MatchedPath::Exact | MatchedPath::Prefix(_) | MatchedPath::Regex | MatchedPath::Method,
            )
            | (Kind::PrefixMatch(_), MatchedPath::Prefix(_)) => true,
            (Kind::PrefixMatch(_), MatchedPath::Exact | MatchedPath::Regex | MatchedPath::Method) => false,
        }
    }

    /// The new target of a request for `path` and `query`.
    pub(super) fn target(
        &self,
        path: &str,
        matched: MatchedPath,
        query: Option<&str>,
    ) -> Result<PathAndQuery, Unreplaceable> {
        if let Kind::FullPath { target, replaces_query } = &self.0
            && (*replaces_query || query.is_none())
        {
            return Ok(target.clone());
        }
        let mut out = String::new();
        self.write(&mut out, path, matched, query)?;
        PathAndQuery::from_maybe_shared(Bytes::from(out)).map_err(|_| Unreplaceable::TooLong)
    }

    /// Writes the new target of a request for `path` and `query`.
    pub(super) fn write(
        &self,
        out: &mut String,
        path: &str,
        matched: MatchedPath,
        query: Option<&str>,
    ) -> Result<(), Unreplaceable> {
        let query = match &self.0 {
            Kind::FullPath { target, replaces_query } => {
                out.push_str(target.as_str());
                query.filter(|_| !*replaces_query)
            }
            Kind::PrefixMatch(replacement) => {
                let MatchedPath::Prefix(length) = matched else { return Err(Unreplaceable::NoPrefix) };
                // `*`, the target of a server-wide OPTIONS, has no elements to keep.
                let rest = path.get(length..).filter(|rest| rest.starts_with('/')).unwrap_or("");
                let replacement = match replacement.strip_suffix('/') {
                    Some(shorter) if rest.starts_with('/') => shorter,
                    Some(_) | None => replacement,
                };
                out.reserve(replacement.len() + rest.len() + query.map_or(0, |query| query.len() + 1));
                out.push_str(replacement);
                out.push_str(rest);
                if replacement.is_empty() && rest.is_empty() {
                    out.push('/');
                }
                query
            }
        };
        if let Some(query) = query {
            out.push('?');
            out.push_str(query);
        }
        Ok(())
    }
}

/// The number of characters, if there are not too many.
fn bounded(text: &str) -> Result<usize, PathModifierError> {
    let length = text.chars().count();
    if length > MAX_LENGTH { Err(PathModifierError(length)) } else { Ok(length) }
}

/// `path` with a leading slash, unless it is empty.
fn rooted(mut path: String) -> String {
    if !path.is_empty() && !path.starts_with('/') {
        path.insert(0, '/');
    }
    path
}

/// `reference` with everything percent-encoded that no URI may hold, as a query may that came with a request.
///
/// # Spec
/// RFC 3986 section 2.
pub(super) fn encode_reference(reference: String) -> String {
    let is_uri_character = |b: u8| is_path_character(b) || b"?%[]".contains(&b);
    if reference.bytes().all(is_uri_character) { reference } else { encode(&reference, is_uri_character) }
}

/// RFC 3986 `pchar` and the slash, without the percent sign.
fn is_path_character(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&b)
}

/// `text` with every byte percent-encoded that is neither `allowed` nor part of a valid escape.
fn encode(text: &str, allowed: impl Fn(u8) -> bool) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    for (i, &b) in bytes.iter().enumerate() {
        let escape =
            || bytes.get(i + 1..i + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        if allowed(b) || (b == b'%' && escape()) {
            out.push(b as char);
        } else {
            out.push_str(percent_encoding::percent_encode_byte(b));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::matching::PathMatch;

    fn replaced(path: &str, prefix: &str, replacement: &str) -> String {
        let prefix = PathMatch::prefix(prefix);
        assert!(prefix.matches(path), "{path}");
        let modifier = PathModifier::replace_prefix_match(replacement).unwrap();
        modifier.target(path, prefix.matched(), None).unwrap().to_string()
    }

    // FPR-01, FPR-02, AMB-17
    #[test]
    fn prefixes_are_replaced_as_the_specification_tabulates() {
        for (row, path, prefix, replacement, expected) in [
            ("1", "/foo/bar", "/foo", "/xyz", "/xyz/bar"),
            ("2", "/foo/bar", "/foo", "/xyz/", "/xyz/bar"),
            ("3", "/foo/bar", "/foo/", "/xyz", "/xyz/bar"),
            ("4", "/foo/bar", "/foo/", "/xyz/", "/xyz/bar"),
            ("5", "/foo", "/foo", "/xyz", "/xyz"),
            ("6", "/foo/", "/foo", "/xyz", "/xyz/"),
            ("7", "/foo/bar", "/foo", "", "/bar"),
            ("8", "/foo/", "/foo", "", "/"),
            ("9", "/foo", "/foo", "", "/"),
            ("10", "/foo/", "/foo", "/", "/"),
            ("11", "/foo", "/foo", "/", "/"),
            ("derived a", "/foo", "/foo", "/xyz/", "/xyz/"),
            ("derived b", "/foo/", "/foo", "/xyz/", "/xyz/"),
            ("derived c", "/bar", "/", "/xyz", "/xyz/bar"),
            ("derived d", "/", "/", "/xyz", "/xyz/"),
            ("derived e", "/foo//bar", "/foo", "/xyz", "/xyz//bar"),
            ("empty for the root", "/bar", "/", "", "/bar"),
            ("root for the root", "/", "/", "/", "/"),
            ("prefix with a slash, path without", "/foo", "/foo/", "/xyz", "/xyz"),
        ] {
            assert_eq!(replaced(path, prefix, replacement), expected, "row {row}");
        }
    }

    // FPR-03
    #[test]
    fn a_missing_leading_slash_is_added_and_what_no_path_holds_is_encoded() {
        for (replacement, expected) in [
            ("xyz", "/xyz/b"),
            ("a b", "/a%20b/b"),
            ("/caf\u{e9}", "/caf%C3%A9/b"),
            ("/100%", "/100%25/b"),
            ("/%2F%zz", "/%2F%25zz/b"),
            ("/a?b#c", "/a%3Fb%23c/b"),
            ("/\r\nx: y", "/%0D%0Ax:%20y/b"),
            ("/;p=1,2", "/;p=1,2/b"),
        ] {
            assert_eq!(replaced("/a/b", "/a", replacement), expected, "{replacement:?}");
        }
        assert_eq!(
            PathModifier::replace_prefix_match(&"x".repeat(1025)),
            Err(PathModifierError(1025)),
            "one more than the schema allows"
        );
        let widest = "\u{10ffff}".repeat(1024);
        assert!(PathModifier::replace_prefix_match(&widest).is_ok());
        assert!(PathModifier::replace_full_path(&widest).is_ok());
    }

    // FRD-06, FRD-07, FRW-02, AMB-66
    #[test]
    fn a_full_path_keeps_the_query_unless_it_brings_one() {
        for (full, query, expected) in [
            ("/new", None, "/new"),
            ("/new", Some("a=1"), "/new?a=1"),
            ("/new", Some(""), "/new?"),
            ("/new?b=2", Some("a=1"), "/new?b=2"),
            ("/new?b=2", None, "/new?b=2"),
            ("/new?b=2?c d", Some("a=1"), "/new?b=2?c%20d"),
            ("/new?", Some("a=1"), "/new"),
            ("", None, "/"),
            ("", Some("a=1"), "/?a=1"),
            ("?b=2", Some("a=1"), "/?b=2"),
            ("new", None, "/new"),
            ("/new#top", Some("a=1"), "/new%23top?a=1"),
        ] {
            let modifier = PathModifier::replace_full_path(full).unwrap();
            for matched in [MatchedPath::Exact, MatchedPath::Prefix(2), MatchedPath::Regex] {
                let target = modifier.target("/old/path", matched, query).unwrap();
                assert_eq!(target, expected, "{full:?} for {query:?}");
            }
        }
    }

    // FRD-07
    #[test]
    fn a_prefix_keeps_the_query() {
        let modifier = PathModifier::replace_prefix_match("/xyz").unwrap();
        let target = modifier.target("/foo/bar", MatchedPath::Prefix(4), Some("a=1&b")).unwrap();
        assert_eq!(target, "/xyz/bar?a=1&b");
    }

    // FRD-08, FRW-04
    #[test]
    fn a_prefix_needs_a_match_by_prefix() {
        let modifier = PathModifier::replace_prefix_match("/xyz").unwrap();
        for matched in [MatchedPath::Exact, MatchedPath::Regex] {
            assert!(!modifier.applies_to(matched));
            assert_eq!(modifier.target("/foo", matched, None), Err(Unreplaceable::NoPrefix));
        }
        assert!(modifier.applies_to(MatchedPath::Prefix(0)));
    }

    #[test]
    fn a_target_that_gets_too_long_is_refused() {
        let modifier = PathModifier::replace_prefix_match(&"x".repeat(1024)).unwrap();
        let path = format!("/a/{}", "y".repeat(65_000));
        assert_eq!(modifier.target(&path, MatchedPath::Prefix(2), None), Err(Unreplaceable::TooLong));
    }

    #[test]
    fn a_target_without_elements_keeps_none() {
        let modifier = PathModifier::replace_prefix_match("/xyz").unwrap();
        assert_eq!(modifier.target("*", MatchedPath::Prefix(0), None).unwrap(), "/xyz");
        assert_eq!(modifier.target("/short", MatchedPath::Prefix(99), None).unwrap(), "/xyz");
        assert_eq!(modifier.target("/\u{e9}", MatchedPath::Prefix(2), None).unwrap(), "/xyz");
    }

    /// Paths that collide often, with empty elements and trailing slashes.
    fn path() -> impl Strategy<Value = String> {
        proptest::collection::vec(prop_oneof!["", "a", "b", "foo", "%2F"], 1..5)
            .prop_map(|elements| format!("/{}", elements.join("/")))
    }

    proptest! {
        // FPR-01, FPR-02, FPR-03
        #[test]
        fn the_elements_behind_the_prefix_follow_those_of_the_replacement(
            path in path(),
            elements in 0_usize..5,
            replacement in prop_oneof![path(), Just(String::new()), "[a-c/]{0,4}"],
        ) {
            let split: Vec<&str> = path.split('/').skip(1).collect();
            let (taken, kept) = split.split_at(elements.min(split.len()));
            let matched = MatchedPath::Prefix(taken.iter().map(|element| element.len() + 1).sum());
            let modifier = PathModifier::replace_prefix_match(&replacement).unwrap();
            let target = modifier.target(&path, matched, None).unwrap();

            let mut expected: Vec<&str> = replacement.strip_prefix('/').unwrap_or(&replacement).split('/').collect();
            if !kept.is_empty() {
                // The slash at the end of the replacement and the one before the rest are the same slash.
                if expected.last() == Some(&"") {
                    expected.pop();
                }
                expected.extend(kept);
            }
            prop_assert_eq!(target.as_str(), format!("/{}", expected.join("/")));
        }

        // FPR-03
        #[test]
        fn whatever_is_written_becomes_a_target_with_a_leading_slash(text in "\\PC{0,20}", path in path()) {
            for modifier in [PathModifier::replace_full_path(&text), PathModifier::replace_prefix_match(&text)] {
                let target = modifier.unwrap().target(&path, MatchedPath::Prefix(0), Some("q")).unwrap();
                prop_assert!(target.path().starts_with('/'));
            }
        }
    }
}
