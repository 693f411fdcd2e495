//! HTTPRoute, without its filters.

use gateway_core::api::Kind;

use super::{Row, check_rows, found, long, many, row};

const KIND: Kind = Kind::HttpRoute;

fn path(value: &str) -> String {
    format!("rules: [{{matches: [{{path: {{value: '{value}'}}}}]}}]")
}

fn exact(value: &str) -> String {
    format!("rules: [{{matches: [{{path: {{type: Exact, value: '{value}'}}}}]}}]")
}

const PATH: &str = "spec.rules[0].matches[0].path.value";

// HRM-07
#[test]
fn paths() {
    check_rows(
        KIND,
        [
            row("VAL-HR-44", path("/a"), path("a"), PATH),
            row("VAL-HR-45", path("/a/b"), path("/a//b"), PATH),
            row("VAL-HR-46", path("/a/.b/c./.../d"), path("/a/./b"), PATH),
            row("VAL-HR-47", path("/a/..b/c../d"), path("/a/../b"), PATH),
            row("VAL-HR-48", path("/a%2Eb"), path("/a%2fb"), PATH),
            row("VAL-HR-49", path("/a%20b"), path("/a%2Fb"), PATH),
            row("VAL-HR-51", path("/a.."), path("/a/.."), PATH),
            row("VAL-HR-52", path("/a."), path("/a/."), PATH),
            row("VAL-HR-54", path("/a-Z0._~!$&()*+,;=:@%c3"), path("/a b"), PATH),
            row("VAL-HR-54", path("/%41"), path("/%4"), PATH),
            row("VAL-HR-54", path("/%41"), path("/%4g"), PATH),
            row("VAL-HR-54", path("/a"), path("/a?b"), PATH),
            row("VAL-HR-54", path("/a"), path("/ü"), PATH),
            row("LIM-16", path(&format!("/{}", long(1023))), path(&format!("/{}", long(1024))), PATH),
            // The same holds for Exact.
            row("VAL-HR-44", exact("/a"), exact("a"), PATH),
            row("VAL-HR-45", exact("/a"), exact("/a//"), PATH),
            row("VAL-HR-51", exact("/a"), exact("/.."), PATH),
            row("VAL-HR-52", exact("/a"), exact("/."), PATH),
        ],
    );
}

// VAL-HR-50: the pattern of VAL-HR-54 refuses the same character.
#[test]
fn a_path_has_no_fragment() {
    assert_eq!(found_in(&path("/a#b")), [format!("VAL-HR-50 {PATH}"), format!("VAL-HR-54 {PATH}")]);
    assert_eq!(found_in(&path("/a")), [""; 0]);
}

#[test]
fn every_rule_that_a_path_breaks_is_reported() {
    let broken = ["VAL-HR-44", "VAL-HR-45", "VAL-HR-47", "VAL-HR-48", "VAL-HR-52", "VAL-HR-54"];
    assert_eq!(found_in(&path("a//b/../c%2f%/.")), broken.map(|rule| format!("{rule} {PATH}")));
    assert_eq!(found_in(&path("")), ["VAL-HR-44", "VAL-HR-54"].map(|rule| format!("{rule} {PATH}")));
}

// VAL-ST-07
#[test]
fn of_a_regular_expression_only_the_length_counts() {
    let regex = |value: &str| {
        format!("rules: [{{matches: [{{path: {{type: RegularExpression, value: '{value}'}}}}]}}]")
    };
    check_rows(
        KIND,
        [
            row("LIM-16", regex(&"ü".repeat(1024)), regex(&"ü".repeat(1025)), PATH),
            row("LIM-16", regex("(//#/../"), regex(&long(1025)), PATH),
        ],
    );
}

// VAL-HR-53, VAL-ST-04, GEN-14, RTE-30
#[test]
fn unknown_values_with_a_condition_of_their_own_are_not_refused() {
    for spec in [
        "rules: [{matches: [{path: {type: Glob, value: '*.html'}}]}]",
        "rules: [{matches: [{headers: [{type: Prefix, name: a, value: b}]}]}]",
        "rules: [{matches: [{queryParams: [{type: Prefix, name: a, value: b}]}]}]",
        "rules: [{matches: [{method: PURGE}]}]",
        "rules: [{filters: [{type: Compress}]}]",
        "rules: [{filters: [{type: Compress, urlRewrite: {}}]}]",
        "rules: [{filters: [{type: URLRewrite, urlRewrite: {path: {type: AddPrefix}}}]}]",
        "rules: [{filters: [{type: URLRewrite, urlRewrite: {path: {type: AddPrefix, replaceFullPath: /}}}]}]",
        "rules: [{filters: [{type: RequestRedirect, requestRedirect: {scheme: ftp, statusCode: 418}}]}]",
        // What depends on such a value is not refused either.
        "rules: [{matches: [{path: {type: Glob, value: x}}], filters: [{type: URLRewrite, \
            urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}}]}]",
    ] {
        assert_eq!(found_in(spec), [""; 0], "{spec}");
    }
}

// HST-01, PAT-HOST, AMB-49
#[test]
fn hostnames() {
    const HOST: &str = "spec.hostnames[0]";
    let host = |name: &str| format!("hostnames: ['{name}']");
    check_rows(
        KIND,
        [
            row("PAT-HOST", host("a.example.com"), host("A.example.com"), HOST),
            row("PAT-HOST", host("*.example.com"), host("a.*.example.com"), HOST),
            row("PAT-HOST", host("*.a"), host("*"), HOST),
            row("PAT-HOST", host("10.0.0.1"), host("[::1]"), HOST),
            row("PAT-HOST", host("example.com"), host("example.com."), HOST),
            row("PAT-HOST", host("example.com"), host("example.com:80"), HOST),
            row("PAT-HOST", host(&long(253)), host(&long(254)), HOST),
            row("PAT-HOST", host("a"), host(""), HOST),
            row(
                "LIM-10",
                format!("hostnames: [{}]", many(16, |i| format!("a{i}"))),
                format!("hostnames: [{}]", many(17, |i| format!("a{i}"))),
                "spec.hostnames",
            ),
        ],
    );
}

#[test]
fn matches() {
    const HEADERS: &str = "spec.rules[0].matches[0].headers";
    const QUERY: &str = "spec.rules[0].matches[0].queryParams";
    let entry = |list: &str, entries: &str| format!("rules: [{{matches: [{{{list}: [{entries}]}}]}}]");
    let headers = |entries: &str| entry("headers", entries);
    let query = |entries: &str| entry("queryParams", entries);
    let named = |count| many(count, |i| format!("{{name: a{i}, value: b}}"));
    let matches = |count| format!("{{matches: [{}]}}", many(count, |i| format!("{{path: {{value: /{i}}}}}")));
    check_rows(
        KIND,
        [
            row(
                "LIM-12",
                format!("rules: [{}]", matches(64)),
                format!("rules: [{}]", matches(65)),
                "spec.rules[0].matches",
            ),
            row(
                "VAL-HR-01",
                format!("rules: [{0}, {0}]", matches(64)),
                format!("rules: [{0}, {0}, {1}]", matches(64), matches(1)),
                "spec.rules",
            ),
            row("LIM-13", headers(&named(16)), headers(&named(17)), HEADERS),
            row("LIM-13", query(&named(16)), query(&named(17)), QUERY),
            row(
                "VAL-ST-01",
                headers("{name: a, value: b}, {name: A, value: c}"),
                headers("{name: a, value: b}, {name: a, value: c}"),
                "spec.rules[0].matches[0].headers[1].name",
            ),
            row(
                "VAL-ST-01",
                query("{name: a, value: b}, {name: A, value: c}"),
                query("{name: b, value: b}, {name: a, value: c}, {name: a, value: b}"),
                "spec.rules[0].matches[0].queryParams[2].name",
            ),
            row(
                "PAT-HDRNAME",
                headers("{name: X-a_b.c~1, value: b}"),
                headers("{name: 'x a', value: b}"),
                "spec.rules[0].matches[0].headers[0].name",
            ),
            row(
                "PAT-HDRNAME",
                headers(&format!("{{name: {}, value: b}}", long(256))),
                headers(&format!("{{name: {}, value: b}}", long(257))),
                "spec.rules[0].matches[0].headers[0].name",
            ),
            row(
                "PAT-HDRNAME",
                query("{name: a, value: b}"),
                query("{name: 'a[]', value: b}"),
                "spec.rules[0].matches[0].queryParams[0].name",
            ),
            row(
                "PAT-HDRVAL",
                headers("{name: a, value: 'b c'}"),
                headers("{name: a, value: ''}"),
                "spec.rules[0].matches[0].headers[0].value",
            ),
            row(
                "PAT-HDRVAL",
                headers(&format!("{{name: a, value: {}}}", long(4096))),
                headers(&format!("{{name: a, value: {}}}", long(4097))),
                "spec.rules[0].matches[0].headers[0].value",
            ),
            row(
                "LIM-16",
                query(&format!("{{name: a, value: {}}}", long(1024))),
                query(&format!("{{name: a, value: {}}}", long(1025))),
                "spec.rules[0].matches[0].queryParams[0].value",
            ),
            row(
                "LIM-16",
                query("{name: a, value: ' b ü'}"),
                query("{name: a, value: ''}"),
                "spec.rules[0].matches[0].queryParams[0].value",
            ),
        ],
    );
}

#[test]
fn rules() {
    let rules = |count| format!("rules: [{}]", many(count, |_| "{}".into()));
    let names = |a: &str, b: &str| format!("rules: [{{name: {a}}}, {{}}, {{}}, {{name: {b}}}]");
    let backends =
        |count| format!("rules: [{{backendRefs: [{}]}}]", many(count, |_| "{name: a, port: 80}".into()));
    let timeouts = |request: &str, backend: &str| {
        format!("rules: [{{timeouts: {{request: {request}, backendRequest: {backend}}}}}]")
    };
    let retry = |retry: &str| format!("rules: [{{retry: {{{retry}}}}}]");
    let redirect = "filters: [{type: RequestRedirect, requestRedirect: {}}]";
    check_rows(
        KIND,
        [
            row("LIM-11", rules(1), rules(0), "spec.rules"),
            row("LIM-11", rules(16), rules(17), "spec.rules"),
            row("VAL-HR-02", names("a", "b"), names("a", "a"), "spec.rules[3].name"),
            row("PAT-PRECISE", names("a", "b"), names("a", "B"), "spec.rules[3].name"),
            row("LIM-14", backends(16), backends(17), "spec.rules[0].backendRefs"),
            row(
                "VAL-HR-03",
                format!("rules: [{{{redirect}, backendRefs: []}}]"),
                format!("rules: [{{{redirect}, backendRefs: [{{name: a, port: 80}}]}}]"),
                "spec.rules[0].filters[0]",
            ),
            row(
                "VAL-HR-08",
                timeouts("10s", "10s"),
                timeouts("10s", "11s"),
                "spec.rules[0].timeouts.backendRequest",
            ),
            row(
                "VAL-HR-08",
                timeouts("0s", "1h"),
                timeouts("999ms", "1s"),
                "spec.rules[0].timeouts.backendRequest",
            ),
            row(
                "VAL-HR-08",
                timeouts("0h0m", "1h"),
                timeouts("1s", "1m"),
                "spec.rules[0].timeouts.backendRequest",
            ),
            row(
                "PAT-DUR",
                timeouts("1h2m3s4ms", "0s"),
                timeouts("1.5s", "0s"),
                "spec.rules[0].timeouts.request",
            ),
            row(
                "PAT-DUR",
                timeouts("10s", "1s"),
                timeouts("10s", "-1s"),
                "spec.rules[0].timeouts.backendRequest",
            ),
            row(
                "VAL-ST-06",
                retry("codes: [400, 599]"),
                retry("codes: [500, 399]"),
                "spec.rules[0].retry.codes[1]",
            ),
            row("VAL-ST-06", retry("codes: [500]"), retry("codes: [600]"), "spec.rules[0].retry.codes[0]"),
            row(
                "VAL-ST-02",
                retry("codes: [500, 501]"),
                retry("codes: [500, 501, 500]"),
                "spec.rules[0].retry.codes[2]",
            ),
            row("VAL-ST-06", retry("attempts: 0"), retry("attempts: -1"), "spec.rules[0].retry.attempts"),
            row("PAT-DUR", retry("backoff: 10ms"), retry("backoff: '10'"), "spec.rules[0].retry.backoff"),
        ],
    );
    // A timeout of requests alone, or of backends alone, has nothing to be compared with.
    assert_eq!(found_in("rules: [{timeouts: {backendRequest: 1h}}, {timeouts: {request: 1s}}]"), [""; 0]);
}

// SES-02
#[test]
fn session_persistence() {
    let session = |session: &str| format!("rules: [{{sessionPersistence: {{{session}}}}}]");
    let cookie = |cookie: &str| session(&format!("cookie: {{{cookie}}}"));
    let header = |header: &str| session(&format!("type: Header, header: {{{header}}}"));
    let field = |field: &str| format!("spec.rules[0].sessionPersistence.{field}");
    check_rows(
        KIND,
        [
            row(
                "VAL-SP-01",
                session("absoluteTimeout: 1h, cookie: {lifetimeType: Permanent}"),
                cookie("lifetimeType: Permanent"),
                field("absoluteTimeout"),
            ),
            row(
                "VAL-SP-02",
                cookie(""),
                session("type: Header, header: {name: a}, cookie: {}"),
                field("cookie"),
            ),
            row("VAL-SP-03", session("type: Cookie, cookie: {}"), session(""), field("cookie")),
            row("VAL-SP-04", header("name: a"), session("cookie: {}, header: {name: a}"), field("header")),
            row("VAL-SP-05", header("name: a"), session("type: Header"), field("header")),
            row("VAL-ST-04", header("name: a"), session("type: Query"), field("type")),
            row(
                "VAL-ST-04",
                cookie("lifetimeType: Session"),
                cookie("lifetimeType: Eternal"),
                field("cookie.lifetimeType"),
            ),
            row("PAT-HDRNAME", cookie("name: a"), cookie("name: 'a b'"), field("cookie.name")),
            row(
                "PAT-HDRNAME",
                header(&format!("name: {}", long(256))),
                header("name: ''"),
                field("header.name"),
            ),
            row(
                "LIM-22",
                cookie(&format!("path: {}", long(1024))),
                cookie(&format!("path: {}", long(1025))),
                field("cookie.path"),
            ),
            row(
                "PAT-DUR",
                session("absoluteTimeout: 1h, cookie: {}"),
                session("absoluteTimeout: 1d, cookie: {}"),
                field("absoluteTimeout"),
            ),
        ],
    );
}

/// A rule with one or two backends, each with a filter or none.
fn of_backends(matches: &str, filters: [&str; 2]) -> String {
    let backends = filters.map(|filter| format!("{{name: a, port: 80, filters: [{filter}]}}")).join(", ");
    format!("rules: [{{matches: [{matches}], backendRefs: [{backends}]}}]")
}

const REWRITE: &str =
    "{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}}";
const REDIRECT: &str =
    "{type: RequestRedirect, requestRedirect: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}}";

#[test]
fn a_prefix_is_replaced_only_where_exactly_one_prefix_matched() {
    let of_rule =
        |matches: &str, filter: &str| format!("rules: [{{matches: [{matches}], filters: [{filter}]}}]");
    let prefix = "{path: {value: /a}}";
    let two = "{path: {value: /a}}, {path: {value: /b}}";
    let exact = "{path: {type: Exact, value: /a}}";
    let regex = "{path: {type: RegularExpression, value: /a}}";
    let full = "{type: URLRewrite, urlRewrite: {path: {type: ReplaceFullPath, replaceFullPath: /}}}";
    const RULE: &str = "spec.rules[0].filters[0]";
    const BACKEND: &str = "spec.rules[0].backendRefs[0].filters";
    const SECOND: &str = "spec.rules[0].backendRefs[1].filters";
    check_rows(
        KIND,
        [
            row("VAL-HR-04", of_rule(prefix, REDIRECT), of_rule(two, REDIRECT), RULE),
            row("VAL-HR-04", of_rule("{}", REDIRECT), of_rule(exact, REDIRECT), RULE),
            row("VAL-HR-04", of_rule(prefix, REDIRECT), of_rule(regex, REDIRECT), RULE),
            row("VAL-HR-05", of_rule(prefix, REWRITE), of_rule(two, REWRITE), RULE),
            row("VAL-HR-05", of_rule(exact, full), of_rule(exact, REWRITE), RULE),
            row("VAL-HR-05", of_rule("{method: GET}", REWRITE), of_rule("", REWRITE), RULE),
            row("VAL-HR-06", of_backends(prefix, [REDIRECT, ""]), of_backends(two, [REDIRECT, ""]), BACKEND),
            row("VAL-HR-07", of_backends(prefix, ["", REWRITE]), of_backends(exact, ["", REWRITE]), SECOND),
        ],
    );
}

// VAL-HR-06, VAL-HR-07
#[test]
fn two_backends_that_replace_a_prefix_escape_the_rule() {
    let exact = "{path: {type: Exact, value: /a}}";
    assert_eq!(found_in(&of_backends(exact, [REDIRECT, REDIRECT])), [""; 0]);
    assert_eq!(found_in(&of_backends(exact, [REWRITE, REWRITE])), [""; 0]);
    // One of each is one of each.
    let both = found_in(&of_backends(exact, [REDIRECT, REWRITE]));
    assert_eq!(
        both,
        ["VAL-HR-06 spec.rules[0].backendRefs[0].filters", "VAL-HR-07 spec.rules[0].backendRefs[1].filters"]
    );
}

// VAL-HR-04
#[test]
fn the_default_match_is_a_prefix() {
    assert_eq!(found_in(&format!("rules: [{{filters: [{REDIRECT}]}}]")), [""; 0]);
}

fn found_in(spec: &str) -> Vec<String> {
    found(KIND, &KIND.api_version(), spec)
}

/// Rows are compared with what is found: a row that is wrong in any way must fail.
#[test]
#[should_panic(expected = "VAL-HR-44 bad")]
fn a_row_whose_bad_example_is_good_fails() {
    let wrong: Row = row("VAL-HR-44", path("/a"), path("/b"), PATH);
    check_rows(KIND, [wrong]);
}
