//! Listeners of TLS, TCP and UDP, their Routes, and what comes in there.

use std::sync::Arc;

use gateway_core::api::{
    GATEWAY_GROUP, Listener, ListenerTlsConfig, ReferenceGrant, ReferenceGrantFrom, ReferenceGrantSpec,
    ReferenceGrantTo, Resources, SecretObjectReference, TlsModeType, TransportProtocol,
    WellKnownCaCertificatesType,
};
use gateway_core::name::ObjectName;

use super::source::Source;
use super::words::{HOSTS, NAMESPACES};
use super::{World, metadata, objects, routes, world};
use crate::decision::{StreamArrival, Transport};

/// Makes resources like [`world`], in which more than half of the listeners are not for requests, and Routes for them.
pub fn stream_world(source: &mut Source<'_>) -> World {
    let mut world = world(source);
    let resources = &mut world.resources;
    resources
        .gateways
        .values_mut()
        .for_each(|gateway| streams(source, &mut Arc::make_mut(gateway).spec.listeners));
    let sets = resources.listener_sets.values_mut();
    sets.for_each(|set| streams(source, &mut Arc::make_mut(set).spec.listeners));
    for service in resources.services.values_mut() {
        if source.chance(30) {
            Arc::make_mut(service).spec.ports[0].protocol = TransportProtocol::Udp;
        }
    }
    // Of a Route at listeners of both modes, the core forwards nothing while a policy cannot be carried out (BTP-14).
    for policy in resources.backend_tls_policies.values_mut() {
        let validation = &mut Arc::make_mut(policy).spec.validation;
        validation.ca_certificate_refs = None;
        validation.well_known_ca_certificates = Some(WellKnownCaCertificatesType::System);
    }
    if source.chance(40) {
        resources.insert(grant(source).into());
    }
    let parents = routes::parents(resources);
    for number in 0..1 + source.below(8) {
        let route = routes::route(source, &parents, number);
        // A Route needs a backend, and there are rules without.
        if route.spec.rules.iter().all(|rule| rule.backend_refs.is_empty()) {
            continue;
        }
        resources.insert(match source.below(4) {
            0 | 1 => objects::tls_route(route).into(),
            2 => objects::tcp_route(route).into(),
            _ => objects::udp_route(route).into(),
        });
    }
    world
}

fn streams(source: &mut Source<'_>, listeners: &mut Vec<Listener>) {
    // Mostly one thing to a port: what is in conflict serves no client.
    let tls = source.chance(80);
    for listener in listeners.iter_mut() {
        let choice = source.below(10);
        let (protocol, port) = match (listener.port, choice) {
            (443, 1..) if tls => ("TLS", 443),
            (443, _) | (_, 0..4) => continue,
            (_, 4..6) => ("TLS", 8443),
            (_, 6..8) => ("TCP", source.one(&[9000, 9001, 9002])),
            (_, _) => ("UDP", source.one(&[9000, 5300])),
        };
        (listener.protocol, listener.port, listener.tls) = (protocol.to_owned(), port, None);
        listener.allowed_routes.kinds.clear();
        // They are for requests.
        listener.filters = None;
        if protocol == "TLS" {
            listener.tls = Some(mode(source));
        } else {
            listener.hostname = None;
        }
    }
    // VAL-GW-06
    let mut kept: Vec<Listener> = Vec::new();
    for listener in listeners.drain(..) {
        let same = |other: &Listener| {
            (other.port, &other.protocol, &other.hostname)
                == (listener.port, &listener.protocol, &listener.hostname)
        };
        if !kept.iter().any(same) {
            kept.push(listener);
        }
    }
    *listeners = kept;
}

fn mode(source: &mut Source<'_>) -> ListenerTlsConfig {
    let certificate = SecretObjectReference {
        group: String::new(),
        kind: "Secret".to_owned(),
        name: "certificate".to_owned(),
        namespace: None,
    };
    let (mode, certificate_refs) = match source.chance(50) {
        true => (TlsModeType::Terminate, vec![certificate]),
        false => (TlsModeType::Passthrough, Vec::new()),
    };
    ListenerTlsConfig { mode, certificate_refs, ..ListenerTlsConfig::default() }
}

fn grant(source: &mut Source<'_>) -> ReferenceGrant {
    let from = ReferenceGrantFrom {
        group: GATEWAY_GROUP.to_owned(),
        kind: source.one(&["TLSRoute", "TCPRoute", "UDPRoute"]).to_owned(),
        namespace: source.one(&NAMESPACES).to_owned(),
    };
    let to = ReferenceGrantTo { group: String::new(), kind: "Service".to_owned(), name: None };
    let metadata = metadata(source.one(&NAMESPACES), "grant-of-streams");
    ReferenceGrant { metadata, spec: ReferenceGrantSpec { from: vec![from], to: vec![to] } }
}

/// Makes a connection or a datagram to one of the Gateways.
pub fn stream_arrival(source: &mut Source<'_>, world: &World) -> StreamArrival {
    let resources: &Resources = &world.resources;
    let gateways: Vec<&ObjectName> = resources.gateways.keys().collect();
    let gateway = source.one(&gateways).clone();
    let own = resources.gateways[&gateway].spec.listeners.iter();
    let of_sets = resources.listener_sets.values().flat_map(|set| &set.spec.listeners);
    let mut listeners: Vec<&Listener> = own.chain(of_sets).collect();
    let streams: Vec<&Listener> =
        listeners.iter().copied().filter(|listener| !listener.protocol.starts_with("HTTP")).collect();
    if !streams.is_empty() && !source.chance(5) {
        listeners = streams;
    }
    let listener = source.one(&listeners);
    let hostnames: Vec<&String> =
        resources.tls_routes.values().flat_map(|route| &route.spec.hostnames).collect();
    let server_name = match source.below(8) {
        0 => None,
        1 => Some(source.one(&HOSTS).to_owned()),
        2..5 => listener.hostname.clone(),
        _ if hostnames.is_empty() => listener.hostname.clone(),
        _ => Some(source.one(&hostnames).clone()),
    };
    let below = source.one(&["x", "a", "x.a", "b", ""]);
    let is_udp = (listener.protocol == "UDP") != source.chance(5);
    StreamArrival {
        gateway,
        port: listener.port as u16,
        transport: if is_udp { Transport::Udp } else { Transport::Tcp },
        server_name: server_name.filter(|_| !is_udp).map(|name| name.replace('*', below)),
        random: match source.below(4) {
            0 => 0,
            1 => u64::MAX,
            _ => source.number(),
        },
    }
}
