//! References to parents and backends, which every Route has.

use gateway_core::api::Kind;

use super::{check_rows, found, long, many, row};

/// Each kind of Route, and what its spec needs beside what is tested.
const ROUTES: [(Kind, &str, &str); 5] = [
    (Kind::HttpRoute, "", ""),
    (Kind::GrpcRoute, "", ""),
    (Kind::TlsRoute, "hostnames: [a.b], ", "rules: [{backendRefs: [{name: a, port: 80}]}], "),
    (Kind::TcpRoute, "", "rules: [{backendRefs: [{name: a, port: 80}]}], "),
    (Kind::UdpRoute, "", "rules: [{backendRefs: [{name: a, port: 80}]}], "),
];

#[test]
fn parents() {
    for (kind, hostnames, rules) in ROUTES {
        let parents = |parents: &str| format!("{hostnames}{rules}parentRefs: [{parents}]");
        let one = |parent: &str| parents(&format!("{{name: a, {parent}}}"));
        let named = |count| parents(&many(count, |i| format!("{{name: a{i}}}")));
        let scope = |scope: &str| format!("{hostnames}{rules}useDefaultGateways: {scope}");
        const FIRST: &str = "spec.parentRefs[0]";
        const SECOND: &str = "spec.parentRefs[1]";
        let field = |field: &str| format!("{FIRST}.{field}");
        check_rows(
            kind,
            [
                row("LIM-09", named(32), named(33), "spec.parentRefs"),
                row("VAL-RT-01", named(2), parents("{name: a}, {name: a, sectionName: b}"), SECOND),
                row(
                    "VAL-RT-01",
                    parents("{name: a, sectionName: b}, {name: a, sectionName: c}"),
                    parents("{name: a, sectionName: b}, {name: a, port: 80}"),
                    SECOND,
                ),
                row(
                    "VAL-RT-02",
                    parents("{name: a}, {name: a, namespace: b}"),
                    parents("{name: a}, {name: a}"),
                    SECOND,
                ),
                row(
                    "VAL-RT-02",
                    parents("{name: a}, {name: a, kind: ListenerSet}"),
                    parents("{name: a}, {name: a, group: gateway.networking.k8s.io, kind: Gateway}"),
                    SECOND,
                ),
                row(
                    "VAL-RT-02",
                    parents("{name: a, port: 80}, {name: a, port: 81}"),
                    parents("{name: a, port: 80}, {name: a, port: 80}"),
                    SECOND,
                ),
                row(
                    "VAL-RT-02",
                    parents("{name: a, sectionName: b, port: 80}, {name: a, sectionName: c, port: 80}"),
                    parents("{name: a, sectionName: b, port: 80}, {name: a, sectionName: b, port: 80}"),
                    SECOND,
                ),
                row("VAL-ST-03", parents("{name: A}"), parents("{name: ''}"), field("name")),
                row(
                    "VAL-ST-08",
                    parents(&format!("{{name: {}}}", long(253))),
                    parents(&format!("{{name: {}}}", long(254))),
                    field("name"),
                ),
                row("PAT-GROUP", one("group: ''"), one("group: a/v1"), field("group")),
                row("PAT-KIND", one("kind: My-Kind1"), one("kind: ''"), field("kind")),
                row(
                    "PAT-KIND",
                    one(&format!("kind: {}", long(63))),
                    one(&format!("kind: {}", long(64))),
                    field("kind"),
                ),
                row("PAT-NS", one("namespace: a-1"), one("namespace: a.b"), field("namespace")),
                row("PAT-PRECISE", one("sectionName: a.b"), one("sectionName: a_b"), field("sectionName")),
                row("VAL-ST-06", one("port: 65535"), one("port: 65536"), field("port")),
                row("VAL-ST-04", scope("All"), scope("Some"), "spec.useDefaultGateways"),
                row("VAL-ST-04", scope("None"), scope("none"), "spec.useDefaultGateways"),
            ],
        );
    }
}

// What either channel takes is taken: the standard one tells parents apart by sectionName alone, the other by port as well.
#[test]
fn parents_that_either_channel_takes_are_taken() {
    for (kind, hostnames, rules) in ROUTES {
        let found = |parents: &str| {
            found(kind, &kind.api_version(), &format!("{hostnames}{rules}parentRefs: [{parents}]"))
        };
        let standard = "{name: a, sectionName: b, port: 80}, {name: a, sectionName: c}";
        let experimental = "{name: d, port: 80}, {name: d, port: 81}";
        assert_eq!(found(standard), [""; 0], "{kind}");
        assert_eq!(found(experimental), [""; 0], "{kind}");
        assert_eq!(
            found(&format!("{standard}, {experimental}")),
            ["VAL-RT-01 spec.parentRefs[1]", "VAL-RT-02 spec.parentRefs[3]"],
            "{kind}: neither channel takes both",
        );
    }
}

// PAT-HDRVAL: the form of a value is asked for by the experimental channel alone.
#[test]
fn a_header_value_that_the_standard_channel_takes_is_taken() {
    let route = |parents: &str| {
        format!(
            "parentRefs: [{parents}], rules: [{{matches: [{{headers: [{{name: a, value: 'b  c'}}]}}], filters: [\
             {{type: RequestHeaderModifier, requestHeaderModifier: {{add: [{{name: a, value: ' b'}}]}}}}]}}]"
        )
    };
    let found = |spec: &str| found(Kind::HttpRoute, &Kind::HttpRoute.api_version(), spec);
    assert_eq!(found(&route("{name: d, sectionName: a}")), [""; 0]);
    assert_eq!(
        found(&route("{name: d, port: 80}, {name: d, port: 81}")),
        [
            "VAL-RT-02 spec.parentRefs[1]",
            "PAT-HDRVAL spec.rules[0].matches[0].headers[0].value",
            "PAT-HDRVAL spec.rules[0].filters[0].requestHeaderModifier.add[0].value",
        ]
    );
}

// XBK-08: the standard channel does not know the kind, and takes a port.
#[test]
fn an_xbackend_has_a_port_of_its_own() {
    let route = |parents: &str, port: &str| {
        format!(
            "parentRefs: [{parents}], rules: [{{backendRefs: \
             [{{group: gateway.networking.x-k8s.io, kind: XBackend, name: a{port}}}]}}]"
        )
    };
    let found = |spec: &str| found(Kind::HttpRoute, &Kind::HttpRoute.api_version(), spec);
    const BY_PORT: &str = "{name: d, port: 80}, {name: d, port: 81}";
    assert_eq!(found(&route("{name: d}", ", port: 80")), [""; 0]);
    assert_eq!(found(&route(BY_PORT, "")), [""; 0]);
    assert_eq!(
        found(&route(BY_PORT, ", port: 80")),
        ["VAL-RT-02 spec.parentRefs[1]", "XBK-08 spec.rules[0].backendRefs[0].port"]
    );
}

// VAL-RT-01, VAL-RT-02: every pair is compared, not neighbours only.
#[test]
fn every_pair_of_parents_is_compared() {
    let spec = "parentRefs: [{name: a, sectionName: s}, {name: b}, {name: a}, {name: a, sectionName: s}]";
    assert_eq!(
        found(Kind::HttpRoute, &Kind::HttpRoute.api_version(), spec),
        ["VAL-RT-01 spec.parentRefs[2]", "VAL-RT-02 spec.parentRefs[3]", "VAL-RT-01 spec.parentRefs[3]"]
    );
}

#[test]
fn backends() {
    const BACKEND: &str = "spec.rules[0].backendRefs[0]";
    for (kind, hostnames, _) in ROUTES {
        let backend = |backend: &str| format!("{hostnames}rules: [{{backendRefs: [{{{backend}}}]}}]");
        let field = |field: &str| format!("{BACKEND}.{field}");
        check_rows(
            kind,
            [
                row("VAL-RT-03", backend("name: a, port: 80"), backend("name: a"), BACKEND),
                row(
                    "VAL-RT-03",
                    backend("name: a, group: b.c, kind: Service"),
                    backend("name: a, group: '', kind: Service"),
                    BACKEND,
                ),
                row("VAL-ST-06", backend("name: a, port: 1"), backend("name: a, port: 0"), field("port")),
                row(
                    "VAL-ST-06",
                    backend("name: a, port: 65535"),
                    backend("name: a, port: 65536"),
                    field("port"),
                ),
                row(
                    "VAL-ST-06",
                    backend("name: a, port: 80, weight: 0"),
                    backend("name: a, port: 80, weight: -1"),
                    field("weight"),
                ),
                row(
                    "VAL-ST-06",
                    backend("name: a, port: 80, weight: 1000000"),
                    backend("name: a, port: 80, weight: 1000001"),
                    field("weight"),
                ),
                row(
                    "VAL-ST-03",
                    backend("name: A b, port: 80"),
                    backend("name: '', port: 80"),
                    field("name"),
                ),
                row(
                    "PAT-GROUP",
                    backend("name: a, group: b.c, kind: D"),
                    backend("name: a, group: b_c, kind: D"),
                    field("group"),
                ),
                row("PAT-KIND", backend("name: a, kind: D"), backend("name: a, kind: D_"), field("kind")),
                row(
                    "PAT-NS",
                    backend(&format!("name: a, port: 80, namespace: {}", long(63))),
                    backend(&format!("name: a, port: 80, namespace: {}", long(64))),
                    field("namespace"),
                ),
            ],
        );
    }
}
