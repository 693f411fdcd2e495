//! Gateway, and the listeners that it and ListenerSet have.

use gateway_core::api::Kind;

use super::{Row, check_rows, found, long, many, row};

/// Checks rows of listeners for Gateway and for ListenerSet.
fn check_listeners(rows: impl IntoIterator<Item = (&'static str, String, String, &'static str)>) {
    for (rule, good, bad, field) in rows {
        for (kind, rest) in
            [(Kind::Gateway, "gatewayClassName: a"), (Kind::ListenerSet, "parentRef: {name: a}")]
        {
            let spec = |listeners: &str| format!("{rest}, listeners: [{listeners}]");
            check_rows(kind, [row(rule, spec(&good), spec(&bad), format!("spec.listeners{field}"))]);
        }
    }
}

fn http(name: &str, more: &str) -> String {
    format!("{{name: {name}, port: 80, protocol: HTTP{more}}}")
}

const TLS: &str = ", tls: {certificateRefs: [{name: a}]}";

#[test]
fn listeners() {
    let one = |protocol: &str, more: &str| format!("{{name: a, port: 80, protocol: '{protocol}'{more}}}");
    let numbered = |count| many(count, |i| format!("{{name: a{i}, port: {}, protocol: HTTP}}", i + 1));
    let two = |a: &str, b: &str| format!("{{name: a, {a}}}, {{name: b, {b}}}");
    let port = |port: i32| format!("{{name: a, port: {port}, protocol: HTTP}}");
    let passthrough = ", tls: {mode: Passthrough}";
    check_listeners([
        ("LIM-01", numbered(1), numbered(0), ""),
        ("LIM-01", numbered(64), numbered(65), ""),
        ("VAL-GW-01", one("HTTP", ""), one("HTTP", TLS), "[0].tls"),
        ("VAL-GW-01", one("TCP", ""), one("TCP", TLS), "[0].tls"),
        ("VAL-GW-01", one("example.com/x", TLS), one("UDP", TLS), "[0].tls"),
        ("VAL-GW-02", one("HTTPS", TLS), one("HTTPS", passthrough), "[0].tls.mode"),
        // The schema lets an HTTPS listener do without `tls`.
        ("VAL-GW-02", one("HTTPS", ""), one("HTTPS", passthrough), "[0].tls.mode"),
        ("VAL-GW-03", one("TLS", passthrough), one("TLS", ""), "[0].tls"),
        ("VAL-GW-03", one("TLS", TLS), one("TLS", ", hostname: a.b"), "[0].tls"),
        ("VAL-GW-04", one("TCP", ""), one("TCP", ", hostname: a.b"), "[0].hostname"),
        ("VAL-GW-04", one("HTTP", ", hostname: a.b"), one("UDP", ", hostname: a.b"), "[0].hostname"),
        (
            "VAL-GW-05",
            two("port: 80, protocol: HTTP", "port: 81, protocol: HTTP"),
            format!("{}, {{name: a, port: 81, protocol: HTTP}}", http("a", "")),
            "[1].name",
        ),
        // VAL-ST-01 says the same of the key of the list.
        (
            "VAL-GW-06",
            two("port: 80, protocol: HTTP", "port: 80, protocol: HTTP, hostname: a.b"),
            two("port: 80, protocol: HTTP", "port: 80, protocol: HTTP"),
            "[1]",
        ),
        (
            "VAL-GW-06",
            two("port: 53, protocol: UDP", "port: 53, protocol: TCP"),
            two("port: 80, protocol: HTTP, hostname: a.b", "port: 80, protocol: HTTP, hostname: a.b"),
            "[1]",
        ),
        ("VAL-GW-07", one("HTTPS", TLS), one("HTTPS", ", tls: {}"), "[0].tls.certificateRefs"),
        (
            "VAL-GW-07",
            one("HTTPS", ", tls: {options: {a.b/c: d}}"),
            one("TLS", ", tls: {mode: Terminate, certificateRefs: []}"),
            "[0].tls.certificateRefs",
        ),
        ("PAT-PRECISE", http("a.b", ""), http("A", ""), "[0].name"),
        ("PAT-PRECISE", http(&long(253), ""), http(&long(254), ""), "[0].name"),
        ("PAT-HOST", http("a", ", hostname: '*.a'"), http("a", ", hostname: '*'"), "[0].hostname"),
        ("PAT-HOST", http("a", ", hostname: 10.0.0.1"), http("a", ", hostname: ''"), "[0].hostname"),
        ("PAT-PROTO", one("SCTP-2", ""), one("a_b", ""), "[0].protocol"),
        ("PAT-PROTO", one("example.com/Protocol1", ""), one("example.com/a-b", ""), "[0].protocol"),
        // The second branch of the pattern is not anchored at the start.
        ("PAT-PROTO", one("_.a/b", ""), one("a_/b", ""), "[0].protocol"),
        ("VAL-ST-06", port(1), port(0), "[0].port"),
        ("VAL-ST-06", port(65535), port(65536), "[0].port"),
    ]);
}

#[test]
fn what_a_listener_lets_in() {
    let routes = |routes: &str| http("a", &format!(", allowedRoutes: {{{routes}}}"));
    let kinds = |count| routes(&format!("kinds: [{}]", many(count, |i| format!("{{kind: A{i}}}"))));
    let from = |from: &str| routes(&format!("namespaces: {{from: {from}}}"));
    check_listeners([
        ("LIM-03", kinds(8), kinds(9), "[0].allowedRoutes.kinds"),
        ("VAL-ST-04", from("All"), from("Any"), "[0].allowedRoutes.namespaces.from"),
        ("VAL-ST-04", from("Same"), from("None"), "[0].allowedRoutes.namespaces.from"),
        (
            "VAL-ST-04",
            routes("namespaces: {from: Selector, selector: {matchLabels: {a: b}}}"),
            from("''"),
            "[0].allowedRoutes.namespaces.from",
        ),
        (
            "PAT-KIND",
            routes("kinds: [{kind: A}]"),
            routes("kinds: [{kind: a/b}]"),
            "[0].allowedRoutes.kinds[0].kind",
        ),
        (
            "PAT-GROUP",
            routes("kinds: [{group: '', kind: A}]"),
            routes("kinds: [{group: a_b, kind: A}]"),
            "[0].allowedRoutes.kinds[0].group",
        ),
    ]);
}

#[test]
fn how_a_listener_speaks_tls() {
    let tls = |tls: &str| format!("{{name: a, port: 443, protocol: HTTPS, tls: {{{tls}}}}}");
    let certificates = |certificates: &str| tls(&format!("certificateRefs: [{certificates}]"));
    let options = |options: &str| tls(&format!("options: {{{options}}}"));
    let mode = |mode: &str| format!("{{name: a, port: 443, protocol: TLS, tls: {{mode: {mode}}}}}");
    check_listeners([
        (
            "LIM-04",
            certificates(&many(64, |_| "{name: a}".into())),
            certificates(&many(65, |_| "{name: a}".into())),
            "[0].tls.certificateRefs",
        ),
        (
            "LIM-04",
            options(&many(16, |i| format!("a{i}: b"))),
            options(&many(17, |i| format!("a{i}: b"))),
            "[0].tls.options",
        ),
        (
            "LIM-04",
            options(&format!("a: {}", long(4096))),
            options(&format!("a: {}", long(4097))),
            "[0].tls.options[\"a\"]",
        ),
        ("VAL-ST-04", mode("Passthrough"), mode("Optional"), "[0].tls.mode"),
        (
            "PAT-KIND",
            certificates("{kind: A, group: b, name: c}"),
            certificates("{kind: '', name: c}"),
            "[0].tls.certificateRefs[0].kind",
        ),
        (
            "PAT-NS",
            certificates("{name: a, namespace: b}"),
            certificates("{name: a, namespace: b.c}"),
            "[0].tls.certificateRefs[0].namespace",
        ),
        (
            "VAL-ST-03",
            certificates("{name: a}"),
            certificates("{name: ''}"),
            "[0].tls.certificateRefs[0].name",
        ),
    ]);
}

fn check(rows: impl IntoIterator<Item = Row>) {
    check_rows(Kind::Gateway, rows);
}

fn gateway(more: &str) -> String {
    format!("gatewayClassName: a, listeners: [{}], {more}", http("a", ""))
}

#[test]
fn names_and_enumerations() {
    let class = |class: &str| format!("gatewayClassName: '{class}', listeners: [{}]", http("a", ""));
    let scope = |scope: &str| gateway(&format!("defaultScope: {scope}"));
    let from = |from: &str| gateway(&format!("allowedListeners: {{namespaces: {{from: {from}}}}}"));
    check([
        row("VAL-ST-03", class("A"), class(""), "spec.gatewayClassName"),
        row("VAL-ST-08", class(&long(253)), class(&long(254)), "spec.gatewayClassName"),
        row("VAL-ST-04", scope("All"), scope("all"), "spec.defaultScope"),
        row("VAL-ST-04", from("None"), from("Nobody"), "spec.allowedListeners.namespaces.from"),
    ]);
    let set = |parent: &str| format!("parentRef: {{{parent}}}, listeners: [{}]", http("a", ""));
    check_rows(
        Kind::ListenerSet,
        [
            row("VAL-ST-03", set("name: a"), set("name: ''"), "spec.parentRef.name"),
            row(
                "PAT-NS",
                set("name: a, namespace: b"),
                set("name: a, namespace: ''"),
                "spec.parentRef.namespace",
            ),
            row("PAT-KIND", set("name: a, kind: B"), set("name: a, kind: B.c"), "spec.parentRef.kind"),
            row("PAT-GROUP", set("name: a, group: ''"), set("name: a, group: /"), "spec.parentRef.group"),
        ],
    );
}

#[test]
fn addresses() {
    let addresses = |addresses: &str| gateway(&format!("addresses: [{addresses}]"));
    let numbered = |count| addresses(&many(count, |i| format!("{{value: 10.0.0.{i}}}")));
    let host = |host: &str| addresses(&format!("{{type: Hostname, value: '{host}'}}"));
    let of_type = |r#type: &str| addresses(&format!("{{type: '{type}', value: a}}"));
    const TYPE: &str = "spec.addresses[0].type";
    let routability = |scope: &str| addresses(&format!("{{value: 10.0.0.1, routability: '{scope}'}}"));
    const ROUTABILITY: &str = "spec.addresses[0].routability";
    check([
        row("VAL-GW-18", routability(""), routability("k8s.io/a"), ROUTABILITY),
        row("VAL-GW-18", routability("Cluster"), routability("Public"), ROUTABILITY),
        row("VAL-GW-18", routability("example.com/a"), routability("gateway.k8s.io/a"), ROUTABILITY),
        row(
            "VAL-GW-08",
            addresses("{value: 10.0.0.1, routability: Cluster}"),
            addresses("{value: 10.0.0.1, routability: Cluster}, {value: 10.0.0.1}"),
            "spec.addresses[1].value",
        ),
        row("LIM-05", numbered(16), numbered(17), "spec.addresses"),
        row(
            "VAL-GW-08",
            addresses("{value: 10.0.0.1}, {value: 10.0.0.2}, {}, {}"),
            addresses("{value: 10.0.0.1}, {}, {value: 10.0.0.1}"),
            "spec.addresses[2].value",
        ),
        row(
            "VAL-GW-08",
            addresses("{value: a}, {type: Hostname, value: a}, {type: NamedAddress, value: a}"),
            addresses("{value: a}, {type: IPAddress, value: a}"),
            "spec.addresses[1].value",
        ),
        row(
            "VAL-GW-09",
            addresses("{type: NamedAddress, value: a}, {type: NamedAddress, value: a}"),
            addresses("{type: Hostname, value: a}, {type: Hostname, value: a}"),
            "spec.addresses[1].value",
        ),
        row("VAL-GW-10", host("*.a"), host("a_b"), "spec.addresses[0].value"),
        row("VAL-GW-10", addresses("{type: Hostname}"), host(""), "spec.addresses[0].value"),
        row("PAT-ADDRTYPE", of_type("example.com/type"), of_type("Other"), TYPE),
        // The alternatives of the pattern are hardly anchored.
        row("PAT-ADDRTYPE", of_type("HostnameOther"), of_type("OtherHostname"), TYPE),
        row("PAT-ADDRTYPE", of_type("?IPAddress?"), of_type("example.com/"), TYPE),
        row(
            "LIM-05",
            addresses(&format!("{{type: NamedAddress, value: {}}}", "ü".repeat(253))),
            addresses(&format!("{{type: NamedAddress, value: {}}}", long(254))),
            "spec.addresses[0].value",
        ),
    ]);
}

#[test]
fn infrastructure() {
    for (field, limit, form, length) in
        [("labels", 8, "VAL-GW-12", "VAL-GW-13"), ("annotations", 16, "VAL-GW-14", "VAL-GW-15")]
    {
        let entries = |entries: &str| gateway(&format!("infrastructure: {{{field}: {{{entries}}}}}"));
        let numbered = |count| entries(&many(count, |i| format!("a{i}: b")));
        let key = |key: &str| entries(&format!("'{key}': b"));
        let at = |key: &str| format!("spec.infrastructure.{field}[{key:?}]");
        // A domain of several labels of 63 characters.
        let domain = |length: usize| format!("{}{}", format!("{}.", long(63)).repeat(3), long(length - 192));
        check([
            row("LIM-06", numbered(limit), numbered(limit + 1), format!("spec.infrastructure.{field}")),
            row(form, key("a.b/c_D-1.e"), key("a b"), at("a b")),
            row(form, key("A"), key("A.b/c"), at("A.b/c")),
            row(form, key("a/b"), key("a/b/c"), at("a/b/c")),
            row(form, key(&long(63)), key(&long(64)), at(&long(64))),
            row(
                length,
                key(&format!("{}/a", domain(252))),
                key(&format!("{}/a", domain(253))),
                // A long key is shortened.
                at(&format!("{}…", &domain(253)[..80])),
            ),
        ]);
    }
    let label = |value: &str| gateway(&format!("infrastructure: {{labels: {{a: '{value}'}}}}"));
    let annotation = |value: &str| gateway(&format!("infrastructure: {{annotations: {{a: '{value}'}}}}"));
    let parameters =
        |reference: &str| gateway(&format!("infrastructure: {{parametersRef: {{{reference}}}}}"));
    check([
        row("PAT-LABELVAL", label("a.b_C-1"), label("a b"), "spec.infrastructure.labels[\"a\"]"),
        row("PAT-LABELVAL", label(""), label("-"), "spec.infrastructure.labels[\"a\"]"),
        row("PAT-LABELVAL", label(&long(63)), label(&long(64)), "spec.infrastructure.labels[\"a\"]"),
        row(
            "LIM-06",
            annotation(&" ü".repeat(2048)),
            annotation(&long(4097)),
            "spec.infrastructure.annotations[\"a\"]",
        ),
        row(
            "VAL-ST-03",
            parameters("group: a, kind: B, name: c"),
            parameters("group: a, kind: B, name: ''"),
            "spec.infrastructure.parametersRef.name",
        ),
    ]);
}

// PRF-09: a ListenerSet may have filters beside any protocol.
#[test]
fn filters_of_listeners() {
    const FILTERS: &str =
        "filters: {requests: [{type: ExtensionRef, extensionRef: {group: a, kind: B, name: c}}]}";
    const TCP: &str = "listeners: [{name: a, port: 80, protocol: TCP, ";
    check([row(
        "VAL-GW-17",
        format!("gatewayClassName: a, listeners: [{{name: a, port: 80, protocol: HTTP, {FILTERS}}}]"),
        format!("gatewayClassName: a, {TCP}{FILTERS}}}]"),
        "spec.listeners[0].filters",
    )]);
    let of_set = format!("parentRef: {{name: a}}, {TCP}{FILTERS}}}]");
    assert_eq!(found(Kind::ListenerSet, &Kind::ListenerSet.api_version(), &of_set), [""; 0]);

    let filters = |filters: &str| http("a", &format!(", filters: {{requests: [{filters}]}}"));
    let auth = |more: &str| {
        filters(&format!(
            "{{type: ExternalAuth, externalAuth: {{protocol: HTTP, http: {{}}, backendRef: {{name: a, port: 80}}{more}}}}}"
        ))
    };
    const EXTENSION: &str = "{type: ExtensionRef, extensionRef: {group: a, kind: B, name: c}}";
    const BOTH: &str = "extensionRef: {group: a, kind: B, name: c}, \
                        externalAuth: {protocol: HTTP, http: {}, backendRef: {name: a, port: 80}}";
    check_listeners([
        (
            "LIM-24",
            filters(&many(16, |_| EXTENSION.into())),
            filters(&many(17, |_| EXTENSION.into())),
            "[0].filters.requests",
        ),
        (
            "VAL-LF-01",
            filters(EXTENSION),
            filters(&format!("{{type: ExtensionRef, {BOTH}}}")),
            "[0].filters.requests[0].externalAuth",
        ),
        ("VAL-LF-02", auth(""), filters("{type: ExternalAuth}"), "[0].filters.requests[0].externalAuth"),
        (
            "VAL-LF-03",
            auth(""),
            filters(&format!("{{type: ExternalAuth, {BOTH}}}")),
            "[0].filters.requests[0].extensionRef",
        ),
        (
            "VAL-LF-04",
            filters(EXTENSION),
            filters("{type: ExtensionRef}"),
            "[0].filters.requests[0].extensionRef",
        ),
        ("VAL-ST-04", filters(EXTENSION), filters("{type: CORS}"), "[0].filters.requests[0].type"),
        (
            "VAL-ST-06",
            auth(", forwardBody: {maxSize: 2147483647}"),
            auth(", forwardBody: {maxSize: -1}"),
            "[0].filters.requests[0].externalAuth.forwardBody.maxSize",
        ),
    ]);
}

// VAL-GW-19, CTB-01: the standard channel does not know the kind.
#[test]
fn the_namespace_of_a_bundle_refuses_no_gateway() {
    let authority = |listener: &str, namespace: &str| {
        format!(
            "gatewayClassName: a, listeners: [{{name: a, port: 80, {listener}}}], tls: {{frontend: {{default: {{validation: \
             {{caCertificateRefs: [{{group: certificates.k8s.io, kind: ClusterTrustBundle, name: a{namespace}}}]}}}}}}}}"
        )
    };
    let found = |spec: &str| found(Kind::Gateway, &Kind::Gateway.api_version(), spec);
    assert_eq!(found(&authority("protocol: HTTP", "")), [""; 0]);
    assert_eq!(found(&authority("protocol: HTTP", ", namespace: b")), [""; 0]);
}

#[test]
fn tls_of_the_whole_gateway() {
    const CA: &str = "{group: '', kind: ConfigMap, name: a}";
    let frontend = |frontend: &str| gateway(&format!("tls: {{frontend: {{{frontend}}}}}"));
    let per_port = |ports: &str| frontend(&format!("default: {{}}, perPort: [{ports}]"));
    let port = |port: usize| format!("{{port: {port}, tls: {{}}}}");
    let cas = |count| {
        frontend(&format!("default: {{validation: {{caCertificateRefs: [{}]}}}}", many(count, |_| CA.into())))
    };
    let mode = |mode: &str| {
        per_port(&format!("{{port: 443, tls: {{validation: {{caCertificateRefs: [{CA}], mode: {mode}}}}}}}"))
    };
    let ca = |ca: &str| frontend(&format!("default: {{validation: {{caCertificateRefs: [{{{ca}}}]}}}}"));
    let client =
        |reference: &str| gateway(&format!("tls: {{backend: {{clientCertificateRef: {{{reference}}}}}}}"));
    const CAS: &str = "spec.tls.frontend.default.validation.caCertificateRefs";
    check([
        row(
            "LIM-07",
            per_port(&many(64, |i| port(i + 1))),
            per_port(&many(65, |i| port(i + 1))),
            "spec.tls.frontend.perPort",
        ),
        row("LIM-07", cas(1), cas(0), CAS),
        row("LIM-07", cas(16), cas(17), CAS),
        row(
            "VAL-GW-16",
            per_port("{port: 443, tls: {}}, {port: 444, tls: {}}"),
            per_port("{port: 443, tls: {}}, {port: 444, tls: {}}, {port: 443, tls: {}}"),
            "spec.tls.frontend.perPort[2].port",
        ),
        row("VAL-ST-06", per_port(&port(65535)), per_port(&port(65536)), "spec.tls.frontend.perPort[0].port"),
        row(
            "VAL-ST-04",
            mode("AllowInsecureFallback"),
            mode("Optional"),
            "spec.tls.frontend.perPort[0].tls.validation.mode",
        ),
        row(
            "PAT-KIND",
            ca("group: '', kind: A, name: b"),
            ca("group: '', kind: '', name: b"),
            format!("{CAS}[0].kind"),
        ),
        row(
            "PAT-NS",
            ca("group: '', kind: A, name: b, namespace: c"),
            ca("group: '', kind: A, name: b, namespace: C"),
            format!("{CAS}[0].namespace"),
        ),
        row("VAL-ST-03", client("name: a"), client("name: ''"), "spec.tls.backend.clientCertificateRef.name"),
    ]);
}

// LIM-01: entries beyond the limit are not looked at.
#[test]
fn a_list_that_is_too_long_is_one_problem() {
    let same = many(1000, |_| http("a", ""));
    let found = found(
        Kind::Gateway,
        &Kind::Gateway.api_version(),
        &format!(
            "gatewayClassName: a, listeners: [{}, {same}]",
            many(64, |i| format!("{{name: b{i}, port: {}, protocol: TCP}}", i + 1))
        ),
    );
    assert_eq!(found, ["LIM-01 spec.listeners"]);
}
