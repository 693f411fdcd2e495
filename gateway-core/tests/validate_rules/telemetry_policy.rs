//! XTelemetryPolicy.

use gateway_core::api::Kind;

use super::{check_rows, long, many, row};

const TARGETS: &str = "targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: a}]";
const PROVIDER: &str = "provider: {backendRef: {name: a, port: 4317}}";

/// A policy with this in `tracing`.
fn tracing(tracing: &str) -> String {
    format!("{TARGETS}, tracing: {{{tracing}}}")
}

/// One that is enabled.
fn enabled(more: &str) -> String {
    tracing(&format!("mode: Enabled, {PROVIDER}{more}"))
}

fn field(field: &str) -> String {
    format!("spec.tracing.{field}")
}

#[test]
fn specs() {
    let target = |i| format!("{{group: '', kind: A, name: a{i}}}");
    let targets = |count| format!("tracing: {{}}, targetRefs: [{}]", many(count, target));
    check_rows(
        Kind::XTelemetryPolicy,
        [
            row("LIM-25", targets(1), targets(0), "spec.targetRefs"),
            row("LIM-25", targets(16), targets(17), "spec.targetRefs"),
            row(
                "PAT-KIND",
                targets(1),
                "tracing: {}, targetRefs: [{group: a, kind: '', name: b}]",
                "spec.targetRefs[0].kind",
            ),
            row("VAL-TP-01", tracing(""), TARGETS, "spec"),
            row("VAL-ST-04", tracing("mode: Disabled"), tracing("mode: Never"), field("mode")),
            row("VAL-TP-02", enabled(""), tracing("mode: Enabled"), field("provider")),
            row("VAL-TP-02", tracing("mode: Disabled"), tracing(PROVIDER), field("provider")),
        ],
    );
}

// VAL-TP-03: each of them needs mode Enabled.
#[test]
fn what_needs_tracing() {
    for (name, value) in [
        ("samplingRate", "{numerator: 1}"),
        ("parentBasedSampling", "{}"),
        ("serviceName", "a"),
        ("spanName", "a"),
        ("attributes", "[{name: a, sourceType: Literal, literalValue: b}]"),
    ] {
        let with = format!("{name}: {value}");
        let good = enabled(&format!(", {with}"));
        for mode in ["mode: Disabled", "mode: ImplementationDefault"] {
            let bad = tracing(&format!("{mode}, {with}"));
            check_rows(Kind::XTelemetryPolicy, [row("VAL-TP-03", good.clone(), bad, field(name))]);
        }
    }
}

#[test]
fn sampling() {
    let rate = |rate: &str| enabled(&format!(", samplingRate: {{{rate}}}"));
    let parent = |parent: &str| enabled(&format!(", parentBasedSampling: {{{parent}}}"));
    check_rows(
        Kind::XTelemetryPolicy,
        [
            row("VAL-ST-06", rate("numerator: 0"), rate("numerator: -1"), field("samplingRate.numerator")),
            row(
                "VAL-HR-39",
                rate("numerator: 3, denominator: 3"),
                rate("numerator: 4, denominator: 3"),
                field("samplingRate"),
            ),
            row(
                "VAL-TP-04",
                parent("mode: Enabled, samplingRate: {numerator: 1}"),
                parent("mode: Disabled, samplingRate: {numerator: 1}"),
                field("parentBasedSampling.samplingRate"),
            ),
            row("VAL-ST-04", parent(""), parent("mode: Never"), field("parentBasedSampling.mode")),
        ],
    );
}

#[test]
fn providers() {
    let provider = |provider: &str| tracing(&format!("mode: Enabled, provider: {{{provider}}}"));
    let headers =
        |headers: &str| provider(&format!("backendRef: {{name: a, port: 1}}, headers: [{headers}]"));
    let numbered = |count| headers(&many(count, |i| format!("{{name: a{i}, value: b}}")));
    const XBACKEND: &str = "group: gateway.networking.x-k8s.io, kind: XBackend, name: a";
    check_rows(
        Kind::XTelemetryPolicy,
        [
            row(
                "VAL-RT-03",
                provider("backendRef: {name: a, port: 1}"),
                provider("backendRef: {name: a}"),
                field("provider.backendRef"),
            ),
            row(
                "XBK-08",
                provider(&format!("backendRef: {{{XBACKEND}}}")),
                provider(&format!("backendRef: {{{XBACKEND}, port: 1}}")),
                field("provider.backendRef.port"),
            ),
            row("LIM-25", numbered(16), numbered(17), field("provider.headers")),
            row(
                "VAL-ST-01",
                numbered(2),
                headers("{name: a, value: b}, {name: a, value: c}"),
                field("provider.headers[1].name"),
            ),
            row(
                "PAT-HDRNAME",
                numbered(1),
                headers("{name: 'a b', value: c}"),
                field("provider.headers[0].name"),
            ),
        ],
    );
}

#[test]
fn names_and_attributes() {
    let service = |name: &str| enabled(&format!(", serviceName: '{name}'"));
    let span = |name: &str| enabled(&format!(", spanName: '{name}'"));
    let attributes = |attributes: &str| enabled(&format!(", attributes: [{attributes}]"));
    let one = |source: &str| attributes(&format!("{{name: a, {source}}}"));
    let of_header = |name: &str| format!("{{name: {name}, sourceType: Header, headerName: b}}");
    let named = |name: &str| attributes(&of_header(&format!("'{name}'")));
    let header = |name: &str| one(&format!("sourceType: Header, headerName: '{name}'"));
    let literal = |value: &str| one(&format!("sourceType: Literal, literalValue: '{value}'"));
    let key = |key: &str| one(&format!("sourceType: Attribute, attributeKey: '{key}'"));
    let two = |a: &str, b: &str| attributes(&format!("{}, {}", of_header(a), of_header(b)));
    let attribute = |name: &str| field(&format!("attributes[0].{name}"));
    check_rows(
        Kind::XTelemetryPolicy,
        [
            row("VAL-TP-05", service("a_B.0:/-"), service("a b"), field("serviceName")),
            row("VAL-TP-05", service(&long(253)), service(&long(254)), field("serviceName")),
            row("VAL-TP-06", span("a b"), span("a  b"), field("spanName")),
            row("VAL-TP-06", span(&long(256)), span(&long(257)), field("spanName")),
            row("VAL-TP-07", named("a.b/c"), named("a b"), attribute("name")),
            row("VAL-TP-07", named(&long(256)), named(&long(257)), attribute("name")),
            row("VAL-ST-01", two("a", "b"), two("a", "a"), field("attributes[1].name")),
            row("VAL-ST-04", header("b"), one("sourceType: Cookie"), attribute("sourceType")),
            row("VAL-TP-08", header("b"), one("sourceType: Header"), attribute("headerName")),
            row(
                "VAL-TP-08",
                literal("b"),
                one("sourceType: Literal, literalValue: b, headerName: c"),
                attribute("headerName"),
            ),
            row("PAT-HDRNAME", header("b"), header("b c"), attribute("headerName")),
            row("VAL-TP-09", literal("b"), one("sourceType: Literal"), attribute("literalValue")),
            row(
                "VAL-TP-09",
                header("b"),
                one("sourceType: Header, headerName: b, literalValue: c"),
                attribute("literalValue"),
            ),
            row("LIM-25", literal(&long(1024)), literal(&long(1025)), attribute("literalValue")),
            row(
                "VAL-TP-10",
                key("http.request.method"),
                one("sourceType: Attribute"),
                attribute("attributeKey"),
            ),
            row(
                "VAL-TP-10",
                header("b"),
                one("sourceType: Header, headerName: b, attributeKey: c"),
                attribute("attributeKey"),
            ),
            row("VAL-TP-11", key("a_b.c-0"), key("Http"), attribute("attributeKey")),
        ],
    );
}
