//! The rules for requests and calls of one listener, by host and path.
//!
//! A request is answered from the most specific hostname to the least. A call of gRPC goes through the GRPCRoutes first, all
//! of their hostnames, and only what none of them takes through the HTTPRoutes: routes of the two kinds are never merged.

use super::candidate::Chosen;
use super::host_routes::{HostRoutes, Observer};
use super::hostname_map::HostnameMap;
use crate::hostname::Hostname;
use crate::matching::{GrpcMatch, GrpcMethodMatch, HttpMatch, MatchedPath, Pattern, RequestHead};

/// The rules of all routes attached to one listener. A copy shares the hostnames that do not change.
#[derive(Clone, Debug, Default)]
pub(crate) struct HttpPart {
    requests: HostnameMap<HostRoutes<Pattern>>,
    calls: HostnameMap<HostRoutes<GrpcMethodMatch>>,
}

// === impl HttpPart ===

impl HttpPart {
    /// Puts HTTPRoutes behind hostnames, in the place of those that were there, or leaves them without any.
    pub(crate) fn change_requests<'h>(
        &mut self,
        changes: impl IntoIterator<Item = (Option<&'h Hostname>, Option<HostRoutes<Pattern>>)>,
    ) {
        self.requests.change(changes);
    }

    /// The same with GRPCRoutes.
    pub(crate) fn change_calls<'h>(
        &mut self,
        changes: impl IntoIterator<Item = (Option<&'h Hostname>, Option<HostRoutes<GrpcMethodMatch>>)>,
    ) {
        self.calls.change(changes);
    }

    /// The HTTPRoutes of every hostname that matches.
    #[cfg(all(test, feature = "resources"))]
    pub(crate) fn routes_for(&self, host: &str) -> Vec<HostRoutes<Pattern>> {
        self.requests.matching(host).map(|(_, routes)| routes.clone()).collect()
    }

    /// Shows all match entries of all hostnames, in no order.
    pub(crate) fn show(&self, observer: &mut impl Observer) {
        for (hostname, routes) in self.calls.iter() {
            observer.hostname(hostname);
            routes.show::<GrpcMatch>(observer);
        }
        for (hostname, routes) in self.requests.iter() {
            observer.hostname(hostname);
            routes.show::<HttpMatch>(observer);
        }
    }

    /// The candidate with the highest precedence that the request meets, and how its path matched.
    ///
    /// # Spec
    /// GRP-08, GRP-13, AMB-40.
    pub(crate) fn find<O: Observer>(
        &self,
        request: &RequestHead<'_>,
        fall_through: bool,
        observer: &mut O,
    ) -> Option<(Chosen, MatchedPath)> {
        let mut found = None;
        if !self.calls.is_empty() && request.is_call() {
            found = search(&self.calls, request, fall_through, observer, HostRoutes::find_call);
            if found.is_some() && !observer.exhaustive() {
                return found;
            }
        }
        found.or(search(&self.requests, request, fall_through, observer, HostRoutes::find_request))
    }
}

/// Looks at the routes of the hostnames that match, the most specific first, and at the others only if `fall_through` is set.
#[inline]
fn search<E: Clone, O: Observer>(
    hostnames: &HostnameMap<HostRoutes<E>>,
    request: &RequestHead<'_>,
    fall_through: bool,
    observer: &mut O,
    find: impl Fn(&HostRoutes<E>, &RequestHead<'_>, &mut O) -> Option<(Chosen, MatchedPath)>,
) -> Option<(Chosen, MatchedPath)> {
    let mut found = None;
    for (found_by, routes) in hostnames.matching(request.host.as_str()) {
        observer.hostname(found_by);
        found = found.or(find(routes, request, observer));
        if (found.is_some() && !observer.exhaustive()) || !fall_through {
            break;
        }
    }
    found
}
