//! TLSRoutes, TCPRoutes and UDPRoutes.

use super::backend_tls_policy::{AUTHORITY, CA, policy};
use super::*;
use crate::decision::{StreamArrival, StreamOutcome, Transport};

/// Where a stream goes: the Service, and whether TLS ends at the gateway.
pub(super) fn stream(
    resources: &Resources,
    port: u16,
    transport: Transport,
    server_name: Option<&str>,
) -> Option<(String, bool)> {
    let server_name = server_name.map(str::to_owned);
    let arrival = StreamArrival { gateway: gateway(), port, transport, server_name, random: 0 };
    match reference(resources).decide_stream(&arrival) {
        StreamOutcome::Forwarded { to, terminated, .. } => Some((to.service.name.to_string(), terminated)),
        StreamOutcome::Rejected => None,
    }
}

fn stream_route(kind: &str, name: &str, more: &str, service: &str) -> String {
    let rules = format!("rules: [{{backendRefs: [{{name: {service}, port: 80}}]}}]");
    route(kind, name, &format!("parentRefs: [{{name: gw}}], {more} {rules}"))
}

#[test]
fn the_server_name_picks_the_listener_and_then_the_route() {
    let secret = "{apiVersion: v1, kind: Secret, metadata: {name: cert, namespace: infra}, \
        type: kubernetes.io/tls}";
    let gateway = "listeners: [\
        {name: a, port: 443, protocol: TLS, hostname: \"*.example.com\", tls: {mode: Passthrough}}, \
        {name: b, port: 443, protocol: TLS, hostname: end.example.com, \
         tls: {mode: Terminate, certificateRefs: [{name: cert}]}}]";
    let objects = [
        stream_route("TLSRoute", "wide", "hostnames: [\"*.com\"],", "one"),
        stream_route("TLSRoute", "narrow", "hostnames: [x.example.com],", "two"),
        stream_route("TLSRoute", "wildcard", "hostnames: [\"*.example.com\"],", "three"),
    ];
    let mut all = vec![secret];
    all.extend(objects.iter().map(String::as_str));
    let resources = resources(gateway, &all);
    let tls = |server_name| stream(&resources, 443, Transport::Tcp, server_name);
    // TLR-05: the exact name first.
    assert_eq!(tls(Some("x.example.com")), Some(("two".to_owned(), false)));
    // TLR-05: the listener narrows both to `*.example.com`, and what the routes say decides.
    assert_eq!(tls(Some("y.example.com")), Some(("three".to_owned(), false)));
    // TLR-11, TLR-08
    assert_eq!(tls(Some("end.example.com")), Some(("three".to_owned(), true)));
    // TLR-06
    assert_eq!(tls(Some("x.example.org")), None);
    assert_eq!(tls(None), None);
}

#[test]
fn tls_begins_anew_only_where_it_ended() {
    let secret = "{apiVersion: v1, kind: Secret, metadata: {name: cert, namespace: infra}, \
        type: kubernetes.io/tls}";
    let gateway = "listeners: [{name: a, port: 443, protocol: TLS, tls: {mode: Passthrough}}, \
        {name: b, port: 444, protocol: TLS, tls: {mode: Terminate, certificateRefs: [{name: cert}]}}]";
    let objects = [
        secret,
        AUTHORITY,
        &policy("a", "name: one", "backend.test", CA),
        &stream_route("TLSRoute", "web", "hostnames: [a.test],", "one"),
    ];
    let resources = resources(gateway, &objects);
    let server_name = |port: u16| {
        let server_name = Some("a.test".to_owned());
        let (gateway, transport) = (self::gateway(), Transport::Tcp);
        let arrival = StreamArrival { gateway, port, transport, server_name, random: 0 };
        match reference(&resources).decide_stream(&arrival) {
            StreamOutcome::Forwarded { to, .. } => to.tls.map(|tls| tls.server_name),
            StreamOutcome::Rejected => panic!("port {port} rejects"),
        }
    };
    // BTP-21, TLR-08
    assert_eq!(server_name(443), None);
    assert_eq!(server_name(444), Some("backend.test".to_owned()));
}

#[test]
fn the_oldest_route_has_all_connections() {
    let gateway = "listeners: [{name: t, port: 80, protocol: TCP}, {name: u, port: 80, protocol: UDP}]";
    let objects = [
        stream_route("TCPRoute", "b", "", "two"),
        stream_route("TCPRoute", "a", "", "one"),
        stream_route("UDPRoute", "d", "", "one"),
        stream_route("UDPRoute", "c", "", "three"),
    ];
    let resources = resources(gateway, &objects.each_ref().map(String::as_str));
    // TCR-03, UDR-03; GWL-05.
    assert_eq!(stream(&resources, 80, Transport::Tcp, None), Some(("one".to_owned(), false)));
    assert_eq!(stream(&resources, 80, Transport::Udp, None), Some(("three".to_owned(), false)));
    // TCR-06: also if that one leads nowhere.
    let broken = [objects[0].clone(), stream_route("TCPRoute", "a", "", "missing")];
    let broken = self::resources(gateway, &broken.each_ref().map(String::as_str));
    assert_eq!(stream(&broken, 80, Transport::Tcp, None), None);
    assert_eq!(stream(&broken, 80, Transport::Udp, None), None);
}
