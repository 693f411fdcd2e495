//! Rules for objects of every kind, and the check of all objects together.

use std::sync::Arc;

use gateway_core::api::{AnyObject, Gateway, HttpRoute, Kind, Resources, Service};
use gateway_core::manifest;
use gateway_core::name::ObjectName;
use gateway_core::validate::{Problem, check, validate};

use super::{found, long, problems, read, row, shown};

/// Which rules an object with this metadata breaks.
fn of_metadata(kind: Kind, metadata: &str, rest: &str) -> Vec<String> {
    let text =
        format!("{{apiVersion: {}, kind: {kind}, metadata: {{{metadata}}}{rest}}}", kind.api_version());
    problems(&read(&text)).iter().map(|problem| format!("{} {}", problem.rule, problem.field)).collect()
}

// VAL-ST-08, GEN-18
#[test]
fn times() {
    let of = |time: &str| of_metadata(Kind::Namespace, &format!("name: a, creationTimestamp: {time}"), "");
    for good in ["'2026-01-31T12:00:00Z'", "2026-01-31T12:00:00+01:00", "null"] {
        assert_eq!(of(good), [""; 0], "{good}");
    }
    for bad in ["yesterday", "2026-01-31", "'2026-01-31T25:00:00Z'", "''"] {
        assert_eq!(of(bad), ["VAL-ST-08 metadata.creationTimestamp"], "{bad}");
    }
    let deleted = of_metadata(Kind::Namespace, "name: a, deletionTimestamp: soon", "");
    assert_eq!(deleted, ["VAL-ST-08 metadata.deletionTimestamp"]);
}

// VAL-ST-08
#[test]
fn names() {
    let every = [
        (Kind::Namespace, ""),
        (Kind::Service, ""),
        (Kind::Secret, ""),
        (Kind::ConfigMap, ""),
        (Kind::ClusterTrustBundle, ", spec: {trustBundle: ''}"),
        (Kind::EndpointSlice, ", addressType: IPv4, endpoints: []"),
        (Kind::ServiceImport, ", spec: {type: Headless, ports: []}"),
        (Kind::Pod, ""),
        (Kind::GatewayClass, ", spec: {controllerName: a/b}"),
        (Kind::Gateway, ", spec: {gatewayClassName: a, listeners: [{name: a, port: 80, protocol: HTTP}]}"),
        (
            Kind::ListenerSet,
            ", spec: {parentRef: {name: a}, listeners: [{name: a, port: 80, protocol: HTTP}]}",
        ),
        (Kind::HttpRoute, ", spec: {}"),
        (Kind::GrpcRoute, ", spec: {}"),
        (Kind::TlsRoute, ", spec: {hostnames: [a], rules: [{backendRefs: [{name: a, port: 80}]}]}"),
        (Kind::TcpRoute, ", spec: {rules: [{backendRefs: [{name: a, port: 80}]}]}"),
        (Kind::UdpRoute, ", spec: {rules: [{backendRefs: [{name: a, port: 80}]}]}"),
        (
            Kind::ReferenceGrant,
            ", spec: {from: [{group: '', kind: A, namespace: b}], to: [{group: '', kind: A}]}",
        ),
        (
            Kind::BackendTlsPolicy,
            ", spec: {targetRefs: [{group: '', kind: A, name: b}], validation: {hostname: a, wellKnownCACertificates: System}}",
        ),
        (
            Kind::XBackend,
            ", spec: {type: ExternalHostname, externalHostname: {hostname: a}, port: {number: 1}}",
        ),
        (Kind::XBackendTrafficPolicy, ", spec: {targetRefs: [{group: '', kind: A, name: b}]}"),
        (Kind::XTelemetryPolicy, ", spec: {targetRefs: [{group: '', kind: A, name: b}], tracing: {}}"),
        (Kind::XMesh, ", spec: {controllerName: a/b}"),
    ];
    assert_eq!(every.map(|(kind, _)| kind), Kind::ALL, "every kind is here");
    for (kind, rest) in every {
        let names = |name: &str| of_metadata(kind, &format!("name: '{name}'"), rest);
        assert_eq!(names("a-1"), [""; 0], "{kind}");
        for bad in ["", "A", "a_b", "a/b", &long(254)] {
            assert_eq!(names(bad), ["VAL-ST-08 metadata.name"], "{kind} {bad}");
        }
        let dotted = if matches!(kind, Kind::Namespace | Kind::Service) {
            vec!["VAL-ST-08 metadata.name"]
        } else {
            vec![]
        };
        assert_eq!(names("a.b"), dotted, "{kind}");
        if kind.is_namespaced() {
            assert_eq!(of_metadata(kind, "name: a, namespace: b", rest), [""; 0], "{kind}");
            assert_eq!(
                of_metadata(kind, "name: a, namespace: b.c", rest),
                ["PAT-NS metadata.namespace"],
                "{kind}"
            );
        }
    }
}

// VAL-ST-06
#[test]
fn ports_of_services_and_endpoints() {
    let service = |port: &str| format!("ports: [{{port: 1}}, {{{port}}}]");
    super::check_rows(
        Kind::Service,
        [
            row("VAL-ST-06", service("port: 65535"), service("port: 65536"), "spec.ports[1].port"),
            row("VAL-ST-06", service("port: 1"), service("port: 0"), "spec.ports[1].port"),
            row(
                "VAL-ST-06",
                service("port: 1, targetPort: http"),
                service("port: 1, targetPort: 0"),
                "spec.ports[1].targetPort",
            ),
        ],
    );
    let slice = |port: &str| {
        of_metadata(
            Kind::EndpointSlice,
            "name: a",
            &format!(", addressType: IPv4, endpoints: [], ports: [{{}}, {{port: {port}}}]"),
        )
    };
    assert_eq!(slice("65535"), [""; 0]);
    assert_eq!(slice("65536"), ["VAL-ST-06 ports[1].port"]);
}

/// The resources of a text that is read without a word of complaint.
fn resources(text: &str) -> Resources {
    let manifest = manifest::read(text, "test.yaml");
    assert!(manifest.problems.is_empty(), "{:?}", manifest.problems);
    manifest.objects.into_iter().map(|(object, _)| object).collect()
}

const TWO_ROUTES: &str = "
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: good, namespace: shop}
spec: {hostnames: [good.example.com]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: bad, namespace: shop}
spec: {hostnames: [bad_.example.com], rules: [{matches: [{path: {value: cart}}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {ports: [{port: 0}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
";

#[test]
fn an_invalid_object_is_left_out_and_the_others_stay() {
    let resources = resources(TWO_ROUTES);
    let validated = validate(&resources);
    let [(key, route)] =
        <[_; 1]>::try_from(validated.http_routes.iter().collect::<Vec<_>>()).expect("one route");
    assert_eq!(key, &ObjectName::new("shop", "good"));
    assert!(Arc::ptr_eq(route.arc(), &resources.http_routes[key]), "the object is shared");
    assert_eq!(route.spec.hostnames, ["good.example.com"]);
    assert_eq!((validated.services.len(), validated.namespaces.len()), (0, 1));

    let rejected: Vec<String> = validated.rejected.iter().map(ToString::to_string).collect();
    assert_eq!(
        rejected,
        [
            "Service shop/cart is invalid: spec.ports[0].port: is 0; 1 to 65535 are allowed (VAL-ST-06)",
            "HTTPRoute shop/bad is invalid: spec.hostnames[0]: \"bad_.example.com\" is not a lower-case DNS name, in which \
             only the whole first label may be a wildcard, as in *.example.com (PAT-HOST); \
             spec.rules[0].matches[0].path.value: does not start with /; write the path from the root (VAL-HR-44)",
        ]
    );
    assert_eq!(validated.rejected[1].kind, Kind::HttpRoute);
    assert_eq!(validated.rejected[1].key, ObjectName::new("shop", "bad"));
}

/// What is wrong with an object has a bound, however much is wrong with it.
#[test]
fn the_problems_of_one_object_are_bounded() {
    let bad = "{name: '%', value: ''}, ".repeat(16);
    let rule = format!("{{matches: [{}]}}", format!("{{headers: [{bad}]}}, ").repeat(8));
    let spec = format!("rules: [{}]", format!("{rule}, ").repeat(16));
    let found = found(Kind::HttpRoute, &Kind::HttpRoute.api_version(), &spec);
    assert_eq!(found.len(), 101, "{}", shown(&spec));
    assert_eq!(found[100], format!("{} ", Problem::OMITTED));
}

// LIM-14
#[test]
fn a_message_repeats_no_more_of_a_value_than_helps() {
    let mut route = HttpRoute::default();
    route.metadata.name = "a".to_owned();
    route.spec.hostnames = vec!["_".repeat(100_000)];
    let problems = check(&Arc::new(route)).unwrap_err();
    assert!(problems[0].message.len() < 500, "{}", problems[0].message.len());
}

#[test]
fn a_checked_object_reads_like_the_object() {
    let mut service = Service::default();
    service.metadata.name = "a".to_owned();
    let service = Arc::new(service);
    let valid = check(&service).expect("valid");
    assert_eq!(valid.metadata.name, "a");
    assert!(Arc::ptr_eq(valid.clone().arc(), &service));
    assert_eq!(check(&Arc::new(Gateway::default())).unwrap_err()[0].field.to_string(), "metadata.name");
}

/// Validation runs over every object at each translation.
#[test]
fn an_object_without_problems_costs_no_allocation() {
    let route = "{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: a, namespace: b}, spec: {
        parentRefs: [{name: a, sectionName: b}, {name: a, sectionName: c}],
        hostnames: [a.example.com, '*.b.example.com'],
        rules: [{
            name: a,
            matches: [{path: {value: /a}, headers: [{name: a, value: b c}], queryParams: [{name: a, value: b}]}],
            filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: a, value: b}], remove: [c]}}],
            backendRefs: [{name: a, port: 80, namespace: c, filters: [
                {type: ResponseHeaderModifier, responseHeaderModifier: {add: [{name: a, value: b}]}}]}],
            timeouts: {request: 10s, backendRequest: 1s},
        }, {name: b}],
    }}";
    let AnyObject::HttpRoute(route) = read(route) else { panic!("an HTTPRoute") };
    let mut valid = None;
    let allocations = allocation_counter::measure(|| valid = check(&route).ok());
    assert!(valid.is_some());
    assert_eq!(allocations.count_total, 0);
}
