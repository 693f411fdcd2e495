//! BackendTLSPolicy, and the part of it that XBackend has too.

use gateway_core::api::Kind;

use super::{check_rows, found, long, many, row};

const TARGET: &str = "{group: '', kind: Service, name: a}";
const VALIDATION: &str = "validation: {hostname: a.b, wellKnownCACertificates: System}";

#[test]
fn targets() {
    let targets = |targets: &str| format!("{VALIDATION}, targetRefs: [{targets}]");
    let target = |name: &str, section: &str| format!("{{group: '', kind: Service, name: {name}{section}}}");
    let numbered = |count| targets(&many(count, |i| target(&format!("a{i}"), "")));
    let two = |a: &str, b: &str| targets(&format!("{}, {}", target("a", a), target("a", b)));
    const SECOND: &str = "spec.targetRefs[1]";
    check_rows(
        Kind::BackendTlsPolicy,
        [
            row("LIM-19", numbered(1), numbered(0), "spec.targetRefs"),
            row("LIM-19", numbered(16), numbered(17), "spec.targetRefs"),
            row("VAL-BT-01", numbered(2), two("", ", sectionName: b"), SECOND),
            row(
                "VAL-BT-01",
                two(", sectionName: b", ", sectionName: c"),
                two(", sectionName: b", ""),
                SECOND,
            ),
            row("VAL-BT-02", numbered(2), two("", ""), SECOND),
            row(
                "VAL-BT-02",
                targets(&format!("{TARGET}, {{group: '', kind: XService, name: a}}")),
                two(", sectionName: b", ", sectionName: b"),
                SECOND,
            ),
            row(
                "VAL-ST-03",
                targets(TARGET),
                targets("{group: '', kind: Service, name: ''}"),
                "spec.targetRefs[0].name",
            ),
            row(
                "PAT-KIND",
                targets(TARGET),
                targets("{group: '', kind: 1a, name: a}"),
                "spec.targetRefs[0].kind",
            ),
            row(
                "PAT-GROUP",
                targets(TARGET),
                targets("{group: a b, kind: A, name: a}"),
                "spec.targetRefs[0].group",
            ),
            row(
                "PAT-PRECISE",
                targets(&target("a", ", sectionName: http")),
                targets(&target("a", ", sectionName: HTTP")),
                "spec.targetRefs[0].sectionName",
            ),
        ],
    );
}

#[test]
fn options() {
    let options = |options: &str| format!("{VALIDATION}, targetRefs: [{TARGET}], options: {{{options}}}");
    let numbered = |count| options(&many(count, |i| format!("a{i}: b")));
    check_rows(
        Kind::BackendTlsPolicy,
        [
            row("LIM-19", numbered(16), numbered(17), "spec.options"),
            row(
                "LIM-19",
                options(&format!("a.b/c: {}", long(4096))),
                options(&format!("a.b/c: {}", long(4097))),
                "spec.options[\"a.b/c\"]",
            ),
        ],
    );
}

// VAL-BT-03, VAL-BT-04, BTP-11: beside a well-known set, the standard channel takes an empty list and the experimental
// one does not; XBackend is in the experimental channel only.
#[test]
fn an_empty_list_of_authorities() {
    const EMPTY: &str = "hostname: a.b, caCertificateRefs: []";
    const BESIDE: &str = "hostname: a.b, caCertificateRefs: [], wellKnownCACertificates: System";
    let policy = |validation: &str| {
        let spec = format!("targetRefs: [{TARGET}], validation: {{{validation}}}");
        found(Kind::BackendTlsPolicy, &Kind::BackendTlsPolicy.api_version(), &spec)
    };
    assert_eq!(policy(BESIDE), [""; 0]);
    assert_eq!(policy(EMPTY), ["VAL-BT-04 spec.validation", "LIM-19 spec.validation.caCertificateRefs"]);
    let backend = |validation: &str| {
        let spec = format!(
            "type: ExternalHostname, externalHostname: {{hostname: a.b}}, port: {{number: 443}}, \
             tls: {{mode: ServerOnly, validation: {{{validation}}}}}"
        );
        found(Kind::XBackend, &Kind::XBackend.api_version(), &spec)
    };
    const LIST: &str = "LIM-19 spec.tls.validation.caCertificateRefs";
    assert_eq!(backend(BESIDE), ["VAL-BT-03 spec.tls.validation", LIST]);
    assert_eq!(backend(EMPTY), [LIST], "it is a source, if an empty one");
}

#[test]
fn validations() {
    const CA: &str = "{group: '', kind: ConfigMap, name: a}";
    let of_policy = |validation: &str| format!("targetRefs: [{TARGET}], validation: {{{validation}}}");
    let of_backend = |validation: &str| {
        format!(
            "type: ExternalHostname, externalHostname: {{hostname: a.b}}, port: {{number: 443}}, \
             tls: {{mode: ServerOnly, validation: {{{validation}}}}}"
        )
    };
    for (kind, at) in [(Kind::BackendTlsPolicy, "spec.validation"), (Kind::XBackend, "spec.tls.validation")] {
        let validation = |validation: &str| match kind {
            Kind::XBackend => of_backend(validation),
            _ => of_policy(validation),
        };
        let system =
            |more: &str| validation(&format!("hostname: a.b, wellKnownCACertificates: System{more}"));
        let set = |set: &str| validation(&format!("hostname: a.b, wellKnownCACertificates: '{set}'"));
        let cas = |cas: &str| validation(&format!("hostname: a.b, caCertificateRefs: [{cas}]"));
        let host = |host: &str| validation(&format!("wellKnownCACertificates: System, hostname: '{host}'"));
        let sans = |sans: &str| system(&format!(", subjectAltNames: [{sans}]"));
        let field = |field: &str| format!("{at}.{field}");
        check_rows(
            kind,
            [
                row("VAL-BT-03", system(""), system(&format!(", caCertificateRefs: [{CA}]")), at),
                row("VAL-BT-04", cas(CA), validation("hostname: a.b"), at),
                row(
                    "LIM-19",
                    cas(&many(8, |_| CA.into())),
                    cas(&many(9, |_| CA.into())),
                    field("caCertificateRefs"),
                ),
                row(
                    "PAT-KIND",
                    cas(CA),
                    cas("{group: '', kind: '', name: a}"),
                    field("caCertificateRefs[0].kind"),
                ),
                row("PAT-WKCA", set("a.b/C_1"), set("Mozilla"), field("wellKnownCACertificates")),
                row("PAT-PRECISE", host("a.b"), host("*.b"), field("hostname")),
                row("PAT-PRECISE", host("a.b"), host(""), field("hostname")),
                row(
                    "LIM-19",
                    sans(&many(5, |i| format!("{{type: Hostname, hostname: a{i}}}"))),
                    sans(&many(6, |i| format!("{{type: Hostname, hostname: a{i}}}"))),
                    field("subjectAltNames"),
                ),
                row(
                    "VAL-BT-05",
                    sans("{type: Hostname, hostname: '*.a'}"),
                    sans("{type: Hostname}"),
                    field("subjectAltNames[0].hostname"),
                ),
                row(
                    "VAL-BT-06",
                    sans("{type: URI, uri: 'a://b'}"),
                    sans("{type: URI, uri: 'a://b', hostname: a}"),
                    field("subjectAltNames[0].hostname"),
                ),
                row(
                    "VAL-BT-07",
                    sans("{type: URI, uri: 'a://b/c?d#e'}"),
                    sans("{type: URI}"),
                    field("subjectAltNames[0].uri"),
                ),
                row(
                    "VAL-BT-08",
                    sans("{type: Hostname, hostname: a}"),
                    sans("{type: Hostname, hostname: a, uri: 'a://b'}"),
                    field("subjectAltNames[0].uri"),
                ),
                row(
                    "VAL-ST-04",
                    sans("{type: URI, uri: 'a://b'}"),
                    sans("{type: Email}"),
                    field("subjectAltNames[0].type"),
                ),
                row(
                    "PAT-HOST",
                    sans("{type: Hostname, hostname: a.b}"),
                    sans("{type: Hostname, hostname: a_b}"),
                    field("subjectAltNames[0].hostname"),
                ),
                row(
                    "PAT-URI",
                    sans("{type: URI, uri: 'spiffe://a/b'}"),
                    sans("{type: URI, uri: 'a:b'}"),
                    field("subjectAltNames[0].uri"),
                ),
            ],
        );
    }
}
