//! Single objects of every kind that a translation looks at, under few names, so that one often takes another's place.

use gateway_core::api::{
    AnyObject, BackendRef, FrontendTlsConfig, FrontendTlsValidation, Gateway, GatewayTlsConfig,
    HttpBackendRef, HttpRoute, Kind, Listener, ListenerTlsConfig, ObjectReference, Resources, Secret,
    TcpRoute, TcpRouteRule, TcpRouteSpec, TlsConfig, TlsModeType, TlsRoute, TlsRouteRule, TlsRouteSpec,
    UdpRoute, UdpRouteRule, UdpRouteSpec,
};
use gateway_core::name::ObjectName;

use super::source::Source;
use super::words::{NAMESPACES, SERVICES};
use super::{backends, created, gateways, grpc_routes, mesh, policies, routes};

/// The kinds of which objects are made, the livelier ones more often.
pub(super) const KINDS: [Kind; 35] = [
    Kind::HttpRoute,
    Kind::HttpRoute,
    Kind::HttpRoute,
    Kind::HttpRoute,
    Kind::HttpRoute,
    Kind::Gateway,
    Kind::Gateway,
    Kind::Gateway,
    Kind::ListenerSet,
    Kind::ListenerSet,
    Kind::Service,
    Kind::Service,
    Kind::Service,
    Kind::EndpointSlice,
    Kind::EndpointSlice,
    Kind::EndpointSlice,
    Kind::ServiceImport,
    Kind::XBackend,
    Kind::Pod,
    Kind::Pod,
    Kind::ReferenceGrant,
    Kind::Namespace,
    Kind::Secret,
    Kind::ConfigMap,
    Kind::ClusterTrustBundle,
    Kind::BackendTlsPolicy,
    Kind::XBackendTrafficPolicy,
    Kind::XTelemetryPolicy,
    Kind::GatewayClass,
    Kind::GrpcRoute,
    Kind::GrpcRoute,
    Kind::GrpcRoute,
    Kind::TlsRoute,
    Kind::TcpRoute,
    Kind::UdpRoute,
];

/// Makes an object of a kind. Routes and ListenerSets have their parents among `resources`, which hold a Gateway; Routes may be for
/// Services too.
pub(super) fn object(source: &mut Source<'_>, kind: Kind, resources: &Resources) -> AnyObject {
    let parents = |source: &mut Source<'_>| match source.chance(30) {
        true => mesh::parents(resources),
        false => routes::parents(resources),
    };
    let route = |source: &mut Source<'_>| {
        let (parents, number) = (parents(source), source.below(4));
        routes::route(source, &parents, number)
    };
    match kind {
        Kind::Namespace => {
            let name = source.one(&NAMESPACES);
            gateways::namespace(source, name).into()
        }
        Kind::GatewayClass => {
            let (name, controller_name) = source.one(&gateways::CLASSES);
            gateways::class(name, controller_name).into()
        }
        Kind::Secret => secret(source).into(),
        Kind::ConfigMap => policies::authority(source).into(),
        Kind::ClusterTrustBundle => policies::bundle(source).into(),
        Kind::Gateway => gateway(source).into(),
        Kind::ListenerSet => {
            let parents: Vec<ObjectName> = resources.gateways.keys().cloned().collect();
            let mut set = gateways::listener_set(source, &parents);
            set.spec.listeners.iter_mut().for_each(|listener| other_protocol(source, listener));
            set.into()
        }
        Kind::Service => {
            let (namespace, name) = (source.one(&NAMESPACES), source.one(&SERVICES));
            let mut service = backends::service(source, namespace, name);
            if source.chance(30) {
                service.spec.ports.remove(source.below(2));
            }
            mesh::address(source, &mut service);
            service.into()
        }
        Kind::ServiceImport => backends::import(source).into(),
        Kind::XBackend => backends::x_backend(source).into(),
        Kind::Pod => backends::pod(source).into(),
        Kind::EndpointSlice if source.chance(25) => backends::slice_of_import(source).into(),
        Kind::EndpointSlice => {
            let (i, j, k) = (source.below(3), source.below(3), source.below(2));
            let first_address = [10, i as u8, j as u8, k as u8 * 10];
            let mut slice = backends::slice(source, NAMESPACES[i], SERVICES[j], first_address);
            // The name of another Service's slice: endpoints move from one to the other.
            if source.chance(30) {
                slice.metadata.name = format!("{}-{}", source.one(&SERVICES[..3]), k * 10);
            }
            slice.into()
        }
        Kind::ReferenceGrant => {
            let name = format!("grant-{}", source.below(4));
            backends::grant(source, name).into()
        }
        Kind::BackendTlsPolicy => policies::policy(source).into(),
        Kind::XBackendTrafficPolicy => policies::traffic_policy(source).into(),
        Kind::XTelemetryPolicy => policies::telemetry_policy(source).into(),
        Kind::GrpcRoute => {
            let (parents, number) = (parents(source), source.below(4));
            grpc_routes::route(source, &parents, number).into()
        }
        Kind::TlsRoute => tls_route(route(source)).into(),
        Kind::TcpRoute => tcp_route(route(source)).into(),
        Kind::UdpRoute => udp_route(route(source)).into(),
        // Nothing is translated of a mesh, and there are no kinds of one's own.
        Kind::HttpRoute | Kind::XMesh | Kind::Own(_) => route(source).into(),
    }
}

fn secret(source: &mut Source<'_>) -> Secret {
    let mut secret = gateways::certificate(source.one(&["infra", "app"]));
    match source.below(4) {
        0 | 1 => {}
        2 => secret.r#type = "Opaque".to_owned(),
        _ => _ = secret.data.remove("tls.key"),
    }
    secret
}

fn gateway(source: &mut Source<'_>) -> Gateway {
    let mut gateway = gateways::gateway(source);
    gateway.metadata.creation_timestamp = source.one(&[created(1), created(1), created(2), None]);
    gateway.spec.listeners.iter_mut().for_each(|listener| other_protocol(source, listener));
    gateway.spec.tls = source.some(15, |source| {
        let reference = ObjectReference {
            group: String::new(),
            kind: "ConfigMap".to_owned(),
            name: "authority".to_owned(),
            namespace: source.some(20, |source| source.one(&NAMESPACES).to_owned()),
        };
        let validation =
            FrontendTlsValidation { ca_certificate_refs: vec![reference], mode: Default::default() };
        let default = TlsConfig { validation: Some(validation) };
        GatewayTlsConfig {
            backend: source.some(30, policies::client_certificate),
            frontend: Some(FrontendTlsConfig { default, per_port: Vec::new() }),
        }
    });
    gateway
}

/// Now and then a listener speaks something else than HTTP.
fn other_protocol(source: &mut Source<'_>, listener: &mut Listener) {
    if !source.chance(15) {
        return;
    }
    let protocol = source.one(&["TCP", "UDP", "TLS", "TLS", "example.com/other"]);
    listener.protocol = protocol.to_owned();
    (listener.tls, listener.filters) = (None, None);
    match protocol {
        "TLS" => {
            let mode =
                source.one(&[TlsModeType::Passthrough, TlsModeType::Passthrough, TlsModeType::Terminate]);
            listener.tls = Some(ListenerTlsConfig { mode, ..ListenerTlsConfig::default() });
        }
        _ => listener.hostname = None,
    }
}

// Routes of other kinds have the names, parents, hostnames and backends that HTTPRoutes have.

pub(super) fn tls_route(route: HttpRoute) -> TlsRoute {
    let rule = TlsRouteRule { name: None, backend_refs: backend_refs(&route, backend_ref) };
    let HttpRoute { metadata, spec, .. } = route;
    let (parent_refs, mut hostnames) = (spec.parent_refs, spec.hostnames);
    if hostnames.is_empty() {
        hostnames.push("a.example.com".to_owned());
    }
    let spec = TlsRouteSpec { parent_refs, hostnames, rules: vec![rule], ..TlsRouteSpec::default() };
    TlsRoute { metadata, spec, ..TlsRoute::default() }
}

pub(super) fn tcp_route(route: HttpRoute) -> TcpRoute {
    let rule = TcpRouteRule { name: None, backend_refs: backend_refs(&route, backend_ref) };
    let HttpRoute { metadata, spec, .. } = route;
    let spec = TcpRouteSpec { parent_refs: spec.parent_refs, rules: vec![rule], ..TcpRouteSpec::default() };
    TcpRoute { metadata, spec, ..TcpRoute::default() }
}

pub(super) fn udp_route(route: HttpRoute) -> UdpRoute {
    let rule = UdpRouteRule { name: None, backend_refs: backend_refs(&route, backend_ref) };
    let HttpRoute { metadata, spec, .. } = route;
    let spec = UdpRouteSpec { parent_refs: spec.parent_refs, rules: vec![rule], ..UdpRouteSpec::default() };
    UdpRoute { metadata, spec, ..UdpRoute::default() }
}

fn backend_refs<B>(route: &HttpRoute, make: impl Fn(&HttpBackendRef) -> B) -> Vec<B> {
    route.spec.rules.iter().flat_map(|rule| &rule.backend_refs).map(make).collect()
}

fn backend_ref(written: &HttpBackendRef) -> BackendRef {
    let HttpBackendRef { group, kind, name, namespace, port, weight, filters: _ } = written.clone();
    BackendRef {
        group: group.into(),
        kind: kind.into(),
        name: name.into(),
        namespace: namespace.map(Into::into),
        port,
        weight,
    }
}
