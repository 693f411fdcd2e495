//! The path that a redirect or a rewrite puts in place of the request's.
//!
//! A prefix is replaced by whole elements, never by text: the slashes where replacement and rest meet are made exactly
//! one, and the result always starts with a slash. What a URI cannot hold is percent-encoded when the modifier is made,
//! so every modifier gives a valid target.

use bytes::Bytes;
use http::uri::PathAndQuery;

use crate::matching::MatchedPath;

/// What the path of a request is replaced with: all of it, or the prefix that matched.
///
/// # Spec
/// `HTTPPathModifier`, FRD-06, FRW-02, FRW-03, FPR-01 to FPR-03; the choices are AMB-17 and AMB-66.
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
    /// FRD-08, FRW-04
    pub fn applies_to(&self, matched: MatchedPath) -> bool {
        match (&self.0, matched) {
            (Kind::FullPath { .. }, MatchedPath::Exact | MatchedPath::Prefix(_) | MatchedPath::Regex)
            | (Kind::PrefixMatch(_), MatchedPath::Prefix(_)) => true,
            (Kind::PrefixMatch(_), MatchedPath::Exact | MatchedPath::Regex) => false,
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
