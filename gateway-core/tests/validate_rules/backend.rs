//! XBackend; what it shares with BackendTLSPolicy is tested there.

use gateway_core::api::Kind;

use super::{check_rows, found, many, row};

fn backend(more: &str) -> String {
    format!("type: ExternalHostname, externalHostname: {{hostname: a.b}}, port: {{number: 443}}{more}")
}

fn selector(labels: &str) -> String {
    format!("type: EndpointSelector, endpointSelector: {{matchLabels: {{{labels}}}}}, port: {{number: 80}}")
}

// XBK-01, XBK-03, XBK-04
#[test]
fn specs() {
    let hostname = |name: &str| {
        format!("type: ExternalHostname, externalHostname: {{hostname: {name}}}, port: {{number: 1}}")
    };
    let port =
        |port: &str| format!("type: ExternalHostname, externalHostname: {{hostname: a}}, port: {{{port}}}");
    let protocol = |protocol: &str| backend(&format!(", protocol: {protocol}"));
    let tls = |tls: &str| backend(&format!(", tls: {{{tls}}}"));
    let labels = |count| selector(&many(count, |i| format!("a{i}: b")));
    const CLIENT: &str = "clientCertificateRef: {name: a}";
    const VALIDATION: &str = "validation: {hostname: a.b, wellKnownCACertificates: System}";
    const ENCRYPTED: &str = "mode: ServerOnly, validation: {hostname: a.b, wellKnownCACertificates: System}";
    let over_tls = |protocol: &str| backend(&format!(", protocol: {protocol}, tls: {{{ENCRYPTED}}}"));
    check_rows(
        Kind::XBackend,
        [
            row(
                "VAL-XB-01",
                backend(""),
                "type: ExternalHostname, port: {number: 443}",
                "spec.externalHostname",
            ),
            row(
                "VAL-XB-01",
                selector("a: b"),
                format!("{}, externalHostname: {{hostname: a}}", selector("a: b")),
                "spec.externalHostname",
            ),
            row(
                "VAL-XB-02",
                hostname("cluster.local"),
                hostname("a.b.svc.cluster.local"),
                "spec.externalHostname.hostname",
            ),
            row("PAT-PRECISE", hostname("10.0.0.1"), hostname("'*.a'"), "spec.externalHostname.hostname"),
            row(
                "VAL-XB-05",
                selector("a: b"),
                "type: EndpointSelector, port: {number: 80}",
                "spec.endpointSelector",
            ),
            row(
                "VAL-XB-05",
                backend(""),
                backend(", endpointSelector: {matchLabels: {a: b}}"),
                "spec.endpointSelector",
            ),
            row("VAL-XB-06", labels(64), labels(65), "spec.endpointSelector.matchLabels"),
            row("VAL-XB-06", labels(1), labels(0), "spec.endpointSelector.matchLabels"),
            row(
                "VAL-XB-06",
                selector("a.b/C_d: e"),
                selector("a/b/c: e"),
                "spec.endpointSelector.matchLabels[\"a/b/c\"]",
            ),
            row(
                "PAT-LABELVAL",
                selector("a: ''"),
                selector("a: 'b c'"),
                "spec.endpointSelector.matchLabels[\"a\"]",
            ),
            row("VAL-ST-06", port("number: 65535"), port("number: 65536"), "spec.port.number"),
            row("VAL-ST-06", port("number: 1"), port("number: 0"), "spec.port.number"),
            row("VAL-XB-11", port("number: 1"), port(""), "spec.port"),
            row("VAL-ST-04", protocol("MCP"), protocol("QUIC"), "spec.protocol"),
            row("VAL-ST-04", protocol("GRPC"), protocol("http"), "spec.protocol"),
            row("VAL-XB-07", protocol("H2C"), over_tls("H2C"), "spec.tls"),
            row("VAL-XB-08", over_tls("HTTP2"), protocol("HTTP2"), "spec.tls"),
            row("VAL-XB-08", over_tls("WSS"), backend(", protocol: WSS, tls: {mode: None}"), "spec.tls"),
            row(
                "VAL-XB-09",
                format!("{}, sessionPersistence: {{cookie: {{}}}}", selector("a: b")),
                backend(", sessionPersistence: {cookie: {}}"),
                "spec.sessionPersistence",
            ),
            row(
                "VAL-SP-03",
                format!("{}, sessionPersistence: {{cookie: {{}}}}", selector("a: b")),
                format!("{}, sessionPersistence: {{}}", selector("a: b")),
                "spec.sessionPersistence.cookie",
            ),
            row("VAL-ST-04", tls("mode: None"), tls("mode: Simple"), "spec.tls.mode"),
            row(
                "VAL-XB-04",
                tls(&format!("mode: ClientAndServer, {CLIENT}, {VALIDATION}")),
                tls(&format!("mode: ClientAndServer, {VALIDATION}")),
                "spec.tls.clientCertificateRef",
            ),
            row(
                "VAL-XB-04",
                tls(ENCRYPTED),
                tls(&format!("{ENCRYPTED}, {CLIENT}")),
                "spec.tls.clientCertificateRef",
            ),
            row("VAL-XB-10", tls(ENCRYPTED), tls("mode: ServerOnly"), "spec.tls.validation"),
            row("VAL-XB-10", backend(""), tls(&format!("mode: None, {VALIDATION}")), "spec.tls.validation"),
            row(
                "PAT-NS",
                tls(&format!(
                    "mode: ClientAndServer, {VALIDATION}, clientCertificateRef: {{name: a, namespace: b}}"
                )),
                tls(&format!(
                    "mode: ClientAndServer, {VALIDATION}, clientCertificateRef: {{name: a, namespace: B}}"
                )),
                "spec.tls.clientCertificateRef.namespace",
            ),
        ],
    );
}

// VAL-ST-04, VAL-XB-01
#[test]
fn an_unknown_type_has_no_member() {
    let found = |spec| found(Kind::XBackend, &Kind::XBackend.api_version(), spec);
    assert_eq!(found("type: Other, port: {number: 1}"), ["VAL-ST-04 spec.type"]);
    assert_eq!(
        found("type: Other, externalHostname: {hostname: a}, port: {number: 1}"),
        ["VAL-ST-04 spec.type", "VAL-XB-01 spec.externalHostname"]
    );
}
