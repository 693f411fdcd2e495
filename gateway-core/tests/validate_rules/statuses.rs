//! Statuses, which refuse no object, but which an API server would not take.

use gateway_core::api::Kind;
use gateway_core::validate::{problems, status_problems};

use super::{long, many, read};

/// Each kind with a status, and a spec.
const KINDS: [(Kind, &str); 13] = [
    (Kind::GatewayClass, "controllerName: a/b"),
    (Kind::Gateway, "gatewayClassName: a, listeners: [{name: a, port: 80, protocol: HTTP}]"),
    (Kind::ListenerSet, "parentRef: {name: a}, listeners: [{name: a, port: 80, protocol: HTTP}]"),
    (Kind::HttpRoute, ""),
    (Kind::GrpcRoute, ""),
    (Kind::TlsRoute, "hostnames: [a], rules: [{backendRefs: [{name: a, port: 80}]}]"),
    (Kind::UdpRoute, "rules: [{backendRefs: [{name: a, port: 80}]}]"),
    (Kind::TcpRoute, "rules: [{backendRefs: [{name: a, port: 80}]}]"),
    (
        Kind::BackendTlsPolicy,
        "targetRefs: [{group: '', kind: A, name: b}], validation: {hostname: a, wellKnownCACertificates: System}",
    ),
    (Kind::XBackend, "type: ExternalHostname, externalHostname: {hostname: a}, port: {number: 1}"),
    (Kind::XBackendTrafficPolicy, "targetRefs: [{group: '', kind: A, name: b}]"),
    (Kind::XTelemetryPolicy, "targetRefs: [{group: a, kind: A, name: b}], tracing: {}"),
    (Kind::XMesh, "controllerName: a/b"),
];

/// Which rules a status breaks, and where.
fn found(kind: Kind, status: &str) -> Vec<String> {
    let spec = KINDS.iter().find(|(known, _)| *known == kind).expect("a kind with a status").1;
    let text = format!(
        "{{apiVersion: {}, kind: {kind}, metadata: {{name: a}}, spec: {{{spec}}}, status: {{{status}}}}}",
        kind.api_version()
    );
    let object = read(&text);
    assert_eq!(problems(&object), [], "a status refuses no object");
    status_problems(&object).iter().map(|problem| format!("{} {}", problem.rule, problem.field)).collect()
}

/// A status that an API server takes, one that it does not, and why.
fn check_statuses(rows: impl IntoIterator<Item = (Kind, &'static str, String, String, &'static str)>) {
    for (kind, rule, good, bad, field) in rows {
        assert_eq!(found(kind, &good), [""; 0], "{kind} {rule}");
        assert_eq!(found(kind, &bad), [format!("{rule} {field}")], "{kind} {rule}");
    }
}

fn condition(r#type: &str, reason: &str, message: &str) -> String {
    format!(
        "{{type: '{type}', status: 'True', reason: '{reason}', message: '{message}', \
         observedGeneration: 1, lastTransitionTime: '2026-01-01T00:00:00Z'}}"
    )
}

fn conditions(count: usize) -> String {
    many(count, |i| condition(&format!("A{i}"), "B", ""))
}

// LIM-08, PAT-REASON, VAL-ST-01, VAL-ST-04, VAL-ST-06
#[test]
fn conditions_of_every_kind() {
    for (kind, _) in KINDS {
        let (before, behind, at) = match kind {
            Kind::HttpRoute | Kind::GrpcRoute | Kind::TlsRoute | Kind::TcpRoute | Kind::UdpRoute => (
                "parents: [{parentRef: {name: a}, controllerName: a/b, conditions: [",
                "]}]",
                "status.parents[0].conditions",
            ),
            Kind::BackendTlsPolicy
            | Kind::XBackend
            | Kind::XBackendTrafficPolicy
            | Kind::XTelemetryPolicy => (
                "ancestors: [{ancestorRef: {name: a}, controllerName: a/b, conditions: [",
                "]}]",
                "status.ancestors[0].conditions",
            ),
            _ => ("conditions: [", "]", "status.conditions"),
        };
        let found = |conditions: &str| found(kind, &format!("{before}{conditions}{behind}"));
        for good in [
            condition("a.b/C_1.d-e", "A_b,c:d1", "any ü"),
            condition(&long(316), &long(1024), &long(32768)),
            conditions(8),
        ] {
            assert_eq!(found(&good), [""; 0], "{kind}");
        }
        let good = condition("A", "B", "");
        for (bad, rule, field) in [
            (condition("A b", "B", ""), "LIM-08", "[0].type"),
            (condition(&long(317), "B", ""), "LIM-08", "[0].type"),
            (condition("A", "b-c", ""), "PAT-REASON", "[0].reason"),
            (condition("A", &long(1025), ""), "PAT-REASON", "[0].reason"),
            (condition("A", "B", &long(32769)), "LIM-08", "[0].message"),
            (format!("{good}, {good}"), "VAL-ST-01", "[1].type"),
            (good.replace("'True'", "'Yes'"), "VAL-ST-04", "[0].status"),
            (
                good.replace("observedGeneration: 1", "observedGeneration: -1"),
                "VAL-ST-06",
                "[0].observedGeneration",
            ),
        ] {
            assert_eq!(found(&bad), [format!("{rule} {at}{field}")], "{kind}");
        }
        // Only an XBackend takes any number of conditions.
        let too_many = if kind == Kind::XBackend { vec![] } else { vec![format!("LIM-08 {at}")] };
        assert_eq!(found(&conditions(9)), too_many, "{kind}");
        // A controller that says something about a Route or a policy states a condition.
        let none =
            if at.contains('[') && kind != Kind::XBackend { vec![format!("LIM-08 {at}")] } else { vec![] };
        assert_eq!(found(""), none, "{kind}");
    }
}

#[test]
fn entries_and_addresses() {
    let condition = conditions(1);
    let entry = |about: &str, controller: &str| {
        format!("{{{about}: {{name: a}}, controllerName: '{controller}', conditions: [{condition}]}}")
    };
    let parents = |count| format!("parents: [{}]", many(count, |_| entry("parentRef", "a/b")));
    let ancestors = |count| format!("ancestors: [{}]", many(count, |_| entry("ancestorRef", "a/b")));
    let of = |controller: &str| format!("parents: [{}]", entry("parentRef", controller));
    let addresses = |addresses: &str| format!("addresses: [{addresses}]");
    let numbered = |count| addresses(&many(count, |i| format!("{{value: 10.0.0.{i}}}")));
    let features = |count| format!("supportedFeatures: [{}]", many(count, |i| format!("{{name: A{i}}}")));
    let listener = |name: &str, kinds: usize| {
        let kinds = many(kinds, |i| format!("{{kind: A{i}}}"));
        format!("{{name: {name}, attachedRoutes: 0, conditions: [], supportedKinds: [{kinds}]}}")
    };
    let listeners = |count| format!("listeners: [{}]", many(count, |i| listener(&format!("a{i}"), 0)));
    let of_kinds = |count| format!("listeners: [{}]", listener("a", count));
    let twice = |a, b| format!("listeners: [{}, {}]", listener(a, 0), listener(b, 0));
    for kind in [Kind::HttpRoute, Kind::GrpcRoute, Kind::TlsRoute, Kind::TcpRoute, Kind::UdpRoute] {
        check_statuses([
            (kind, "LIM-09", parents(32), parents(33), "status.parents"),
            (kind, "PAT-CONTROLLER", of("a/b"), of("a"), "status.parents[0].controllerName"),
        ]);
    }
    for kind in [Kind::BackendTlsPolicy, Kind::XBackendTrafficPolicy, Kind::XTelemetryPolicy] {
        check_statuses([(kind, "LIM-19", ancestors(16), ancestors(17), "status.ancestors")]);
    }
    for kind in [Kind::GatewayClass, Kind::XMesh] {
        check_statuses([
            (kind, "LIM-20", features(64), features(65), "status.supportedFeatures"),
            (
                kind,
                "VAL-ST-01",
                features(2),
                "supportedFeatures: [{name: A}, {name: A}]".to_owned(),
                "status.supportedFeatures[1].name",
            ),
        ]);
    }
    for kind in [Kind::Gateway, Kind::ListenerSet] {
        check_statuses([
            (kind, "LIM-01", listeners(64), listeners(65), "status.listeners"),
            (kind, "LIM-03", of_kinds(8), of_kinds(9), "status.listeners[0].supportedKinds"),
            (kind, "VAL-ST-01", twice("a", "b"), twice("a", "a"), "status.listeners[1].name"),
            (kind, "PAT-PRECISE", twice("a", "b.c"), twice("a", "b_c"), "status.listeners[1].name"),
        ]);
    }
    check_statuses([
        (Kind::XBackend, "LIM-23", ancestors(32), ancestors(33), "status.ancestors"),
        (Kind::Gateway, "LIM-05", numbered(16), numbered(17), "status.addresses"),
        (
            Kind::Gateway,
            "VAL-GW-11",
            addresses("{type: Hostname, value: '*.a'}"),
            addresses("{type: Hostname, value: a_b}"),
            "status.addresses[0].value",
        ),
        (
            Kind::Gateway,
            "LIM-05",
            addresses("{value: a}, {value: a}"),
            addresses("{value: ''}"),
            "status.addresses[0].value",
        ),
        (
            Kind::Gateway,
            "VAL-GW-18",
            addresses("{value: a, routability: ''}"),
            addresses("{value: a, routability: Public}"),
            "status.addresses[0].routability",
        ),
        (
            Kind::Gateway,
            "PAT-ADDRTYPE",
            addresses("{type: a/b, value: a}"),
            addresses("{type: B, value: a}"),
            "status.addresses[0].type",
        ),
    ]);
}
