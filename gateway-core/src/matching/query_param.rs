//! Conditions on query parameters.

use super::request::RequestHead;
use super::value::ValueMatch;

/// The condition that a match puts on one query parameter.
///
/// Name and value are compared after decoding, case counts, and only the first parameter of the name is looked at.
///
/// # Spec
/// `HTTPQueryParamMatch`, [HRM-12](crate::spec#HRM-12), [HRM-13](crate::spec#HRM-13); the choices are
/// [AMB-30](crate::choices#AMB-30) to [AMB-32](crate::choices#AMB-32).
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
    pub fn matches(&self, request: &RequestHead<'_>) -> bool {
        if request.is_target_too_long() {
            return false;
        }
        if let ValueMatch::Regex(pattern) = &self.value
            && let Some(matches) = request.known_in_set(pattern)
        {
            return matches;
        }
        let Some(value) = request.query_param(&self.name) else { return false };
        // To decode a value is work like that of an expression.
        if value.is_decoded() && !request.decoding_effort(&value) {
            return false;
        }
        match &self.value {
            ValueMatch::Exact(exact) => **exact == *value,
            ValueMatch::Regex(pattern) => request.target_matches(pattern, &value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(name: &str, value: &str, query: &str) -> bool {
        let headers = http::HeaderMap::new();
        let uri = http::Uri::builder().scheme("http").authority("a").path_and_query(format!("/?{query}"));
        let uri = uri.build().unwrap();
        let request = RequestHead::new(&http::Method::GET, &uri, &headers).unwrap();
        QueryParamMatch { name: name.into(), value: ValueMatch::exact(value) }.matches(&request)
    }

    // HRM-12, HRM-14
    #[test]
    fn name_and_value_are_exact_and_other_parameters_do_not_matter() {
        assert!(matches("animal", "whale", "animal=whale"));
        assert!(matches("animal", "whale", "x=1&animal=whale&y"));
        assert!(!matches("animal", "whale", "ANIMAL=whale"));
        assert!(!matches("animal", "whale", "animal=whaledolphin"));
        assert!(!matches("animal", "whale", ""));
    }

    // HRM-13, AMB-31
    #[test]
    fn the_first_of_a_repeated_parameter_counts() {
        assert!(matches("a", "1", "a=1&a=2"));
        assert!(!matches("a", "2", "a=1&a=2"));
    }

    // AMB-30, AMB-32
    #[test]
    fn names_and_values_are_decoded() {
        assert!(matches("a b", "c+d", "a+b=c%2Bd"));
        assert!(matches("a b", "=&", "a%20b=%3d%26"));
        assert!(matches("a", "b=c", "a=b=c"));
        assert!(matches("a", "+ ", "a=%2B+"));
        assert!(!matches("a+", "1", "a+=1"));
    }
}
