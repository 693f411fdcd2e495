//! Query strings: parameters by name, decoded.

use std::ops::Deref;

use smallvec::SmallVec;

/// The decoded value of a query parameter: borrowed when there is nothing to decode, and otherwise held here, so that
/// only a value of more than 64 bytes with something to decode is allocated.
#[derive(Clone, Debug)]
pub struct Value<'q>(Text<'q>);

#[derive(Clone, Debug)]
enum Text<'q> {
    Raw(&'q str),
    Decoded(SmallVec<[u8; 64]>),
}

/// The value of the first parameter called `name` in a query string, decoded; `?a` is read as `?a=`.
pub fn first_value<'q>(query: Option<&'q str>, name: &str) -> Option<Value<'q>> {
    query?
        .split('&')
        .map(pair)
        .find_map(|(raw_name, raw_value)| is_encoded(raw_name, name).then(|| Value::decode(raw_value)))
}

/// Name and value of a parameter as they are written.
fn pair(text: &str) -> (&str, &str) {
    text.split_once('=').unwrap_or((text, ""))
}

/// Whether `raw` decodes to `text`.
pub(super) fn is_encoded(raw: &str, text: &str) -> bool {
    if needs_decoding(raw) { decoded(raw).eq(text.bytes()) } else { raw == text }
}

pub(super) fn needs_decoding(raw: &str) -> bool {
    memchr::memchr2(b'%', b'+', raw.as_bytes()).is_some()
}

/// Undoes percent-encoding and reads `+` as a space.
pub(super) fn decoded(raw: &str) -> impl Iterator<Item = u8> {
    // An escaped plus sign is decoded after this, so it stays one.
    let pieces = raw.split('+').map(|piece| percent_encoding::percent_decode_str(piece));
    pieces.enumerate().flat_map(|(i, piece)| (i > 0).then_some(b' ').into_iter().chain(piece))
}

// === impl Value ===

impl<'q> Value<'q> {
    pub(super) fn decode(raw: &'q str) -> Self {
        Self(if needs_decoding(raw) { Text::Decoded(decoded(raw).collect()) } else { Text::Raw(raw) })
    }
}

impl Value<'_> {
    /// Whether it was written otherwise.
    pub(super) fn is_decoded(&self) -> bool {
        matches!(self.0, Text::Decoded(_))
    }
}

impl Deref for Value<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Text::Raw(raw) => raw.as_bytes(),
            Text::Decoded(bytes) => bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // AMB-30, AMB-32
    #[test]
    fn a_bare_name_is_empty_and_an_escape_that_is_none_stays() {
        assert_eq!(first_value(Some("a&b=1"), "a").as_deref(), Some(&b""[..]));
        assert_eq!(first_value(Some("a=%zz"), "a").as_deref(), Some(&b"%zz"[..]));
        assert!(first_value(None, "a").is_none());
    }
}
