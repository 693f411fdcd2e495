//! GRPCRoute.

use gateway_core::api::Kind;

use super::{Row, check_rows, found, long, many, row};

fn check(rows: impl IntoIterator<Item = Row>) {
    check_rows(Kind::GrpcRoute, rows);
}

#[test]
fn rules() {
    let rules = |count| format!("rules: [{}]", many(count, |_| "{}".into()));
    let matches = |count| format!("{{matches: [{}]}}", many(count, |_| "{}".into()));
    let hostnames = |count| format!("hostnames: [{}]", many(count, |i| format!("a{i}")));
    let backends =
        |count| format!("rules: [{{backendRefs: [{}]}}]", many(count, |_| "{name: a, port: 80}".into()));
    check([
        row("LIM-10", hostnames(16), hostnames(17), "spec.hostnames"),
        row("PAT-HOST", "hostnames: ['*.a']", "hostnames: ['*a']", "spec.hostnames[0]"),
        row("LIM-11", rules(0), rules(17), "spec.rules"),
        row("LIM-11", "", rules(17), "spec.rules"),
        row(
            "LIM-12",
            format!("rules: [{}]", matches(64)),
            format!("rules: [{}]", matches(65)),
            "spec.rules[0].matches",
        ),
        row(
            "VAL-GR-01",
            format!("rules: [{0}, {0}]", matches(64)),
            format!("rules: [{0}, {0}, {1}]", matches(64), matches(1)),
            "spec.rules",
        ),
        row(
            "VAL-HR-02",
            "rules: [{name: a}, {}, {name: b}, {}]",
            "rules: [{name: a}, {}, {name: a}, {}]",
            "spec.rules[2].name",
        ),
        row("PAT-PRECISE", "rules: [{name: a.b}]", "rules: [{name: a_b}]", "spec.rules[0].name"),
        row("LIM-14", backends(16), backends(17), "spec.rules[0].backendRefs"),
        row(
            "VAL-SP-02",
            "rules: [{sessionPersistence: {cookie: {}}}]",
            "rules: [{sessionPersistence: {type: Header, header: {name: a}, cookie: {}}}]",
            "spec.rules[0].sessionPersistence.cookie",
        ),
    ]);
}

#[test]
fn matches() {
    let method = |method: &str| format!("rules: [{{matches: [{{method: {{{method}}}}}]}}]");
    let headers = |headers: &str| format!("rules: [{{matches: [{{headers: [{headers}]}}]}}]");
    const SERVICE: &str = "spec.rules[0].matches[0].method.service";
    const METHOD: &str = "spec.rules[0].matches[0].method.method";
    check([
        row("VAL-GR-02", method("service: a"), method("type: Exact"), "spec.rules[0].matches[0].method"),
        row("VAL-GR-02", method("method: a"), method(""), "spec.rules[0].matches[0].method"),
        row("VAL-GR-03", method("service: a.B_1.c"), method("service: a..b"), SERVICE),
        row("VAL-GR-03", method("service: .a"), method("service: a/b"), SERVICE),
        row("VAL-GR-03", method("service: a1"), method("service: 1a"), SERVICE),
        row(
            "VAL-GR-03",
            method(&format!("service: {}", long(1024))),
            method(&format!("service: {}", long(1025))),
            SERVICE,
        ),
        row("VAL-GR-04", method("method: Do_It1"), method("method: do-it"), METHOD),
        row("VAL-GR-04", method("method: _a"), method("method: 1a"), METHOD),
        row("VAL-GR-04", method("service: a, method: b"), method("service: a, method: ''"), METHOD),
        row(
            "LIM-16",
            method("type: RegularExpression, service: '[a', method: '(/'"),
            method(&format!("type: RegularExpression, service: {}", long(1025))),
            SERVICE,
        ),
        row(
            "LIM-13",
            headers(&many(16, |i| format!("{{name: a{i}, value: b}}"))),
            headers(&many(17, |i| format!("{{name: a{i}, value: b}}"))),
            "spec.rules[0].matches[0].headers",
        ),
        row(
            "VAL-ST-01",
            headers("{name: a, value: b}, {name: A, value: b}"),
            headers("{name: a, value: b}, {name: a, value: b}"),
            "spec.rules[0].matches[0].headers[1].name",
        ),
        row(
            "PAT-HDRNAME",
            headers("{name: a-bin, value: b}"),
            headers("{name: 'a/b', value: b}"),
            "spec.rules[0].matches[0].headers[0].name",
        ),
        // Unlike in HTTPRoute only the length of a value counts.
        row(
            "LIM-16",
            headers(&format!("{{name: a, value: '{}'}}", " ü".repeat(2048))),
            headers(&format!("{{name: a, value: {}}}", long(4097))),
            "spec.rules[0].matches[0].headers[0].value",
        ),
        row(
            "LIM-16",
            headers("{name: a, value: b}"),
            headers("{name: a, value: ''}"),
            "spec.rules[0].matches[0].headers[0].value",
        ),
    ]);
}

// VAL-ST-04, GEN-14, RTE-30, GRP-16
#[test]
fn unknown_values_with_a_condition_of_their_own_are_not_refused() {
    for spec in [
        "rules: [{matches: [{method: {type: Prefix, service: a/}}]}]",
        "rules: [{matches: [{headers: [{type: Prefix, name: a, value: b}]}]}]",
        "rules: [{filters: [{type: Compress}]}]",
        "rules: [{filters: [{type: Compress, requestHeaderModifier: {}}]}]",
    ] {
        assert_eq!(found(Kind::GrpcRoute, &Kind::GrpcRoute.api_version(), spec), [""; 0], "{spec}");
    }
}

#[test]
fn filters() {
    const REQUEST: &str = "{type: RequestHeaderModifier, requestHeaderModifier: {}}";
    const RESPONSE: &str = "{type: ResponseHeaderModifier, responseHeaderModifier: {}}";
    const MIRROR: &str = "{type: RequestMirror, requestMirror: {backendRef: {name: a, port: 80}}}";
    const FILTERS: &str = "spec.rules[0].filters";
    let filters = |filters: &str| format!("rules: [{{filters: [{filters}]}}]");
    let list = |count, filter: &str| filters(&many(count, |_| filter.to_owned()));
    let backend =
        |filters: &str| format!("rules: [{{backendRefs: [{{name: a, port: 80, filters: [{filters}]}}]}}]");
    check([
        row("LIM-14", list(16, MIRROR), list(17, MIRROR), FILTERS),
        row("VAL-GR-05", filters(&format!("{REQUEST}, {RESPONSE}")), list(2, REQUEST), FILTERS),
        row("VAL-GR-06", filters(&format!("{RESPONSE}, {MIRROR}")), list(2, RESPONSE), FILTERS),
        row(
            "VAL-GR-06",
            backend(RESPONSE),
            backend(&format!("{RESPONSE}, {RESPONSE}")),
            "spec.rules[0].backendRefs[0].filters",
        ),
        row(
            "LIM-15",
            filters(REQUEST),
            filters(&format!(
                "{{type: RequestHeaderModifier, requestHeaderModifier: {{remove: [{}]}}}}",
                many(17, |i| format!("a{i}"))
            )),
            "spec.rules[0].filters[0].requestHeaderModifier.remove",
        ),
        row(
            "VAL-HR-38",
            filters(MIRROR),
            filters(
                "{type: RequestMirror, requestMirror: {backendRef: {name: a, port: 80}, percent: 1, fraction: {numerator: 1}}}",
            ),
            "spec.rules[0].filters[0].requestMirror",
        ),
    ]);
    for (r#type, name, member, absent_unless_named, present_if_named) in [
        ("RequestHeaderModifier", "requestHeaderModifier", "{}", "VAL-GR-07", "VAL-GR-08"),
        ("ResponseHeaderModifier", "responseHeaderModifier", "{}", "VAL-GR-09", "VAL-GR-10"),
        ("RequestMirror", "requestMirror", "{backendRef: {name: a, port: 80}}", "VAL-GR-11", "VAL-GR-12"),
        ("ExtensionRef", "extensionRef", "{group: a.b, kind: C, name: d}", "VAL-GR-13", "VAL-GR-14"),
    ] {
        let good = filters(&format!("{{type: {type}, {name}: {member}}}"));
        let other = match r#type {
            "ExtensionRef" => "type: RequestHeaderModifier, requestHeaderModifier: {}",
            _ => "type: ExtensionRef, extensionRef: {group: a.b, kind: C, name: d}",
        };
        let field = format!("spec.rules[0].filters[0].{name}");
        check([
            row(absent_unless_named, &*good, filters(&format!("{{{other}, {name}: {member}}}")), &*field),
            row(present_if_named, &*good, filters(&format!("{{type: {type}}}")), &*field),
        ]);
    }
}
