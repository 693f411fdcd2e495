//! Service and method of a call of gRPC, and the condition on them.

use super::pattern::Pattern;
use super::request::RequestHead;
use super::value::ValueMatch;

/// Service and method of a call: its path is `/service/method`.
///
/// A service has no slash in it, so whatever stands behind the second one is the method.
///
/// ```
/// use gateway_core::matching::GrpcMethod;
///
/// let called = GrpcMethod::from_path("/shop.Cart/Add").expect("the path of a call");
/// assert_eq!((called.service(), called.method()), ("shop.Cart", "Add"));
/// assert_eq!(GrpcMethod::from_path("/shop.Cart"), None);
/// ```
///
/// # Spec
/// [GRP-03](crate::spec#GRP-03); gRPC, `doc/PROTOCOL-HTTP2.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrpcMethod<'p> {
    path: &'p str,
    /// Where the second slash stands.
    slash: usize,
}

/// The condition that a match puts on service and method of a call. The default is met by every call.
///
/// # Spec
/// `GRPCMethodMatch`, [GRP-02](crate::spec#GRP-02) to [GRP-04](crate::spec#GRP-04).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct GrpcMethodMatch {
    service: Option<ValueMatch>,
    method: Option<ValueMatch>,
}

// === impl GrpcMethod ===

impl<'p> GrpcMethod<'p> {
    /// What is called by a request for this path, if it is one of a call.
    pub fn from_path(path: &'p str) -> Option<Self> {
        let slash = memchr::memchr(b'/', path.strip_prefix('/')?.as_bytes())? + 1;
        Some(Self { path, slash })
    }

    /// The service.
    pub fn service(self) -> &'p str {
        &self.path[1..self.slash]
    }

    /// The method.
    pub fn method(self) -> &'p str {
        &self.path[self.slash + 1..]
    }

    /// `/service/`
    pub(crate) fn service_path(self) -> &'p str {
        &self.path[..=self.slash]
    }

    /// `/method`
    pub(crate) fn method_path(self) -> &'p str {
        &self.path[self.slash..]
    }
}

// === impl GrpcMethodMatch ===

impl GrpcMethodMatch {
    /// The condition on a service and a method; every one meets it that is not given. An exact one that is empty is none.
    ///
    /// # Spec
    /// [GRP-03](crate::spec#GRP-03), [GRP-04](crate::spec#GRP-04).
    pub fn new(service: Option<ValueMatch>, method: Option<ValueMatch>) -> Self {
        let is_something = |part: &ValueMatch| !matches!(part, ValueMatch::Exact(exact) if exact.is_empty());
        Self { service: service.filter(is_something), method: method.filter(is_something) }
    }

    /// What the service must be.
    pub fn service(&self) -> Option<&ValueMatch> {
        self.service.as_ref()
    }

    /// What the method must be.
    pub fn method(&self) -> Option<&ValueMatch> {
        self.method.as_ref()
    }

    /// Whether the request calls a service and a method that meet the condition.
    pub fn matches(&self, request: &RequestHead<'_>) -> bool {
        let Some(called) = GrpcMethod::from_path(&request.path) else { return false };
        let meets = |wanted: &Option<ValueMatch>, given: &str| {
            wanted.as_ref().is_none_or(|wanted| match wanted {
                ValueMatch::Exact(exact) => **exact == *given.as_bytes(),
                ValueMatch::Regex(pattern) => request.target_matches(pattern, given.as_bytes()),
            })
        };
        meets(&self.service, called.service()) && meets(&self.method, called.method())
    }

    /// The expressions for the service and for the method.
    pub(super) fn patterns_mut(&mut self) -> [Option<&mut Pattern>; 2] {
        [&mut self.service, &mut self.method].map(|part| match part {
            Some(ValueMatch::Regex(pattern)) => Some(pattern),
            Some(ValueMatch::Exact(_)) | None => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // GRP-03
    #[test]
    fn service_and_method_are_the_two_elements_of_the_path() {
        for (path, expected) in [
            ("/a.B/C", Some(("a.B", "C"))),
            ("/a.B/", Some(("a.B", ""))),
            ("//C", Some(("", "C"))),
            ("/a.B/C/D", Some(("a.B", "C/D"))),
            ("/a.B", None),
            ("a.B/C", None),
            ("*", None),
        ] {
            let called = GrpcMethod::from_path(path);
            assert_eq!(called.map(|called| (called.service(), called.method())), expected, "{path}");
        }
        let called = GrpcMethod::from_path("/a.B/C").unwrap();
        assert_eq!((called.service_path(), called.method_path()), ("/a.B/", "/C"));
    }
}
