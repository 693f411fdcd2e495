//! The route table, filled by hand: who answers which request, and why.
//!
//! `ask` also checks that `explain` decides as `find` does, so every row here tests both.

mod by_hand;

use gateway_core::hostname::Host;
use gateway_core::table::{CandidateOutcome, FrontendOwner, NoMatch, RouteTable, TieBreaker, Transport};

use self::by_hand::{ByHand, ask, ask_on, assert_answers, explain, head, port, request};

/// One route on one listener, both for every host.
fn one_route(rules: &[(&str, &[&str])]) -> RouteTable {
    let (mut table, listener) = ByHand::with_listener();
    table.serve(listener, "route", &[], rules);
    table.build()
}

// === paths ===

// HRM-04, HRM-16
#[test]
fn exact_paths_match_as_a_whole_and_with_regard_to_case() {
    let table = one_route(&[("v1", &["=/one"]), ("v2", &["=/two"])]);
    assert_answers(
        &table,
        &[
            ("http://a/one", "v1"),
            ("http://a/one?query", "v1"),
            ("http://a/two", "v2"),
            ("http://a/", "404"),
            ("http://a/one/example", "404"),
            ("http://a/two/", "404"),
            ("http://a/Two", "404"),
        ],
    );
}

// HRM-05, HRM-01
#[test]
fn prefixes_match_whole_elements() {
    let rules: &[(&str, &[&str])] = &[("v1", &["/", "version:one"]), ("v2", &["/v2", "version:two"])];
    assert_answers(
        &one_route(rules),
        &[
            ("http://a/", "v1"),
            ("http://a/example", "v1"),
            ("http://a/ version:one", "v1"),
            ("http://a/v2", "v2"),
            ("http://a/v2/", "v2"),
            ("http://a/v2/example", "v2"),
            ("http://a/ version:two", "v2"),
            ("http://a/v2example", "v1"),
            ("http://a/foo/v2/example", "v1"),
        ],
    );
}

// HRM-20, HRM-05
#[test]
fn exact_before_prefix_and_longer_before_shorter_whatever_their_order() {
    let mut rules: Vec<(&str, &[&str])> = vec![
        ("v1", &["=/match"]),
        ("v2", &["=/match/exact"]),
        ("v3", &["=/match/exact/one"]),
        ("v3", &["/match/"]),
        ("v1", &["/match/prefix/"]),
        ("v2", &["/match/prefix/one"]),
    ];
    for _ in 0..2 {
        assert_answers(
            &one_route(&rules),
            &[
                ("http://a/match", "v1"),
                ("http://a/match/exact", "v2"),
                ("http://a/match/exact/one", "v3"),
                ("http://a/match/any", "v3"),
                ("http://a/match/prefix/any", "v1"),
                ("http://a/match/prefix/one/any", "v2"),
            ],
        );
        rules.reverse();
    }
}

// HRM-25, AMB-10
#[test]
fn a_trailing_slash_does_not_make_a_prefix_longer() {
    let rules: &[(&str, &[&str])] = &[("bare", &["/v2"]), ("slash", &["/v2/"])];
    assert_answers(&one_route(rules), &[("http://a/v2", "bare"), ("http://a/v2/x", "bare")]);
    let rules: &[(&str, &[&str])] = &[("slash", &["/v2/"]), ("bare", &["/v2"])];
    assert_answers(&one_route(rules), &[("http://a/v2", "slash"), ("http://a/v2/x", "slash")]);
}

// HRM-28, AMB-35
#[test]
fn what_the_better_path_does_not_match_as_a_whole_falls_to_the_next() {
    let rules: &[(&str, &[&str])] = &[
        ("exact", &["=/a/b/c version:one"]),
        ("pattern", &["~/a/b/.* version:two"]),
        ("long", &["/a/b POST"]),
        ("short", &["/a animal=whale"]),
        ("root", &["/ version:~.*"]),
    ];
    assert_answers(
        &one_route(rules),
        &[
            ("POST http://a/a/b/c?animal=whale version:one version:two", "exact"),
            ("POST http://a/a/b/c?animal=whale version:two", "pattern"),
            ("POST http://a/a/b/c?animal=whale version:three", "long"),
            ("http://a/a/b/c?animal=whale version:three", "short"),
            ("http://a/a/b/c version:three", "root"),
            ("http://a/a/b/c", "404"),
        ],
    );
}

// HRM-06, HRM-21, AMB-08, AMB-09
#[test]
fn regular_expressions_stand_between_exact_paths_and_prefixes_longest_first() {
    let rules: &[(&str, &[&str])] = &[
        ("prefix", &["/api/v1/items/long"]),
        ("short", &["~/api/.*"]),
        ("long", &["~/api/v[0-9]+/.*"]),
        ("exact", &["=/api/v1/items"]),
    ];
    assert_answers(
        &one_route(rules),
        &[
            ("http://a/api/v1/items", "exact"),
            ("http://a/api/v1/items/long", "long"),
            ("http://a/api/v/items", "short"),
            ("http://a/apis/v1", "404"),
            ("http://a/x/api/v1", "404"),
        ],
    );
}

// HRM-21, HRM-20, AMB-09
#[test]
fn equally_long_expressions_are_told_apart_by_the_rest_of_their_entries() {
    // Both are five characters, and both match /a/b: they interleave by the number of headers.
    let rules: &[(&str, &[&str])] = &[
        ("a0", &["~/a/.*"]),
        ("b1", &["~/.*/b x:1"]),
        ("a2", &["~/a/.* x:1 y:1"]),
        ("b3", &["~/.*/b x:1 y:1 z:1"]),
        ("a4", &["~/a/.* GET"]),
    ];
    assert_answers(
        &one_route(rules),
        &[
            ("http://a/a/b x:1 y:1 z:1", "a4"),
            ("POST http://a/a/b x:1 y:1 z:1", "b3"),
            ("POST http://a/a/b x:1 y:1", "a2"),
            ("POST http://a/a/b x:1", "b1"),
            ("POST http://a/a/b", "a0"),
            ("POST http://a/c/b x:1 y:1", "b1"),
            ("POST http://a/c/b", "404"),
        ],
    );
}

// AMB-01, AMB-03, AMB-05, AMB-07
#[test]
fn the_normal_form_of_a_path_is_what_matches() {
    let rules: &[(&str, &[&str])] =
        &[("admin", &["/admin"]), ("exact", &["=/caf%c3%a9"]), ("root", &["/ GET"])];
    assert_answers(
        &one_route(rules),
        &[
            ("http://a/%61dmin/x", "admin"),
            ("http://a/public/../admin", "admin"),
            ("http://a/public/%2E%2e/admin", "admin"),
            ("http://a/admin//x", "admin"),
            ("http://a//admin", "root"),
            ("http://a/admin%2Fx", "root"),
            ("http://a/caf%C3%A9", "exact"),
            ("http://a", "root"),
        ],
    );
}

#[test]
fn a_prefix_of_a_hundred_elements_is_found() {
    let long = "/x".repeat(100);
    let longer = "/x".repeat(101);
    let rules: &[(&str, &[&str])] =
        &[("root", &["/"]), ("long", &[&long]), ("sixty-three", &[&long[..126]]), ("two", &["/x/x"])];
    let ask = |path: &str| ask(&one_route(rules), &format!("http://a{path}"));
    assert_eq!(ask(&long), "long");
    assert_eq!(ask(&longer), "long");
    assert_eq!(ask(&long[..198]), "sixty-three");
    assert_eq!(ask(&long[..124]), "two");
    assert_eq!(ask("/x"), "root");
}

// === headers, methods, query parameters ===

// HRM-08, HRM-14, HRM-16, HRM-23, HRM-24
#[test]
fn headers() {
    let rules: &[(&str, &[&str])] = &[
        ("v1", &["version:one"]),
        ("v2", &["version:two"]),
        ("v1", &["version:two color:orange"]),
        ("v1", &["color:blue", "color:green"]),
        ("v2", &["color:red", "color:yellow"]),
    ];
    assert_answers(
        &one_route(rules),
        &[
            ("http://a/ version:one", "v1"),
            ("http://a/ version:two", "v2"),
            ("http://a/ version:two color:orange", "v1"),
            ("http://a/ Version:two COLOR:orange", "v1"),
            // One header each: the earlier rule serves, however many entries the other has.
            ("http://a/ version:two color:blue", "v2"),
            ("http://a/ color:blue", "v1"),
            ("http://a/ color:green", "v1"),
            ("http://a/ color:red", "v2"),
            ("http://a/ color:yellow", "v2"),
            ("http://a/ color:Yellow", "404"),
            ("http://a/ color:orange", "404"),
            ("http://a/ color:purple", "404"),
            ("http://a/ some-other-header:one", "404"),
        ],
    );
}

// HRM-15, HRM-20, HRM-26, AMB-33, AMB-34
#[test]
fn methods() {
    let rules: &[(&str, &[&str])] = &[
        ("v1", &["POST"]),
        ("v2", &["GET"]),
        ("v1", &["/path1 GET"]),
        ("v2", &["PUT version:one"]),
        ("v3", &["/path2 POST version:two"]),
        ("v1", &["/path3 PATCH", "/path4 DELETE version:three"]),
        ("v1", &["/path5"]),
        ("v2", &["PATCH"]),
        ("v3", &["version:four"]),
    ];
    assert_answers(
        &one_route(rules),
        &[
            ("POST http://a/", "v1"),
            ("GET http://a/", "v2"),
            ("HEAD http://a/", "404"),
            ("get http://a/", "404"),
            ("GET http://a/path1", "v1"),
            ("PUT http://a/ version:one", "v2"),
            ("POST http://a/path2 version:two", "v3"),
            ("PATCH http://a/path3", "v1"),
            ("DELETE http://a/path4 version:three", "v1"),
            ("PUT http://a/", "404"),
            ("DELETE http://a/path4", "404"),
            // The path goes before the method, the method before headers.
            ("PATCH http://a/path5", "v1"),
            ("PATCH http://a/ version:four", "v2"),
        ],
    );
}

// HRM-12, HRM-13, HRM-14, HRM-20, HRM-26
#[test]
fn query_parameters() {
    let rules: &[(&str, &[&str])] = &[
        ("v1", &["animal=whale"]),
        ("v2", &["animal=dolphin"]),
        ("v3", &["animal=dolphin color=blue", "ANIMAL=Whale"]),
        ("v1", &["/path1 animal=whale"]),
        ("v2", &["version:one animal=whale"]),
        ("v3", &["/path2 version:two animal=whale"]),
        ("v1", &["/path3 animal=shark", "/path4 version:three animal=kraken"]),
        ("v1", &["/path5"]),
        ("v2", &["animal=hydra"]),
        ("v3", &["version:four"]),
    ];
    assert_answers(
        &one_route(rules),
        &[
            ("http://a/?animal=whale", "v1"),
            ("http://a/?animal=dolphin", "v2"),
            ("http://a/?animal=dolphin&color=blue", "v3"),
            ("http://a/?color=blue&animal=dolphin", "v3"),
            ("http://a/?ANIMAL=Whale", "v3"),
            ("http://a/?animal=whale&otherparam=irrelevant", "v1"),
            ("http://a/?animal=dolphin&color=yellow", "v2"),
            ("http://a/?animal=whale&animal=dolphin", "v1"),
            ("http://a/path1?animal=whale", "v1"),
            ("http://a/?animal=whale version:one", "v2"),
            ("http://a/path2?animal=whale version:two", "v3"),
            ("http://a/path3?animal=shark", "v1"),
            ("http://a/path4?animal=kraken version:three", "v1"),
            ("http://a/", "404"),
            ("http://a/?color=blue", "404"),
            ("http://a/?animal=dog", "404"),
            ("http://a/?animal=whaledolphin", "404"),
            ("http://a/path5?animal=hydra", "v1"),
            ("http://a/?animal=hydra version:four", "v3"),
        ],
    );
}

/// A route for each of a thousand values; then with those that no index holds among them.
fn thousand(of: impl Fn(usize) -> String, more: &[(&str, &[&str])]) -> RouteTable {
    let (mut table, listener) = ByHand::with_listener();
    for i in 0..1000 {
        table.serve(listener, &format!("route-{i}"), &[], &[(&i.to_string(), &[&of(i)])]);
    }
    table.serve(listener, "more", &[], more);
    table.build()
}

// HRM-20, HRM-27, AMB-27
#[test]
fn a_thousand_header_values_are_told_apart() {
    let more: &[(&str, &[&str])] = &[
        ("beta", &["/app tenant:t5 beta:yes"]),
        ("pattern", &["/app tenant:~t[0-9]*7 stage:test"]),
        ("other", &["/app other:thing"]),
        ("any", &["/app"]),
    ];
    assert_answers(
        &thousand(|i| format!("/app tenant:t{i}"), more),
        &[
            ("http://a/app tenant:t0", "0"),
            ("http://a/app/x tenant:t999", "999"),
            ("http://a/app tenant:t1000", "any"),
            ("http://a/app", "any"),
            ("http://a/app tenant:t5 beta:yes", "beta"),
            ("http://a/app tenant:t6 beta:yes", "6"),
            ("http://a/app tenant:t7 stage:test", "pattern"),
            ("http://a/app tenant:unknown7", "any"),
            ("http://a/app other:thing", "other"),
            // Any line of a repeated header may match; the tie is for the older route by name.
            ("http://a/app tenant:t700 tenant:t20", "20"),
            ("http://a/app tenant:unknown tenant:t20", "20"),
            ("http://a/app tenant:t20,t30", "any"),
        ],
    );
}

// HRM-12, HRM-13, AMB-30
#[test]
fn a_thousand_query_values_are_told_apart() {
    let more: &[(&str, &[&str])] = &[("patch", &["/app PATCH id=i5"]), ("any", &["/app"])];
    assert_answers(
        &thousand(|i| format!("/app id=i{i}"), more),
        &[
            ("http://a/app?id=i0", "0"),
            ("http://a/app?x=y&id=i999", "999"),
            ("http://a/app?id=%69%39%39%39", "999"),
            ("PATCH http://a/app?id=i5", "patch"),
            ("http://a/app?id=i5&id=i6", "5"),
            ("http://a/app?id=unknown&id=i6", "any"),
            ("http://a/app", "any"),
        ],
    );
}

// HRM-20
#[test]
fn what_most_entries_have_in_common_does_not_hide_what_tells_them_apart() {
    let table = thousand(
        |i| match i % 3 {
            0 => format!("/app env:prod tenant:t{i}"),
            1 => format!("/app env:prod id=i{i}"),
            _ => format!("/app env:prod user:u{i} tenant:shared"),
        },
        &[("prod", &["/app env:prod"]), ("shared", &["/app tenant:shared"])],
    );
    assert_answers(
        &table,
        &[
            ("http://a/app env:prod tenant:t999", "999"),
            ("http://a/app tenant:t999", "404"),
            ("http://a/app?id=i1 env:prod", "1"),
            ("http://a/app?id=i1 env:prod tenant:t999", "999"),
            ("http://a/app env:prod user:u2 tenant:shared", "2"),
            ("http://a/app env:prod user:u2", "prod"),
            ("http://a/app user:u2 tenant:shared", "shared"),
            ("http://a/app env:prod tenant:t1", "prod"),
        ],
    );
}

// HRM-20, HRM-28
#[test]
fn few_entries_that_another_index_left_over_keep_their_place() {
    // The parameter has as many values as make an index, but most of its entries are found by the header.
    let (mut table, listener) = ByHand::with_listener();
    for i in 0..20 {
        let param = if i < 7 { format!("id=i{i}") } else { String::new() };
        table.serve(listener, &format!("h{i}"), &[], &[(&format!("h{i}"), &[&format!("/a x:{i} {param}")])]);
    }
    let rules: &[(&str, &[&str])] = &[("p", &["/a id=i8"]), ("q", &["/a id=i9"]), ("any", &["/a"])];
    table.serve(listener, "rest", &[], rules);
    assert_answers(
        &table.build(),
        &[
            ("http://a/a?id=i8", "p"),
            ("http://a/a?id=i9", "q"),
            ("http://a/a?id=i3 x:3", "h3"),
            ("http://a/a?id=i8 x:19", "h19"),
            ("http://a/a?id=i3", "any"),
        ],
    );
}

// === routes ===

// HRM-22, HRM-27, AMB-36
#[test]
fn ties_are_for_the_older_route_and_then_for_the_name() {
    for (routes, expected) in [
        ([("z/z", Some(1)), ("a/a", Some(2))], "z/z"),
        ([("a/a", Some(2)), ("z/z", Some(1))], "z/z"),
        ([("b/a", Some(1)), ("a/b", Some(1))], "a/b"),
        ([("a/b", Some(1)), ("a/a", Some(1))], "a/a"),
        ([("a/a", None), ("z/z", Some(9))], "z/z"),
        ([("b/b", None), ("a/a", None)], "a/a"),
        // The one string `namespace/name` decides: `-` stands before `/`.
        ([("app/x", Some(1)), ("app-b/x", Some(1))], "app-b/x"),
    ] {
        let (mut table, listener) = ByHand::with_listener();
        for (name, created) in routes {
            let route = table.route(name, created, &[(name, &["/"])]);
            table.attach(route, listener, &[]);
        }
        assert_eq!(ask(&table.build(), "http://a/"), expected, "{routes:?}");
    }
}

// HRM-23, AMB-37
#[test]
fn ties_within_a_route_are_for_the_first_rule_and_its_first_entry() {
    let rules: &[(&str, &[&str])] =
        &[("first", &["/other", "/a x:1", "/a y:1"]), ("second", &["/a x:1", "/a z:1"])];
    let table = one_route(rules);
    assert_answers(&table, &[("http://a/a x:1 z:1", "first"), ("http://a/a z:1", "second")]);
    let request = request("http://a/a x:1 y:1");
    let matched = table.find(port(&table, 80), None, &head(&request)).expect("the rule is there");
    assert_eq!(matched.entry, 1);
}

// HRM-27, HRM-17
#[test]
fn rules_of_several_routes_are_one_table() {
    let (mut table, listener) = ByHand::with_listener();
    let part1: &[(&str, &[&str])] = &[("v1", &["/", "version:one"])];
    let part2: &[(&str, &[&str])] = &[("v2", &["/v2", "version:two"])];
    table.serve(listener, "part1", &["example.com", "example.net"], part1);
    table.serve(listener, "part2", &["example.com"], part2);
    assert_answers(
        &table.build(),
        &[
            ("http://example.com/v2", "v2"),
            ("http://example.net/v2", "v1"),
            ("http://example.com/ version:two", "v2"),
            ("http://example.com/ version:one", "v1"),
        ],
    );
}

// AMB-38
#[test]
fn a_route_that_is_attached_twice_serves_once() {
    let (mut table, listener) = ByHand::with_listener();
    let route = table.route("route", None, &[("rule", &["/a", "/b"])]);
    table.attach(route, listener, &["a.example"]);
    table.attach(route, listener, &["a.example", "b.example"]);
    let table = table.build();
    assert_answers(&table, &[("http://a.example/a", "rule"), ("http://b.example/b", "rule")]);
    assert_eq!(explain(&table, "http://a.example/a").candidates.len(), 1);

    // Attached once more without hostnames it serves every host.
    let (mut table, listener) = ByHand::with_listener();
    let route = table.route("route", None, &[("rule", &["/a"])]);
    table.attach(route, listener, &["a.example"]);
    table.attach(route, listener, &[]);
    let table = table.build();
    assert_answers(&table, &[("http://c.example/a", "rule")]);
    assert_eq!(explain(&table, "http://a.example/a").candidates.len(), 1);
}

// === hostnames and listeners ===

// HST-02, HST-08, HST-10
#[test]
fn the_listener_with_the_most_specific_hostname_is_chosen() {
    let mut table = ByHand::new();
    for (name, hostname) in
        [("v1", "bar.com"), ("v2", "foo.bar.com"), ("v3", "*.bar.com"), ("v4", "*.foo.com")]
    {
        let listener = table.http(name, 80, hostname);
        table.serve(listener, name, &[], &[(name, &["/"])]);
    }
    assert_answers(
        &table.build(),
        &[
            ("http://bar.com/", "v1"),
            ("http://foo.bar.com/", "v2"),
            ("http://baz.bar.com/", "v3"),
            ("http://boo.bar.com/", "v3"),
            ("http://multiple.prefixes.bar.com/", "v3"),
            ("http://multiple.prefixes.foo.com/", "v4"),
            ("http://foo.com/", "404"),
            ("http://no.matching.host/", "404"),
        ],
    );
}

const ISOLATED: [(&str, &str, &str); 4] = [
    ("empty", "", "bar.com"),
    ("wildcard", "*.example.com", "bar.example.com"),
    ("longer-wildcard", "*.foo.example.com", "bar.foo.example.com"),
    ("exact", "abc.foo.example.com", "abc.foo.example.com"),
];

// HST-11, HST-12, AMB-41
#[test]
fn listeners_are_isolated_from_each_other() {
    let all = ["bar.com", "*.example.com", "*.foo.example.com", "abc.foo.example.com"];
    // Routes without hostnames, and routes that name the hosts of every listener.
    for of_listener in [false, true] {
        let mut table = ByHand::new();
        for (name, hostname, _) in ISOLATED {
            let listener = table.http(name, 80, hostname);
            let serves: Vec<&str> = match hostname {
                "" => all.to_vec(),
                // What attachment leaves of the four: those that intersect with the listener's.
                _ => {
                    all.into_iter().filter(|host| host.ends_with(hostname.trim_start_matches('*'))).collect()
                }
            };
            let path = format!("/{name}");
            table.serve(listener, name, if of_listener { &serves } else { &[] }, &[(name, &[&path])]);
        }
        let table = table.build();
        for (name, _, host) in ISOLATED {
            for (other, _, _) in ISOLATED {
                let expected = if name == other { name } else { "404" };
                assert_eq!(ask(&table, &format!("http://{host}/{other}")), expected, "{host}/{other}");
            }
        }
    }
}

// HST-13
#[test]
fn ports_and_gateways_are_separate() {
    let mut table = ByHand::new();
    for (name, port, hostname) in [
        ("v1", 80, "foo.com"),
        ("v2", 8080, "foo.com"),
        ("v2-bar", 8080, "bar.com"),
        ("v3", 8090, "foo.com"),
        ("v3-bar", 8090, "bar.com"),
    ] {
        let listener = table.http(name, port, hostname);
        if name != "v3-bar" {
            table.serve(listener, name, &[], &[(name, &["/"])]);
        }
    }
    table.gateway("other");
    let listener = table.http("other", 80, "foo.com");
    table.serve(listener, "other", &[], &[("other", &["/"])]);
    let table = table.build();
    for (port, host, expected) in [
        (80, "foo.com", "v1"),
        (80, "bar.com", "404"),
        (8080, "foo.com", "v2"),
        (8080, "bar.com", "v2-bar"),
        (8090, "foo.com:8090", "v3"),
        (8090, "bar.com:8090", "404"),
    ] {
        assert_eq!(ask_on(&table, port, None, &format!("http://{host}/")), expected, "{host} on {port}");
    }
    let other = gateway_core::name::ObjectName::new("default", "other");
    let request = request("http://foo.com/");
    let matched = table.find(
        table.frontend(FrontendOwner::Gateway(&other), Transport::Tcp, 80).expect("it listens"),
        None,
        &head(&request),
    );
    assert_eq!(table.listener(matched.expect("it serves").listener).to_string(), "default/other/other");
    assert_eq!(table.frontend(FrontendOwner::Gateway(&other), Transport::Tcp, 8080), None);
}

// RTE-20, AMB-12, AMB-62
#[test]
fn a_hostname_whose_rules_are_all_dropped_hides_no_other() {
    let (mut table, listener) = ByHand::with_listener();
    table.builder.hostname_fall_through(false);
    let dropped: &[&str] = &[];
    table.serve(listener, "r", &["a.example"], &[("dropped", dropped)]);
    table.serve(listener, "s", &["*.example"], &[("wild", &["/"])]);
    assert_answers(&table.build(), &[("http://a.example/", "wild")]);
}

// HST-14, HRM-29, AMB-12, AMB-13
#[test]
fn the_more_specific_hostname_goes_first_and_the_others_follow() {
    for fall_through in [true, false] {
        let (mut table, listener) = ByHand::with_listener();
        table.builder.hostname_fall_through(fall_through);
        table.serve(listener, "exact", &["a.b.example.com"], &[("exact", &["/exact"])]);
        table.serve(listener, "long", &["*.b.example.com"], &[("long", &["/exact/deep", "/long"])]);
        table.serve(listener, "short", &["*.example.com"], &[("short", &["=/exact", "/short"])]);
        table.serve(listener, "none", &[], &[("none", &["/"])]);
        let table = table.build();
        let or_404 = |rule| if fall_through { rule } else { "404" };
        assert_answers(
            &table,
            &[
                // The hostname decides before the path does.
                ("http://a.b.example.com/exact", "exact"),
                ("http://a.b.example.com/exact/deep", "exact"),
                ("http://x.b.example.com/exact/deep", "long"),
                ("http://x.example.com/exact", "short"),
                ("http://example.com/exact", "none"),
                // Where nothing matches, the less specific hostname serves, if it may.
                ("http://a.b.example.com/long", or_404("long")),
                ("http://a.b.example.com/short", or_404("short")),
                ("http://a.b.example.com/", or_404("none")),
                ("http://x.b.example.com/short", or_404("short")),
                ("http://x.example.com/long", or_404("none")),
                ("http://other.org/exact", "none"),
            ],
        );
    }
}

// HST-14, AMB-13
#[test]
fn a_route_without_hostnames_ranks_last_also_where_its_listener_has_one() {
    let mut table = ByHand::new();
    let listener = table.http("http", 80, "a.example.com");
    let older = table.route("older", Some(1), &[("none", &["=/path"])]);
    table.attach(older, listener, &[]);
    let newer = table.route("newer", Some(2), &[("own", &["/"])]);
    table.attach(newer, listener, &["a.example.com"]);
    assert_answers(&table.build(), &[("http://a.example.com/path", "own")]);
}

// HST-09, HST-20, HST-21, HST-22, AMB-42
#[test]
fn a_request_for_the_host_of_another_listener_is_misdirected() {
    let mut table = ByHand::new();
    for (name, hostname, serves) in [
        ("any", "", "example.org"),
        ("second", "second-example.org", "second-example.org"),
        ("wildcard", "*.wildcard.org", "*.wildcard.org"),
        ("fourth", "fourth-example.wildcard.org", "fourth-example.wildcard.org"),
    ] {
        let listener = table.https(name, 443, hostname);
        table.serve(listener, name, &[serves], &[(name, &["/"])]);
    }
    let table = table.build();
    for (server_name, host, expected) in [
        (Some("example.org"), "example.org", "any"),
        (Some("example.org"), "second-example.org", "421"),
        (Some("example.org"), "unknown-example.org", "404"),
        (Some("second-example.org"), "second-example.org", "second"),
        (Some("second-example.org"), "example.org", "421"),
        (Some("second-example.org"), "unknown-example.org", "421"),
        (Some("third-example.wildcard.org"), "third-example.wildcard.org", "wildcard"),
        (Some("third-example.wildcard.org"), "fith-example.wildcard.org", "wildcard"),
        (Some("third-example.wildcard.org"), "fourth-example.wildcard.org", "421"),
        (Some("third-example.wildcard.org"), "second-example.org", "421"),
        (Some("third-example.wildcard.org"), "unknown-example.org", "421"),
        (Some("fourth-example.wildcard.org"), "fourth-example.wildcard.org", "fourth"),
        (Some("fourth-example.wildcard.org"), "fith-example.wildcard.org", "421"),
        (Some("unknown-example.org"), "example.org", "any"),
        (Some("unknown-example.org"), "unknown-example.org", "404"),
        (None, "example.org", "any"),
        (None, "second-example.org", "421"),
    ] {
        let answer = ask_on(&table, 443, server_name, &format!("https://{host}/"));
        assert_eq!(answer, expected, "{host} on a connection to {server_name:?}");
    }
}

// HST-20, HST-22
#[test]
fn a_host_of_no_listener_is_404_and_a_server_name_of_none_has_no_listener() {
    let mut table = ByHand::new();
    let listener = table.https("https", 443, "a.example");
    table.serve(listener, "route", &[], &[("rule", &["/"])]);
    let table = table.build();
    let port = port(&table, 443);
    assert_eq!(ask_on(&table, 443, Some("a.example"), "https://b.example/"), "404");
    assert_eq!(ask_on(&table, 443, Some("b.example"), "https://a.example/"), "421");
    assert_eq!(ask_on(&table, 443, Some("b.example"), "https://b.example/"), "404");
    assert_eq!(ask_on(&table, 443, None, "https://a.example/"), "rule", "nothing is known of the handshake");
    for (server_name, expected) in
        [(Some("a.example"), Some(listener)), (Some("b.example"), None), (None, None)]
    {
        let host = server_name.map(|name| Host::from_name(name).expect("a name"));
        assert_eq!(table.listener_by_server_name(port, host.as_ref()), expected, "{server_name:?}");
    }
}

// === explanations ===

// HRM-20
#[test]
fn an_explanation_says_which_condition_is_not_met() {
    let rules: &[(&str, &[&str])] = &[
        ("method", &["/a PUT"]),
        ("header", &["/a version:one"]),
        ("header-pattern", &["/a version:~t[a-z]+"]),
        ("param", &["/a animal=whale"]),
        ("param-pattern", &["/a animal=~d.*"]),
    ];
    let table = one_route(rules);
    let explanation = explain(&table, "http://a/a");
    let unmet: Vec<String> = explanation
        .candidates
        .iter()
        .map(|candidate| format!("{}: {}", table.rule(candidate.rule).id, candidate.outcome))
        .collect();
    assert_eq!(
        unmet,
        [
            "default/route/method: not met: method is PUT",
            "default/route/header: not met: header version is \"one\"",
            "default/route/header-pattern: not met: header version matches /t[a-z]+/",
            "default/route/param: not met: query parameter animal is \"whale\"",
            "default/route/param-pattern: not met: query parameter animal matches /d.*/",
        ]
    );
    assert_eq!(
        explanation.decision,
        Err(NoMatch::NoRule(explanation.listener.expect("it serves every host")))
    );
    let text = explanation.in_table(&table);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[1], "  default/route/method  host *  PathPrefix /a  matches[0]: not met: method is PUT");
    let (answer, why) = lines[6].split_once(": ").unwrap();
    assert_eq!(answer, "answered with 404 Not Found");
    assert!(why.starts_with("no rule of the routes attached to listener"), "{why}");
}

#[test]
fn an_explanation_names_the_paths_as_routes_do() {
    let rules: &[(&str, &[&str])] = &[("all", &["=/a", "~/[a-z]", "/a", "/"])];
    let paths: Vec<String> = explain(&one_route(rules), "http://a/a")
        .candidates
        .into_iter()
        .map(|candidate| candidate.path)
        .collect();
    assert_eq!(paths, ["Exact /a", "RegularExpression /[a-z]", "PathPrefix /a", "PathPrefix /"]);
}

// HST-14, HRM-20, HRM-22, HRM-23
#[test]
fn an_explanation_names_the_criterion_that_decided() {
    let (mut table, listener) = ByHand::with_listener();
    let (own, any): (&[&str], &[&str]) = (&["a.example"], &[]);
    for (name, created, hostnames, rules) in [
        (
            "best",
            Some(1),
            own,
            &[
                ("chosen", &["/a/b GET x:1 y:1 p=1 q=1", "/a/b GET y:1 x:1 q=1 p=1"][..]),
                ("rule", &["/a/b GET x:1 y:1 p=1 q=1"]),
                ("params", &["/a/b GET x:1 y:1 p=1"]),
                ("headers", &["/a/b GET x:1 p=1 q=1"]),
                ("method", &["/a/b x:1 y:1 p=1 q=1"]),
                ("path", &["/a GET x:1 y:1 p=1 q=1"]),
                ("pattern", &["/a/b DELETE"]),
            ][..],
        ),
        ("newer", Some(2), own, &[("age", &["/a/b GET x:1 y:1 p=1 q=1"])]),
        ("none", Some(1), any, &[("hostname", &["=/a/b GET x:1 y:1 p=1 q=1"])]),
    ] {
        let route = table.route(name, created, rules);
        table.attach(route, listener, hostnames);
    }
    let table = table.build();
    let explanation = explain(&table, "GET http://a.example/a/b?p=1&q=1 x:1 y:1");
    let seen: Vec<(String, u16, CandidateOutcome)> = explanation
        .candidates
        .iter()
        .map(|seen| {
            let rule = table.rule(seen.rule).id.name.as_deref().unwrap_or_default().to_owned();
            (rule, seen.entry, seen.outcome.clone())
        })
        .collect();
    let outranked = |rule: &str, entry, by| (rule.to_owned(), entry, CandidateOutcome::Outranked(by));
    assert_eq!(
        seen,
        [
            ("chosen".to_owned(), 0, CandidateOutcome::Chosen),
            outranked("chosen", 1, TieBreaker::EntryOrder),
            outranked("rule", 0, TieBreaker::RuleOrder),
            outranked("age", 0, TieBreaker::Age),
            outranked("params", 0, TieBreaker::QueryParams),
            outranked("headers", 0, TieBreaker::Headers),
            ("pattern".to_owned(), 0, CandidateOutcome::Unmet("method is DELETE".to_owned())),
            outranked("method", 0, TieBreaker::Method),
            outranked("path", 0, TieBreaker::Path),
            outranked("hostname", 0, TieBreaker::Hostname),
        ]
    );
    let texts: Vec<String> = seen.iter().map(|(_, _, outcome)| outcome.to_string()).collect();
    assert_eq!(texts[0], "chosen");
    assert_eq!(texts[9], "matches, but comes later: a less specific hostname");
}

#[test]
fn an_explanation_of_a_refused_host_has_no_listener() {
    let mut table = ByHand::new();
    table.http("http", 80, "a.example");
    let explanation = explain(&table.build(), "http://b.example/");
    assert_eq!(explanation.decision, Err(NoMatch::NoListener));
    assert_eq!(explanation.listener, None);
    assert!(explanation.candidates.is_empty());
}

// === changes ===

#[test]
fn a_listener_that_takes_the_place_of_another_has_none_of_its_routes() {
    let (mut table, first) = ByHand::with_listener();
    let route = table.route("old", None, &[("old", &["/"])]);
    table.attach(route, first, &[]);
    assert_eq!(ask(&table.builder.table(), "http://a/"), "old");
    table.builder.remove_listener(first);
    let second = table.http("second", 80, "");
    table.serve(second, "new", &[], &[("new", &["/new"])]);
    assert_answers(&table.builder.table(), &[("http://a/new", "new"), ("http://a/", "404")]);
    table.attach(route, second, &[]);
    assert_answers(&table.builder.table(), &[("http://a/new", "new"), ("http://a/", "old")]);
}
