//! One match entry of an HTTPRoute: path, method, headers and query parameters together.

use http::{HeaderName, Method};

use super::expressions::{Expressions, Text};
use super::header::HeaderMatch;
use super::match_entry::Match;
use super::path::PathMatch;
use super::precedence::Specificity;
use super::query_param::QueryParamMatch;
use super::request::RequestHead;
use super::value::ValueMatch;

/// One entry of a rule's `matches`: a request meets it when it meets every condition.
///
/// # Spec
/// `HTTPRouteMatch`, [HRM-01](crate::spec#HRM-01).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct HttpMatch {
    /// The condition on the path.
    pub path: PathMatch,
    /// The conditions on everything else.
    pub conditions: Conditions,
}

/// What a match entry asks for besides the path.
///
/// The default asks for nothing.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Conditions {
    method: Option<Method>,
    headers: Box<[HeaderMatch]>,
    query_params: Box<[QueryParamMatch]>,
}

/// The first condition that a request did not meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmet<'m> {
    /// Another path was asked for.
    Path(&'m PathMatch),
    /// Another method was asked for.
    Method(&'m Method),
    /// A header is absent or has another value.
    Header(&'m HeaderMatch),
    /// A query parameter is absent or has another value.
    QueryParam(&'m QueryParamMatch),
}

// === impl HttpMatch ===

impl HttpMatch {
    /// The first condition that the request does not meet, in the order path, method, headers, query parameters.
    pub fn unmet(&self, request: &RequestHead<'_>) -> Option<Unmet<'_>> {
        let met = match &self.path {
            PathMatch::Regex(pattern) => request.path_matches(pattern),
            PathMatch::Exact(_) | PathMatch::Prefix(_) => self.path.matches(&request.path),
        };
        if met { self.conditions.unmet(request) } else { Some(Unmet::Path(&self.path)) }
    }

    /// Collects the expressions.
    pub(crate) fn collect<'m>(&'m mut self, expressions: &mut Expressions<'m>) {
        if let PathMatch::Regex(pattern) = &mut self.path {
            expressions.add(Text::Path, pattern);
        }
        self.conditions.collect(expressions);
    }
}

impl Match for HttpMatch {
    type Specificity = Specificity;

    fn matches(&self, request: &RequestHead<'_>) -> bool {
        self.unmet(request).is_none()
    }

    fn specificity(&self) -> Specificity {
        self.conditions.specificity(&self.path)
    }
}

// === impl Conditions ===

impl Conditions {
    /// The conditions given. Of several on the same header or the same query parameter only the first counts.
    ///
    /// # Spec
    /// [HRM-09](crate::spec#HRM-09), [HRM-12](crate::spec#HRM-12), [AMB-29](crate::choices#AMB-29).
    pub fn new(
        method: Option<Method>,
        headers: impl IntoIterator<Item = HeaderMatch>,
        query_params: impl IntoIterator<Item = QueryParamMatch>,
    ) -> Self {
        let mut first_headers: Vec<HeaderMatch> = Vec::new();
        for header in headers {
            if !first_headers.iter().any(|first| first.name == header.name) {
                first_headers.push(header);
            }
        }
        let mut first_params: Vec<QueryParamMatch> = Vec::new();
        for param in query_params {
            if !first_params.iter().any(|first| first.name == param.name) {
                first_params.push(param);
            }
        }
        Self { method, headers: first_headers.into(), query_params: first_params.into() }
    }

    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.method.is_none() && self.headers.is_empty() && self.query_params.is_empty()
    }

    /// Collects the expressions.
    pub(super) fn collect<'m>(&'m mut self, expressions: &mut Expressions<'m>) {
        for HeaderMatch { name, value } in &mut self.headers {
            if let ValueMatch::Regex(pattern) = value {
                expressions.add(Text::Header(name.clone()), pattern);
            }
        }
        for QueryParamMatch { name, value } in &mut self.query_params {
            if let ValueMatch::Regex(pattern) = value {
                expressions.add(Text::QueryParam(name.clone()), pattern);
            }
        }
    }

    /// How specific an entry with this path and these conditions is.
    pub(crate) fn specificity(&self, path: &PathMatch) -> Specificity {
        Specificity {
            path: path.specificity(),
            method: self.method.is_some(),
            headers: self.headers.len(),
            query_params: self.query_params.len(),
        }
    }

    /// The method asked for.
    pub fn method(&self) -> Option<&Method> {
        self.method.as_ref()
    }

    /// The headers asked for, each name once.
    pub fn headers(&self) -> &[HeaderMatch] {
        &self.headers
    }

    /// The query parameters asked for, each name once.
    pub fn query_params(&self) -> &[QueryParamMatch] {
        &self.query_params
    }

    /// What is asked of the header `name`.
    pub fn header(&self, name: &HeaderName) -> Option<&HeaderMatch> {
        self.headers.iter().find(|header| header.name == *name)
    }

    /// What is asked of the query parameter `name`.
    pub fn query_param(&self, name: &str) -> Option<&QueryParamMatch> {
        self.query_params.iter().find(|param| *param.name == *name)
    }

    /// The first condition that the request does not meet, in the order method, headers, query parameters.
    pub fn unmet(&self, request: &RequestHead<'_>) -> Option<Unmet<'_>> {
        if let Some(wanted) = &self.method
            && wanted != request.method
        {
            return Some(Unmet::Method(wanted));
        }
        if let Some(header) = self.headers.iter().find(|header| !header.matches(request)) {
            return Some(Unmet::Header(header));
        }
        self.query_params.iter().find(|param| !param.matches(request)).map(Unmet::QueryParam)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;

    use crate::matching::ValueMatch;

    fn header(name: &str, value: &str) -> HeaderMatch {
        HeaderMatch { name: name.parse().unwrap(), value: ValueMatch::exact(value) }
    }

    // HRM-09, AMB-29
    #[test]
    fn of_equivalent_header_names_the_first_counts() {
        let conditions = Conditions::new(None, [header("Foo", "a"), header("foo", "b")], []);
        assert_eq!(conditions.headers(), [header("foo", "a")]);
    }

    // HRM-12
    #[test]
    fn of_equal_query_parameter_names_the_first_counts_and_case_distinguishes() {
        let param =
            |name: &str, value| QueryParamMatch { name: name.into(), value: ValueMatch::exact(value) };
        let conditions = Conditions::new(None, [], [param("a", "1"), param("a", "2"), param("A", "3")]);
        assert_eq!(conditions.query_params(), [param("a", "1"), param("A", "3")]);
    }

    // HRM-01, HRM-14, HRM-15
    #[test]
    fn every_condition_must_be_met_and_nothing_else_matters() {
        let entry = HttpMatch {
            path: PathMatch::prefix("/a"),
            conditions: Conditions::new(Some(Method::GET), [header("x", "1")], []),
        };
        let mut headers = HeaderMap::new();
        headers.insert("host", "example.com".parse().unwrap());
        headers.insert("x", "1".parse().unwrap());
        headers.insert("y", "2".parse().unwrap());
        let unmet = |method: &Method, target: &str, headers: &HeaderMap| {
            let uri = target.parse().unwrap();
            let request = RequestHead::new(method, &uri, headers).unwrap();
            entry.unmet(&request).map(|unmet| format!("{unmet:?}").split('(').next().unwrap().to_owned())
        };
        assert_eq!(unmet(&Method::GET, "/a/b?q=1", &headers), None);
        assert_eq!(
            unmet(&Method::HEAD, "/a", &headers).as_deref(),
            Some("Method"),
            "HEAD is not implied by GET"
        );
        assert_eq!(unmet(&Method::GET, "/b", &headers).as_deref(), Some("Path"));
        headers.remove("x");
        assert_eq!(unmet(&Method::GET, "/a", &headers).as_deref(), Some("Header"));
    }
}
