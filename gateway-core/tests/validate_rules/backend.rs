//! XBackend; what it shares with BackendTLSPolicy is tested there.

use gateway_core::api::Kind;

use super::{check_rows, found, long, row};

fn backend(more: &str) -> String {
    format!("type: ExternalHostname, externalHostname: {{hostname: a.b}}, port: {{port: 443}}{more}")
}

#[test]
fn specs() {
    let hostname = |name: &str| {
        format!("type: ExternalHostname, externalHostname: {{hostname: {name}}}, port: {{port: 1}}")
    };
    let port =
        |port: &str| format!("type: ExternalHostname, externalHostname: {{hostname: a}}, port: {{{port}}}");
    let protocol = |protocol: &str| backend(&format!(", protocol: {protocol}"));
    let tls = |tls: &str| backend(&format!(", tls: {{{tls}}}"));
    const CLIENT: &str = "clientCertificateRef: {name: a}";
    check_rows(
        Kind::XBackend,
        [
            row(
                "VAL-XB-01",
                backend(""),
                "type: ExternalHostname, port: {port: 443}",
                "spec.externalHostname",
            ),
            row(
                "VAL-XB-02",
                hostname("cluster.local"),
                hostname("a.b.svc.cluster.local"),
                "spec.externalHostname.hostname",
            ),
            row("PAT-PRECISE", hostname("10.0.0.1"), hostname("'*.a'"), "spec.externalHostname.hostname"),
            row("VAL-XB-03", port("name: a-1, port: 1"), port("name: a.b, port: 1"), "spec.port.name"),
            row(
                "VAL-XB-03",
                port("name: '', port: 1"),
                port(&format!("name: {}, port: 1", long(64))),
                "spec.port.name",
            ),
            row("VAL-ST-06", port("port: 65535"), port("port: 65536"), "spec.port.port"),
            row("VAL-ST-06", port("port: 1"), port("port: 0"), "spec.port.port"),
            row("VAL-ST-04", protocol("MCP"), protocol("QUIC"), "spec.protocol"),
            row("VAL-ST-04", tls("mode: None"), tls("mode: Simple"), "spec.tls.mode"),
            row(
                "VAL-XB-04",
                tls(&format!("mode: ClientAndServer, {CLIENT}")),
                tls("mode: ClientAndServer"),
                "spec.tls.clientCertificateRef",
            ),
            row(
                "VAL-XB-04",
                tls("mode: ServerOnly"),
                tls(&format!("mode: ServerOnly, {CLIENT}")),
                "spec.tls.clientCertificateRef",
            ),
            row(
                "PAT-NS",
                tls("mode: ClientAndServer, clientCertificateRef: {name: a, namespace: b}"),
                tls("mode: ClientAndServer, clientCertificateRef: {name: a, namespace: B}"),
                "spec.tls.clientCertificateRef.namespace",
            ),
        ],
    );
}

// VAL-ST-04, VAL-XB-01
#[test]
fn an_unknown_type_has_no_member() {
    let found = |spec| found(Kind::XBackend, &Kind::XBackend.api_version(), spec);
    assert_eq!(found("type: Other, port: {port: 1}"), ["VAL-ST-04 spec.type"]);
    assert_eq!(
        found("type: Other, externalHostname: {hostname: a}, port: {port: 1}"),
        ["VAL-ST-04 spec.type", "VAL-XB-01 spec.externalHostname"]
    );
}
