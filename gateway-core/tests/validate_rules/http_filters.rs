//! The filters of HTTPRoute, of rules and of backends.

use gateway_core::api::Kind;

use super::{Row, check_rows, long, many, row};

const FILTERS: &str = "spec.rules[0].filters";

fn filters(filters: &str) -> String {
    format!("rules: [{{filters: [{filters}]}}]")
}

/// A row about the filters of a rule.
fn of_filters(rule: &'static str, good: &str, bad: &str, field: &str) -> Row {
    row(rule, filters(good), filters(bad), field)
}

fn check(rows: impl IntoIterator<Item = Row>) {
    check_rows(Kind::HttpRoute, rows);
}

const CORS: &str = "{type: CORS, cors: {}}";
const REQUEST: &str = "{type: RequestHeaderModifier, requestHeaderModifier: {}}";
const RESPONSE: &str = "{type: ResponseHeaderModifier, responseHeaderModifier: {}}";
const MIRROR: &str = "{type: RequestMirror, requestMirror: {backendRef: {name: a, port: 80}}}";
const REDIRECT: &str = "{type: RequestRedirect, requestRedirect: {}}";
const REWRITE: &str = "{type: URLRewrite, urlRewrite: {}}";

#[test]
fn lists() {
    let list = |count, filter: &str| many(count, |_| filter.to_owned());
    check([
        of_filters("LIM-14", &list(16, MIRROR), &list(17, MIRROR), FILTERS),
        of_filters("VAL-HR-09", REDIRECT, &format!("{REDIRECT}, {REWRITE}"), FILTERS),
        of_filters("VAL-HR-10", &format!("{CORS}, {REQUEST}"), &list(2, CORS), FILTERS),
        of_filters("VAL-HR-11", &format!("{REQUEST}, {RESPONSE}"), &list(2, REQUEST), FILTERS),
        of_filters("VAL-HR-12", &format!("{RESPONSE}, {MIRROR}"), &list(3, RESPONSE), FILTERS),
        of_filters("VAL-HR-13", &format!("{REDIRECT}, {CORS}"), &list(2, REDIRECT), FILTERS),
        of_filters("VAL-HR-14", &format!("{REWRITE}, {CORS}"), &list(2, REWRITE), FILTERS),
    ]);
    // The list of a backend has the same rules.
    let backend =
        |filters: &str| format!("rules: [{{backendRefs: [{{name: a, port: 80, filters: [{filters}]}}]}}]");
    const OF_BACKEND: &str = "spec.rules[0].backendRefs[0].filters";
    check([
        row("LIM-14", backend(&list(16, MIRROR)), backend(&list(17, MIRROR)), OF_BACKEND),
        row("VAL-HR-09", backend(REWRITE), backend(&format!("{REWRITE}, {REDIRECT}")), OF_BACKEND),
        row("VAL-HR-11", backend(REQUEST), backend(&list(2, REQUEST)), OF_BACKEND),
        row(
            "VAL-HR-16",
            backend(CORS),
            backend("{type: CORS}"),
            "spec.rules[0].backendRefs[0].filters[0].cors",
        ),
    ]);
}

#[test]
fn the_member_is_that_of_the_type() {
    for (r#type, name, member, absent_unless_named, present_if_named) in [
        ("CORS", "cors", "{}", "VAL-HR-15", "VAL-HR-16"),
        ("RequestHeaderModifier", "requestHeaderModifier", "{}", "VAL-HR-17", "VAL-HR-18"),
        ("ResponseHeaderModifier", "responseHeaderModifier", "{}", "VAL-HR-19", "VAL-HR-20"),
        ("RequestMirror", "requestMirror", "{backendRef: {name: a, port: 80}}", "VAL-HR-21", "VAL-HR-22"),
        ("RequestRedirect", "requestRedirect", "{}", "VAL-HR-23", "VAL-HR-24"),
        ("URLRewrite", "urlRewrite", "{}", "VAL-HR-25", "VAL-HR-26"),
        ("ExtensionRef", "extensionRef", "{group: a.b, kind: C, name: d}", "VAL-HR-27", "VAL-HR-28"),
        (
            "ExternalAuth",
            "externalAuth",
            "{protocol: HTTP, backendRef: {name: a, port: 80}, http: {}}",
            "VAL-HR-29",
            "VAL-HR-30",
        ),
    ] {
        let good = format!("{{type: {type}, {name}: {member}}}");
        let other =
            if r#type == "CORS" { "type: URLRewrite, urlRewrite: {}" } else { "type: CORS, cors: {}" };
        let field = format!("spec.rules[0].filters[0].{name}");
        check([
            of_filters(absent_unless_named, &good, &format!("{{{other}, {name}: {member}}}"), &field),
            of_filters(present_if_named, &good, &format!("{{type: {type}}}"), &field),
        ]);
    }
}

#[test]
fn header_modifiers() {
    let request =
        |modifier: &str| format!("{{type: RequestHeaderModifier, requestHeaderModifier: {{{modifier}}}}}");
    let response =
        |modifier: &str| format!("{{type: ResponseHeaderModifier, responseHeaderModifier: {{{modifier}}}}}");
    let headers =
        |list: &str, count| format!("{list}: [{}]", many(count, |i| format!("{{name: a{i}, value: b}}")));
    let names = |count| format!("remove: [{}]", many(count, |i| format!("a{i}")));
    const SET: &str = "spec.rules[0].filters[0].requestHeaderModifier.set";
    const ADD: &str = "spec.rules[0].filters[0].responseHeaderModifier.add";
    const REMOVE: &str = "spec.rules[0].filters[0].requestHeaderModifier.remove";
    check([
        of_filters("LIM-15", &request(&headers("set", 16)), &request(&headers("set", 17)), SET),
        of_filters("LIM-15", &response(&headers("add", 16)), &response(&headers("add", 17)), ADD),
        of_filters("LIM-15", &request(&names(16)), &request(&names(17)), REMOVE),
        of_filters(
            "VAL-ST-01",
            &request("set: [{name: a, value: b}, {name: A, value: b}]"),
            &request("set: [{name: a, value: b}, {name: a, value: c}]"),
            "spec.rules[0].filters[0].requestHeaderModifier.set[1].name",
        ),
        of_filters(
            "VAL-ST-01",
            &response("set: [{name: a, value: b}], add: [{name: a, value: b}]"),
            &response("add: [{name: a, value: b}, {name: a, value: c}]"),
            "spec.rules[0].filters[0].responseHeaderModifier.add[1].name",
        ),
        of_filters(
            "VAL-ST-02",
            &request("remove: [a, A]"),
            &request("remove: [a, b, a]"),
            "spec.rules[0].filters[0].requestHeaderModifier.remove[2]",
        ),
        of_filters(
            "PAT-HDRNAME",
            &request("set: [{name: a, value: b}]"),
            &request("set: [{name: 'a:', value: b}]"),
            "spec.rules[0].filters[0].requestHeaderModifier.set[0].name",
        ),
        of_filters(
            "PAT-HDRVAL",
            &request("set: [{name: a, value: 'b c'}]"),
            &request("set: [{name: a, value: ''}]"),
            "spec.rules[0].filters[0].requestHeaderModifier.set[0].value",
        ),
    ]);
}

#[test]
fn mirrors() {
    let mirror = |mirror: &str| {
        format!("{{type: RequestMirror, requestMirror: {{backendRef: {{name: a, port: 80}}, {mirror}}}}}")
    };
    const FRACTION: &str = "spec.rules[0].filters[0].requestMirror.fraction";
    const PERCENT: &str = "spec.rules[0].filters[0].requestMirror.percent";
    const NUMERATOR: &str = "spec.rules[0].filters[0].requestMirror.fraction.numerator";
    check([
        of_filters(
            "VAL-HR-38",
            &mirror("percent: 1"),
            &mirror("percent: 1, fraction: {numerator: 1}"),
            "spec.rules[0].filters[0].requestMirror",
        ),
        of_filters(
            "VAL-HR-39",
            &mirror("fraction: {numerator: 2, denominator: 2}"),
            &mirror("fraction: {numerator: 3, denominator: 2}"),
            FRACTION,
        ),
        of_filters(
            "VAL-HR-39",
            &mirror("fraction: {numerator: 100}"),
            &mirror("fraction: {numerator: 101}"),
            FRACTION,
        ),
        of_filters("VAL-ST-06", &mirror("percent: 0"), &mirror("percent: -1"), PERCENT),
        of_filters("VAL-ST-06", &mirror("percent: 100"), &mirror("percent: 101"), PERCENT),
        of_filters(
            "VAL-ST-06",
            &mirror("fraction: {numerator: 0}"),
            &mirror("fraction: {numerator: -1}"),
            NUMERATOR,
        ),
        of_filters(
            "VAL-ST-06",
            &mirror("fraction: {numerator: 0, denominator: 1}"),
            &mirror("fraction: {numerator: 0, denominator: 0}"),
            "spec.rules[0].filters[0].requestMirror.fraction.denominator",
        ),
        of_filters(
            "VAL-RT-03",
            MIRROR,
            "{type: RequestMirror, requestMirror: {backendRef: {name: a}}}",
            "spec.rules[0].filters[0].requestMirror.backendRef",
        ),
    ]);
}

#[test]
fn redirects_and_rewrites() {
    let redirect = |redirect: &str| format!("{{type: RequestRedirect, requestRedirect: {{{redirect}}}}}");
    let rewrite = |rewrite: &str| format!("{{type: URLRewrite, urlRewrite: {{{rewrite}}}}}");
    for (filter, member) in [
        (&redirect as &dyn Fn(&str) -> String, "requestRedirect"),
        (&rewrite as &dyn Fn(&str) -> String, "urlRewrite"),
    ] {
        let at = |field: &str| format!("spec.rules[0].filters[0].{member}.{field}");
        let full =
            |path: &str| filter(&format!("path: {{type: ReplaceFullPath, replaceFullPath: '{path}'}}"));
        let prefix =
            |path: &str| filter(&format!("path: {{type: ReplacePrefixMatch, replacePrefixMatch: '{path}'}}"));
        check([
            of_filters(
                "VAL-HR-40",
                &full("/a"),
                &filter("path: {type: ReplaceFullPath}"),
                &at("path.replaceFullPath"),
            ),
            of_filters(
                "VAL-HR-41",
                &prefix("/"),
                &filter("path: {type: ReplacePrefixMatch, replacePrefixMatch: /, replaceFullPath: /}"),
                &at("path.replaceFullPath"),
            ),
            of_filters(
                "VAL-HR-42",
                &prefix(""),
                &filter("path: {type: ReplacePrefixMatch}"),
                &at("path.replacePrefixMatch"),
            ),
            of_filters(
                "VAL-HR-43",
                &full(""),
                &filter("path: {type: ReplaceFullPath, replaceFullPath: /, replacePrefixMatch: /}"),
                &at("path.replacePrefixMatch"),
            ),
            // Nothing is asked of the text but its length.
            of_filters("LIM-16", &full(&"ü".repeat(1024)), &full(&long(1025)), &at("path.replaceFullPath")),
            of_filters("LIM-16", &prefix(&long(1024)), &prefix(&long(1025)), &at("path.replacePrefixMatch")),
            of_filters("PAT-PRECISE", &filter("hostname: a.b"), &filter("hostname: '*.b'"), &at("hostname")),
        ]);
    }
    const PORT: &str = "spec.rules[0].filters[0].requestRedirect.port";
    check([
        of_filters("VAL-ST-06", &redirect("port: 1"), &redirect("port: 0"), PORT),
        of_filters("VAL-ST-06", &redirect("port: 65535"), &redirect("port: 65536"), PORT),
    ]);
}

#[test]
fn cors() {
    let cors = |cors: &str| format!("{{type: CORS, cors: {{{cors}}}}}");
    let origins = |origins: &str| cors(&format!("allowOrigins: [{origins}]"));
    let names = |list: &str, count| cors(&format!("{list}: [{}]", many(count, |i| format!("a{i}"))));
    const METHODS: &str = "GET, HEAD, POST, PUT, DELETE, CONNECT, OPTIONS, TRACE, PATCH";
    const ORIGINS: &str = "spec.rules[0].filters[0].cors.allowOrigins";
    const ORIGIN: &str = "spec.rules[0].filters[0].cors.allowOrigins[0]";
    let at = |field: &str| format!("spec.rules[0].filters[0].cors.{field}");
    check([
        of_filters(
            "LIM-17",
            &origins(&many(64, |i| format!("'http://a{i}'"))),
            &origins(&many(65, |i| format!("'http://a{i}'"))),
            ORIGINS,
        ),
        of_filters("LIM-17", &names("allowHeaders", 64), &names("allowHeaders", 65), &at("allowHeaders")),
        of_filters("LIM-17", &names("exposeHeaders", 64), &names("exposeHeaders", 65), &at("exposeHeaders")),
        // There are nine methods, so that a tenth is one that is there already; it is not looked at any more.
        of_filters(
            "LIM-17",
            &cors(&format!("allowMethods: [{METHODS}]")),
            &cors(&format!("allowMethods: [{METHODS}, GET]")),
            &at("allowMethods"),
        ),
        of_filters("VAL-HR-31", &origins("'*'"), &origins("'*', 'http://a'"), ORIGINS),
        of_filters(
            "VAL-HR-32",
            &cors("allowMethods: ['*']"),
            &cors("allowMethods: [GET, '*']"),
            &at("allowMethods"),
        ),
        of_filters(
            "VAL-HR-33",
            &cors("allowHeaders: ['*']"),
            &cors("allowHeaders: ['*', a]"),
            &at("allowHeaders"),
        ),
        of_filters(
            "VAL-ST-02",
            &origins("'http://a'"),
            &origins("'http://a', 'http://a'"),
            &at("allowOrigins[1]"),
        ),
        of_filters(
            "VAL-ST-02",
            &cors("allowMethods: [GET, PUT]"),
            &cors("allowMethods: [GET, PUT, GET]"),
            &at("allowMethods[2]"),
        ),
        of_filters(
            "VAL-ST-02",
            &cors("allowHeaders: [a, A], exposeHeaders: [a]"),
            &cors("allowHeaders: [a, a]"),
            &at("allowHeaders[1]"),
        ),
        // For exposed headers, `*` has no rule of its own.
        of_filters(
            "VAL-ST-02",
            &cors("exposeHeaders: ['*', a]"),
            &cors("exposeHeaders: [a, a]"),
            &at("exposeHeaders[1]"),
        ),
        of_filters(
            "VAL-ST-04",
            &cors("allowMethods: [GET]"),
            &cors("allowMethods: [get]"),
            &at("allowMethods[0]"),
        ),
        of_filters("PAT-CORSORIGIN", &origins("'https://*.a.b:8443'"), &origins("'https://a.*.b'"), ORIGIN),
        of_filters("PAT-CORSORIGIN", &origins("'http://*'"), &origins("'http://a/'"), ORIGIN),
        of_filters("PAT-CORSORIGIN", &origins("'http://a:1'"), &origins("'ftp://a'"), ORIGIN),
        of_filters(
            "PAT-HDRNAME",
            &cors("allowHeaders: [X-a]"),
            &cors("allowHeaders: ['X a']"),
            &at("allowHeaders[0]"),
        ),
        of_filters(
            "PAT-HDRNAME",
            &cors("exposeHeaders: [X-a]"),
            &cors("exposeHeaders: ['']"),
            &at("exposeHeaders[0]"),
        ),
        of_filters("VAL-ST-06", &cors("maxAge: 1"), &cors("maxAge: 0"), &at("maxAge")),
    ]);
}

#[test]
fn external_auth() {
    let auth = |auth: &str| {
        format!("{{type: ExternalAuth, externalAuth: {{backendRef: {{name: a, port: 80}}, {auth}}}}}")
    };
    let headers = |count| many(count, |i| format!("a{i}"));
    let at = |field: &str| format!("spec.rules[0].filters[0].externalAuth{field}");
    const GRPC: &str = "protocol: GRPC, grpc: {}";
    const HTTP: &str = "protocol: HTTP, http: {}";
    let of_grpc = |headers: &str| auth(&format!("protocol: GRPC, grpc: {{allowedHeaders: [{headers}]}}"));
    let of_http = |list: &str, headers: &str| auth(&format!("protocol: HTTP, http: {{{list}: [{headers}]}}"));
    check([
        of_filters("VAL-HR-34", &auth(GRPC), &auth("protocol: GRPC"), &at(".grpc")),
        of_filters("VAL-HR-35", &auth(HTTP), &auth("protocol: HTTP, http: {}, grpc: {}"), &at(".grpc")),
        of_filters("VAL-HR-36", &auth(HTTP), &auth("protocol: HTTP"), &at(".http")),
        of_filters("VAL-HR-37", &auth(GRPC), &auth("protocol: GRPC, http: {}, grpc: {}"), &at(".http")),
        of_filters("VAL-ST-04", &auth(GRPC), &auth("protocol: SOAP"), &at(".protocol")),
        of_filters("VAL-ST-02", &of_grpc("a, b"), &of_grpc("a, b, a"), &at(".grpc.allowedHeaders[2]")),
        of_filters(
            "VAL-ST-02",
            &of_http("allowedHeaders", "a, b"),
            &of_http("allowedHeaders", "a, a"),
            &at(".http.allowedHeaders[1]"),
        ),
        of_filters(
            "VAL-ST-02",
            &of_http("allowedResponseHeaders", &headers(64)),
            &of_http("allowedResponseHeaders", "a, a"),
            &at(".http.allowedResponseHeaders[1]"),
        ),
        // The limit of these lists has no id of its own.
        of_filters("VAL-ST-02", &of_grpc(&headers(64)), &of_grpc(&headers(65)), &at(".grpc.allowedHeaders")),
        of_filters(
            "PAT-PATH",
            &auth("protocol: HTTP, http: {path: /a}"),
            &auth("protocol: HTTP, http: {path: '/a?b'}"),
            &at(".http.path"),
        ),
        of_filters(
            "VAL-RT-03",
            "{type: ExternalAuth, externalAuth: {protocol: GRPC, grpc: {}, backendRef: {name: a, kind: X}}}",
            "{type: ExternalAuth, externalAuth: {protocol: GRPC, grpc: {}, backendRef: {name: a}}}",
            &at(".backendRef"),
        ),
    ]);
}

#[test]
fn extensions() {
    let extension = |reference: &str| format!("{{type: ExtensionRef, extensionRef: {{{reference}}}}}");
    check([
        of_filters(
            "PAT-GROUP",
            &extension("group: '', kind: C, name: d"),
            &extension("group: A, kind: C, name: d"),
            "spec.rules[0].filters[0].extensionRef.group",
        ),
        of_filters(
            "PAT-KIND",
            &extension("group: a, kind: C, name: d"),
            &extension("group: a, kind: 1C, name: d"),
            "spec.rules[0].filters[0].extensionRef.kind",
        ),
        of_filters(
            "VAL-ST-03",
            &extension("group: a, kind: C, name: D d"),
            &extension("group: a, kind: C, name: ''"),
            "spec.rules[0].filters[0].extensionRef.name",
        ),
    ]);
}
