//! Requests within a mesh.

use std::net::SocketAddr;

use gateway_core::api::{
    GrpcRoute, HttpRoute, ParentReference, Resources, Service, ServicePort, ServiceType, TransportProtocol,
};
use gateway_core::name::ObjectName;
use gateway_core::rule::BackendKind;
use http::StatusCode;

use super::super::{
    Arrival, Effect, Forwarded, Headers, MeshArrival, Reply, Sent, Target, Timeouts, headers,
};
use super::gateway::Frontend;
use super::request::Seen;
use super::route::{Candidate, RequestRoute};
use super::{backend, filters, grpc, hostname, namespace, request, route};

/// What becomes of a request; nothing if there is no such Service or port.
pub(super) fn answer(resources: &Resources, arrival: &MeshArrival) -> Option<Effect> {
    let service = resources.services.get(&arrival.service)?;
    let port = service.spec.ports.iter().find(|port| is_tcp(port, arrival.port))?;
    // MSH-06: the routes of the client's own namespace; if there are none, those of the Service's.
    let groups = [&*arrival.client_namespace, &*arrival.service.namespace];
    let (http, grpc) = groups
        .map(|group| {
            // MSH-11: one without an address of its own is no parent.
            if !has_address(service) {
                return Default::default();
            }
            let http = routes::<HttpRoute>(resources, group, service, port);
            (http, routes::<GrpcRoute>(resources, group, service, port))
        })
        .into_iter()
        .find(|(http, grpc)| !http.is_empty() || !grpc.is_empty())
        .unwrap_or_default();
    // MSH-08: without any route it goes straight on.
    if http.is_empty() && grpc.is_empty() {
        return without(resources, arrival);
    }
    let Some(seen) = request::read(&arrival.request) else {
        return Some(grpc::refused(StatusCode::BAD_REQUEST, &arrival.request));
    };
    // MSH-09: of several kinds for one port GRPCRoutes win.
    let candidates = match (grpc.is_empty(), seen.is_grpc()) {
        (true, _) => candidates(resources, http, &seen),
        (false, true) => candidates(resources, grpc, &seen),
        (false, false) => Vec::new(),
    };
    // MSH-08: where there are routes, all else is refused.
    let Some(candidate) = candidates.into_iter().next() else {
        return Some(grpc::refused(StatusCode::NOT_FOUND, &arrival.request));
    };
    // MSH-07, MSH-16: from here on it is as on a Gateway, and no other route is looked at.
    let frontend = Frontend { gateway: None, port: arrival.port, https: false };
    let MeshArrival { service, port, request, randoms, answer, .. } = arrival.clone();
    let (body_length, auth) = (0, Vec::new());
    let (server_name, now) = (None, Arrival::some_time());
    let as_arrival =
        Arrival { gateway: service, port, server_name, request, body_length, auth, randoms, answer, now };
    Some(filters::carry_out(resources, &frontend, &candidate, &seen, &as_arrival, as_arrival.auth.iter()))
}

fn has_address(service: &Service) -> bool {
    service.spec.r#type != ServiceType::ExternalName && service.spec.cluster_ip.as_deref() != Some("None")
}

fn is_tcp(port: &ServicePort, number: u16) -> bool {
    port.port == i32::from(number) && port.protocol == TransportProtocol::Tcp
}

/// The routes of a namespace that are bound to the port of the Service.
fn routes<'r, R: RequestRoute>(
    resources: &'r Resources,
    group: &str,
    service: &Service,
    port: &ServicePort,
) -> Vec<(&'r ObjectName, &'r R)> {
    let of_group = R::all(resources).iter().filter(|(key, _)| *key.namespace == *group);
    let bound = of_group.filter(|(key, route)| is_bound(key, route.parents(), service, port));
    bound.map(|(key, route)| (key, &**route)).collect()
}

/// The candidates among routes that are bound to a Service. MSH-02, MSH-10: hostnames do not matter, also not the one that
/// the request names.
fn candidates<'r, R: RequestRoute>(
    resources: &Resources,
    routes: Vec<(&'r ObjectName, &'r R)>,
    seen: &Seen,
) -> Vec<Candidate<'r>> {
    let any_host = hostname::rank(None);
    let routes = routes.into_iter().map(|(key, route)| (key, route, any_host)).collect();
    route::in_order(resources, None, routes, seen, true)
}

/// MSH-01, MSH-03: some parentRef leads to the Service, and to this port or to all.
///
/// MSH-04, MSH-05, MSH-13: no grant is asked for; who a route is for follows from its namespace.
fn is_bound(route: &ObjectName, parents: &[ParentReference], service: &Service, port: &ServicePort) -> bool {
    parents.iter().any(|parent| {
        parent.group.is_empty()
            && parent.kind == "Service"
            && parent.name == service.metadata.name
            && Some(namespace(parent.namespace.as_deref(), route)) == service.metadata.namespace.as_deref()
            && parent.port.is_none_or(|wanted| wanted == port.port)
            && parent.section_name.as_ref().is_none_or(|section| Some(section) == port.name.as_ref())
    })
}

/// The endpoints of a port for TCP; nothing if there is no such Service or port.
pub(super) fn endpoints(resources: &Resources, service: &ObjectName, port: u16) -> Option<Vec<SocketAddr>> {
    resources.services.get(service)?.spec.ports.iter().find(|written| is_tcp(written, port))?;
    let to = Target { kind: BackendKind::Service, service: service.clone(), port, tls: None };
    Some(backend::endpoints(resources, &to, &TransportProtocol::Tcp))
}

/// What becomes of a request as if there were no mesh: MSH-08. Nothing if there is no such Service or port.
pub(super) fn without(resources: &Resources, arrival: &MeshArrival) -> Option<Effect> {
    let endpoints = endpoints(resources, &arrival.service, arrival.port)?;
    let to = Target {
        kind: BackendKind::Service,
        service: arrival.service.clone(),
        port: arrival.port,
        tls: None,
    };
    if endpoints.is_empty() {
        return Some(answered(StatusCode::SERVICE_UNAVAILABLE));
    }
    let (request, answer) = (&arrival.request, &arrival.answer);
    Some(Effect::Forwarded(Box::new(Forwarded {
        to,
        endpoints,
        sent: Sent {
            method: request.method().to_string(),
            authority: request.uri().authority().map(ToString::to_string),
            target: request.uri().path_and_query().map(ToString::to_string).unwrap_or_default(),
            headers: headers(request.headers()),
        },
        mirrors: Vec::new(),
        reply: Reply { status: answer.status(), headers: headers(answer.headers()) },
        failed: Headers::new(),
        timeouts: Timeouts::default(),
        retry: None,
        retry_budget: None,
        session: None,
    })))
}

fn answered(status: StatusCode) -> Effect {
    Effect::Answered(Reply { status, headers: Headers::new() })
}
