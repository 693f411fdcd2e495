//! One match entry of a GRPCRoute: service, method and headers together.

use super::expressions::{Expressions, Text};
use super::grpc_method::GrpcMethodMatch;
use super::http_match::Conditions;
use super::match_entry::Match;
use super::precedence::GrpcSpecificity;
use super::request::RequestHead;

/// One entry of a GRPCRoute rule's `matches`. The default is met by every call.
///
/// ```
/// use gateway_core::matching::{GrpcMatch, GrpcMethodMatch, Match, RequestHead, ValueMatch};
///
/// let service = Some(ValueMatch::exact("shop.Cart"));
/// let entry = GrpcMatch { method: GrpcMethodMatch::new(service, None), ..GrpcMatch::default() };
/// let call = |path| http::Request::post(path).header("host", "example.com").body(()).unwrap();
/// let meets = |request: http::Request<()>| {
///     entry.matches(&RequestHead::new(request.method(), request.uri(), request.headers()).unwrap())
/// };
/// assert!(meets(call("/shop.Cart/Add")) && !meets(call("/shop.Order/Add")) && !meets(call("/shop.Cart")));
/// ```
///
/// # Spec
/// `GRPCRouteMatch`, [GRP-02](crate::spec#GRP-02) to [GRP-06](crate::spec#GRP-06).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct GrpcMatch {
    /// The condition on service and method.
    pub method: GrpcMethodMatch,
    /// The conditions on headers; there are none on the method of HTTP and on the query.
    pub conditions: Conditions,
}

// === impl GrpcMatch ===

impl GrpcMatch {
    /// Collects the expressions.
    pub(crate) fn collect<'m>(&'m mut self, expressions: &mut Expressions<'m>) {
        for (text, pattern) in [Text::Service, Text::Method].into_iter().zip(self.method.patterns_mut()) {
            if let Some(pattern) = pattern {
                expressions.add(text, pattern);
            }
        }
        self.conditions.collect(expressions);
    }
}

impl Match for GrpcMatch {
    type Specificity = GrpcSpecificity;

    fn matches(&self, request: &RequestHead<'_>) -> bool {
        self.method.matches(request) && self.conditions.unmet(request).is_none()
    }

    fn specificity(&self) -> GrpcSpecificity {
        GrpcSpecificity::new(&self.method, self.conditions.headers().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matching::{HeaderMatch, ValueMatch};

    fn entry(service: Option<&str>, method: Option<&str>) -> GrpcMatch {
        let exact = |text: Option<&str>| text.map(ValueMatch::exact);
        GrpcMatch { method: GrpcMethodMatch::new(exact(service), exact(method)), ..GrpcMatch::default() }
    }

    // GRP-02, GRP-03, GRP-04
    #[test]
    fn service_and_method_are_compared_exactly_and_either_may_be_any() {
        for (entry, path, expected) in [
            (entry(None, None), "/a.B/C", true),
            (entry(Some(""), Some("")), "/a.B/C", true),
            (entry(None, None), "/a.B", false),
            (entry(Some("a.B"), Some("C")), "/a.B/C", true),
            (entry(Some("a.B"), Some("C")), "/a.B/c", false),
            (entry(Some("a.b"), None), "/a.B/C", false),
            (entry(None, Some("C")), "/x.Y/C", true),
            (entry(None, Some("C")), "/x.Y/C/D", false),
        ] {
            let request = http::Request::post(path).header("host", "a").body(()).unwrap();
            let head = RequestHead::new(request.method(), request.uri(), request.headers()).unwrap();
            assert_eq!(entry.matches(&head), expected, "{entry:?} {path}");
        }
    }

    // GRP-07
    #[test]
    fn the_longer_service_then_the_longer_method_then_more_headers() {
        let header = HeaderMatch { name: http::header::ACCEPT, value: ValueMatch::exact("x") };
        let with_header =
            |entry: GrpcMatch| GrpcMatch { conditions: Conditions::new(None, [header.clone()], []), ..entry };
        let in_order = [
            entry(Some("a.Long"), None),
            entry(Some("a.B"), Some("Long")),
            with_header(entry(Some("a.B"), Some("C"))),
            entry(Some("a.B"), Some("C")),
            with_header(entry(None, None)),
            entry(None, None),
        ];
        assert!(in_order.is_sorted_by(|a, b| a.specificity() > b.specificity()));
    }
}
