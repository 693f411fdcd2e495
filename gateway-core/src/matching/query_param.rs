//! Conditions on query parameters.

use std::borrow::Cow;

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

// === impl QueryParamMatch ===

impl QueryParamMatch {
    /// Whether the first parameter of this name meets the condition.
    pub fn matches(&self, query: Option<&str>) -> bool {
        first_value(query, &self.name).is_some_and(|value| self.value.matches(&value))
    }
}

/// The value of the first parameter called `name` in a query string, decoded; `?a` is read as `?a=`.
pub fn first_value<'q>(query: Option<&'q str>, name: &str) -> Option<Cow<'q, [u8]>> {
    query?.split('&').find_map(|pair| {
        let (raw_name, raw_value) = pair.split_once('=').unwrap_or((pair, ""));
        (*decode(raw_name) == *name.as_bytes()).then(|| decode(raw_value))
    })
}

/// Undoes percent-encoding and reads `+` as a space; borrowed when there is nothing to undo.
fn decode(raw: &str) -> Cow<'_, [u8]> {
    if memchr::memchr2(b'%', b'+', raw.as_bytes()).is_none() {
        return Cow::Borrowed(raw.as_bytes());
    }
    let spaced = raw.replace('+', " ");
    Cow::Owned(percent_encoding::percent_decode_str(&spaced).collect())
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
        assert_eq!(first_value(Some("a&b=1"), "a").as_deref(), Some(&b""[..]));
        assert_eq!(first_value(Some("a=%zz"), "a").as_deref(), Some(&b"%zz"[..]));
    }
}
