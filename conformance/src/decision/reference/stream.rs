//! TLSRoutes, TCPRoutes and UDPRoutes: where connections and datagrams go.

use gateway_core::api::{BackendObjectReference, BackendRef, ObjectMeta, ParentReference, Resources};
use gateway_core::name::ObjectName;

use super::super::{StreamArrival, StreamOutcome, Transport};
use super::backend::Referrer;
use super::gateway::{self, Listener, Protocol};
use super::route::matching_hostnames;
use super::{age, backend, parent_ref, request};

/// A route with the backends of its one rule: TCR-01, TLR-02, UDR-01.
struct Route<'r> {
    kind: &'static str,
    key: &'r ObjectName,
    metadata: &'r ObjectMeta,
    parents: &'r [ParentReference],
    hostnames: &'r [String],
    backends: &'r [BackendRef],
}

/// Where it goes; nothing if it is rejected.
pub(super) fn decide(
    resources: &Resources,
    listeners: &[Listener<'_>],
    arrival: &StreamArrival,
) -> Option<StreamOutcome> {
    // GWL-05: TCP and UDP have ports of their own.
    let is_udp = arrival.transport == Transport::Udp;
    let of_port: Vec<Listener<'_>> = listeners
        .iter()
        .filter(|listener| listener.port == arrival.port && (listener.protocol == Protocol::Udp) == is_udp)
        .copied()
        .collect();
    let server_name = arrival.server_name.as_deref().and_then(request::host_of_name);
    // HST-08, HST-09, TLR-13: the server name picks the listener. Listeners of TCP and UDP are alone on their port.
    let listener = gateway::most_specific(&of_port, server_name.as_deref().unwrap_or(""))?;
    let routes = routes(resources, listener.protocol)
        .into_iter()
        .filter(|route| parent_ref::is_attached(resources, route.kind, route.key, route.parents, listener));
    let route = match listener.protocol {
        // TCR-03, UDR-03: the oldest has it all.
        Protocol::Tcp | Protocol::Udp => routes.min_by_key(|route| age::of(route.metadata, route.key)),
        Protocol::TlsPassthrough | Protocol::TlsTerminate => {
            // TLR-06: without a server name it is not known where to.
            let server_name = server_name?;
            // TLR-03, TLR-05: the most specific hostname, as the route has it and not as the listener narrows it; then the
            // oldest. HST-03 to HST-05 as for requests.
            let rank =
                |route: &Route<'_>| matching_hostnames(route.hostnames, &server_name).into_iter().max();
            let ranked = routes.filter_map(|route| Some((rank(&route)?, route)));
            let order = |(rank, route): &((usize, usize), Route<'_>)| {
                (std::cmp::Reverse(*rank), age::of(route.metadata, route.key))
            };
            ranked.min_by_key(order).map(|(_, route)| route)
        }
        // HTTP is not for streams.
        Protocol::Http | Protocol::Https => None,
    }?;
    // TCR-06, TCR-07, TLR-07, UDR-04, UDR-06: each backend has its share, and an invalid one loses it.
    let chosen = backend::pick(route.backends, |reference| reference.weight, arrival.random)?;
    let BackendRef { group, kind, name, namespace, port, weight: _ } = chosen.clone();
    let referrer = Referrer {
        kind: route.kind,
        route: route.key,
        gets: route.kind,
        gateway: Some(listener.gateway),
        // BTP-21: TLS may begin anew where it ended.
        may_speak_tls: listener.protocol == Protocol::TlsTerminate,
    };
    // TCR-08: also what ReferenceGrants say.
    let reference = BackendObjectReference { group, kind, name, namespace, port };
    let to = backend::resolve(resources, &referrer, &reference)?;
    let endpoints = backend::endpoints(resources, &to, &backend::transport(route.kind));
    if endpoints.is_empty() {
        return None;
    }
    Some(StreamOutcome::Forwarded {
        listener: listener.name.to_owned(),
        route: route.key.clone(),
        to,
        endpoints,
        // TLR-08
        terminated: listener.protocol == Protocol::TlsTerminate,
    })
}

/// The routes of the kind that fits the protocol: TLR-01, TCR-02, UDR-02.
fn routes(resources: &Resources, protocol: Protocol) -> Vec<Route<'_>> {
    macro_rules! routes {
        ($field:ident, $kind:literal, $route:ident => $hostnames:expr) => {{
            let routes = resources.$field.iter();
            let routes = routes.map(|(key, $route)| Route {
                kind: $kind,
                key,
                metadata: &$route.metadata,
                parents: &$route.spec.parent_refs,
                hostnames: $hostnames,
                backends: $route.spec.rules.first().map_or(&[], |rule| &rule.backend_refs),
            });
            routes.collect()
        }};
    }
    match protocol {
        Protocol::TlsPassthrough | Protocol::TlsTerminate => {
            routes!(tls_routes, "TLSRoute", route => &route.spec.hostnames)
        }
        Protocol::Tcp => routes!(tcp_routes, "TCPRoute", route => &[]),
        Protocol::Udp => routes!(udp_routes, "UDPRoute", route => &[]),
        Protocol::Http | Protocol::Https => Vec::new(),
    }
}
