//! HTTPRoutes among the routes that serve requests.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use gateway_core::api::{HttpRoute, HttpRouteMatch, HttpRouteRule, ObjectMeta, ParentReference, Resources};
use gateway_core::name::ObjectName;

use super::matching;
use super::request::Seen;
use super::route::RequestRoute;

impl RequestRoute for HttpRoute {
    const KIND: &'static str = "HTTPRoute";
    type Rule = HttpRouteRule;
    type Entry = HttpRouteMatch;

    fn all(resources: &Resources) -> &BTreeMap<ObjectName, Arc<Self>> {
        &resources.http_routes
    }

    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn parents(&self) -> &[ParentReference] {
        &self.spec.parent_refs
    }

    fn hostnames(&self) -> &[String] {
        &self.spec.hostnames
    }

    fn rules(&self) -> &[HttpRouteRule] {
        &self.spec.rules
    }

    /// [HRM-03](gateway_core::spec#HRM-03): an empty list of matches is one that matches everything.
    fn entries(rule: &HttpRouteRule) -> Vec<HttpRouteMatch> {
        if rule.matches.is_empty() { vec![HttpRouteMatch::default()] } else { rule.matches.clone() }
    }

    fn is_valid(entry: &HttpRouteMatch) -> bool {
        matching::is_valid(entry)
    }

    fn matches(entry: &HttpRouteMatch, seen: &Seen) -> bool {
        matching::matches(entry, seen)
    }

    fn compare(a: &HttpRouteMatch, b: &HttpRouteMatch) -> Ordering {
        matching::compare(a, b)
    }

    fn as_http(rule: &HttpRouteRule) -> Cow<'_, HttpRouteRule> {
        Cow::Borrowed(rule)
    }

    fn entry_as_http(entry: HttpRouteMatch) -> HttpRouteMatch {
        entry
    }
}
