//! One match entry of a GRPCRoute: service, method and headers together.

use super::header::HeaderMatch;
use super::match_entry::Match;
use super::precedence::GrpcSpecificity;
use super::request::RequestHead;
use super::value::ValueMatch;

/// One entry of a GRPCRoute rule's `matches`. The default is met by every call.
///
/// ```
/// use gateway_core::matching::{GrpcMatch, Match, RequestHead, ValueMatch};
///
/// let entry = GrpcMatch { service: Some(ValueMatch::exact("shop.Cart")), ..GrpcMatch::default() };
/// let call = |path| http::Request::post(path).header("host", "example.com").body(()).unwrap();
/// let meets = |request: http::Request<()>| {
///     entry.matches(&RequestHead::new(request.method(), request.uri(), request.headers()).unwrap())
/// };
/// assert!(meets(call("/shop.Cart/Add")) && !meets(call("/shop.Order/Add")) && !meets(call("/shop.Cart")));
/// ```
///
/// # Spec
/// `GRPCRouteMatch`, GRP-02 to GRP-06.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct GrpcMatch {
    /// What the service must be; every one when absent.
    pub service: Option<ValueMatch>,
    /// What the method must be; every one when absent.
    pub method: Option<ValueMatch>,
    /// What the headers must be, each name once.
    pub headers: Box<[HeaderMatch]>,
}

// === impl GrpcMatch ===

impl Match for GrpcMatch {
    type Specificity = GrpcSpecificity;

    fn matches(&self, request: &RequestHead<'_>) -> bool {
        // GRP-03: the path of a call is `/service/method`.
        let Some((service, method)) = request.path.strip_prefix('/').and_then(|path| path.split_once('/'))
        else {
            return false;
        };
        let meets = |wanted: &Option<ValueMatch>, given: &str| {
            wanted.as_ref().is_none_or(|wanted| match wanted {
                ValueMatch::Exact(exact) => **exact == *given.as_bytes(),
                ValueMatch::Regex(pattern) => request.target_matches(pattern, given.as_bytes()),
            })
        };
        meets(&self.service, service)
            && meets(&self.method, method)
            && self.headers.iter().all(|header| header.matches(request))
    }

    fn specificity(&self) -> GrpcSpecificity {
        let length = |part: &Option<ValueMatch>| part.as_ref().map_or(0, ValueMatch::length);
        GrpcSpecificity {
            service: length(&self.service),
            method: length(&self.method),
            headers: self.headers.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(service: Option<&str>, method: Option<&str>) -> GrpcMatch {
        let exact = |text: Option<&str>| text.map(ValueMatch::exact);
        GrpcMatch { service: exact(service), method: exact(method), headers: Box::default() }
    }

    // GRP-02, GRP-03
    #[test]
    fn service_and_method_are_the_two_elements_of_the_path() {
        for (entry, path, expected) in [
            (entry(None, None), "/a.B/C", true),
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
        let with_header = |entry: GrpcMatch| GrpcMatch { headers: [header.clone()].into(), ..entry };
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
