//! Precedence among the matches that fit a request.

use std::cmp::Reverse;

use super::grpc_method::GrpcMethodMatch;
use super::path::PathSpecificity;
use super::value::ValueMatch;

/// How specific one match entry is; greater is more specific.
///
/// The counts are those of the one entry that matched, not of its rule.
///
/// # Spec
/// [HRM-20](crate::spec#HRM-20), [HRM-24](crate::spec#HRM-24), [HRM-26](crate::spec#HRM-26); [AMB-33](crate::choices#AMB-33).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Specificity {
    /// Exact paths first, then regular expressions, then the longest prefix.
    pub path: PathSpecificity,
    /// Whether the entry asks for a method.
    pub method: bool,
    /// The number of headers it asks for.
    pub headers: usize,
    /// The number of query parameters it asks for.
    pub query_params: usize,
}

/// How specific one match entry of a GRPCRoute is; greater is more specific.
///
/// # Spec
/// [GRP-07](crate::spec#GRP-07) (3) to (5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GrpcSpecificity {
    /// Characters of the service, 0 for any.
    pub service: usize,
    /// Characters of the method, 0 for any.
    pub method: usize,
    /// The number of headers it asks for.
    pub headers: usize,
}

/// How specific the hostname is by which a route serves a request; greater is more specific.
///
/// # Spec
/// [HST-14](crate::spec#HST-14); [AMB-13](crate::choices#AMB-13): the hostname is the route's own, also where a listener narrows
/// it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostnameSpecificity {
    /// Characters of an exact hostname, 0 for a wildcard.
    pub exact: usize,
    /// Characters of the hostname, 0 for a route without hostnames.
    pub any: usize,
}

/// The place of a match entry among all those of its kind of Route that could serve a request; the smallest one does.
///
/// The specification gives an order of criteria; each is a field here, in that order, and the derived `Ord` is the whole
/// algorithm. It is written once: the table sorts by it, and `explain` names the first field that differs.
///
/// The search does not compare candidates of different hostnames, or of different kinds of path, at all: it tries them in
/// the order that the first fields have here. A test of the table holds the two together.
///
/// # Spec
/// [HST-14](crate::spec#HST-14), [HRM-20](crate::spec#HRM-20) to [HRM-23](crate::spec#HRM-23), [GRP-07](crate::spec#GRP-07),
/// [AMB-36](crate::choices#AMB-36), [AMB-37](crate::choices#AMB-37).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Precedence<S = Specificity> {
    /// The more specific hostname.
    pub hostname: Reverse<HostnameSpecificity>,
    /// The more specific match.
    pub specificity: Reverse<S>,
    /// The older route: its position among all routes in the order of [`Age`](crate::name::Age).
    pub route: u32,
    /// The earlier rule of the route.
    pub rule: u16,
    /// The earlier match entry of the rule.
    pub entry: u16,
}

// === impl GrpcSpecificity ===

impl GrpcSpecificity {
    /// That of an entry with this condition on service and method and with so many on headers. An expression has as many
    /// characters as it is written with.
    pub(crate) fn new(method: &GrpcMethodMatch, headers: usize) -> Self {
        let length = |part: Option<&ValueMatch>| part.map_or(0, ValueMatch::length);
        Self { service: length(method.service()), method: length(method.method()), headers }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn specificity(path: PathSpecificity, method: bool, headers: usize, query_params: usize) -> Specificity {
        Specificity { path, method, headers, query_params }
    }

    // HRM-20, HRM-26, AMB-33
    #[test]
    fn path_then_method_then_headers_then_query_parameters() {
        use PathSpecificity::{Exact, Prefix, Regex};
        let in_order = [
            specificity(Exact, false, 0, 0),
            specificity(Regex(3), true, 16, 16),
            specificity(Prefix(9), false, 0, 0),
            specificity(Prefix(5), true, 0, 0),
            specificity(Prefix(5), false, 2, 0),
            specificity(Prefix(5), false, 1, 9),
            specificity(Prefix(5), false, 1, 1),
            specificity(Prefix(5), false, 0, 16),
            specificity(Prefix(5), false, 0, 0),
        ];
        assert!(in_order.is_sorted_by(|a, b| a > b));
    }

    // HST-14, HRM-22, HRM-23, AMB-37
    #[test]
    fn hostname_before_match_before_age_before_position() {
        let host = |exact, any| Reverse(HostnameSpecificity { exact, any });
        let path = |length| Reverse(specificity(PathSpecificity::Prefix(length), false, 0, 0));
        let place = |hostname, specificity, route, rule, entry| Precedence {
            hostname,
            specificity,
            route,
            rule,
            entry,
        };
        let in_order = [
            place(host(5, 5), path(1), 9, 9, 9),
            place(host(0, 30), path(1), 9, 9, 9),
            place(host(0, 20), path(8), 9, 9, 9),
            place(host(0, 0), path(8), 9, 9, 9),
            place(host(0, 0), path(7), 1, 9, 9),
            place(host(0, 0), path(7), 2, 1, 9),
            place(host(0, 0), path(7), 2, 2, 1),
            place(host(0, 0), path(7), 2, 2, 2),
        ];
        assert!(in_order.is_sorted_by(|a, b| a < b));
    }
}
