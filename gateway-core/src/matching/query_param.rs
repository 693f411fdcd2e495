//! Conditions on query parameters.

use std::ops::Deref;

use smallvec::SmallVec;

use super::value::ValueMatch;

/// The condition that a match puts on one query parameter.
///
/// Name and value are compared after decoding, case counts, and only the first parameter of the name is looked at.
///
/// # Spec
/// `HTTPQueryParamMatch`, HRM-12, HRM-13; the choices are AMB-30 to AMB-32.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryParamMatch {
    /// The name, decoded.
    pub name: Box<str>,
    /// What the value must be, decoded.
    pub value: ValueMatch,
}

/// The decoded value of a query parameter: borrowed when there is nothing to decode, and otherwise held here, so that
/// only a value of more than 64 bytes with something to decode is allocated.
#[derive(Clone, Debug)]
pub struct Value<'q>(Text<'q>);

#[derive(Clone, Debug)]
enum Text<'q> {
    Raw(&'q str),
    Decoded(SmallVec<[u8; 64]>),
}

// === impl QueryParamMatch ===

impl QueryParamMatch {
    /// Whether the first parameter of this name meets the condition.
    pub fn matches(&self, query: Option<&str>) -> bool {
        first_value(query, &self.name).is_some_and(|value| self.value.matches(&value))
    }
}

/// The value of the first parameter called `name` in a query string, decoded; `?a` is read as `?a=`.
pub fn first_value<'q>(query: Option<&'q str>, name: &str) -> Option<Value<'q>> {
    query?.split('&').find_map(|pair| {
        let (raw_name, raw_value) = pair.split_once('=').unwrap_or((pair, ""));
        is_encoded(raw_name, name).then(|| Value::decode(raw_value))
    })
}

/// Whether `raw` decodes to `text`.
fn is_encoded(raw: &str, text: &str) -> bool {
    if needs_decoding(raw) { decoded(raw).eq(text.bytes()) } else { raw == text }
}

fn needs_decoding(raw: &str) -> bool {
    memchr::memchr2(b'%', b'+', raw.as_bytes()).is_some()
}

/// Undoes percent-encoding and reads `+` as a space.
fn decoded(raw: &str) -> impl Iterator<Item = u8> {
    // An escaped plus sign is decoded after this, so it stays one.
    let pieces = raw.split('+').map(|piece| percent_encoding::percent_decode_str(piece));
    pieces.enumerate().flat_map(|(i, piece)| (i > 0).then_some(b' ').into_iter().chain(piece))
}

// === impl Value ===

impl<'q> Value<'q> {
    fn decode(raw: &'q str) -> Self {
        Self(if needs_decoding(raw) { Text::Decoded(decoded(raw).collect()) } else { Text::Raw(raw) })
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

    fn matches(name: &str, value: &str, query: &str) -> bool {
        QueryParamMatch { name: name.into(), value: ValueMatch::exact(value) }.matches(Some(query))
    }

    // HRM-12, HRM-14
    #[test]
    fn name_and_value_are_exact_and_other_parameters_do_not_matter() {
        assert!(matches("animal", "whale", "animal=whale"));
        assert!(matches("animal", "whale", "x=1&animal=whale&y"));
        assert!(!matches("animal", "whale", "ANIMAL=whale"));
        assert!(!matches("animal", "whale", "animal=whaledolphin"));
        assert!(!matches("animal", "whale", ""));
        assert!(!QueryParamMatch { name: "a".into(), value: ValueMatch::exact("b") }.matches(None));
    }

    // HRM-13, AMB-31
    #[test]
    fn the_first_of_a_repeated_parameter_counts() {
        assert!(matches("a", "1", "a=1&a=2"));
        assert!(!matches("a", "2", "a=1&a=2"));
    }

    // AMB-30, AMB-32
    #[test]
    fn names_and_values_are_decoded_and_a_bare_name_is_empty() {
        assert!(matches("a b", "c+d", "a+b=c%2Bd"));
        assert!(matches("a b", "=&", "a%20b=%3d%26"));
        assert!(matches("a", "b=c", "a=b=c"));
        assert!(matches("a", "+ ", "a=%2B+"));
        assert!(!matches("a+", "1", "a+=1"));
        assert_eq!(first_value(Some("a&b=1"), "a").as_deref(), Some(&b""[..]));
        assert_eq!(first_value(Some("a=%zz"), "a").as_deref(), Some(&b"%zz"[..]));
    }
}
