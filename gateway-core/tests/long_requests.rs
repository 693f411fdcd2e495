//! Long requests and many entries: the same answers as for short ones, or a refusal, and no product of the two.

mod by_hand;

use allocation_counter::measure;
use gateway_core::matching::RequestHead;

use self::by_hand::{ByHand, ask, head, port, request};

/// A table whose entries share a path, or are expressions for paths.
fn table(entries: &[String]) -> gateway_core::table::RouteTable {
    let (mut table, listener) = ByHand::with_listener();
    let entries: Vec<(String, [&str; 1])> =
        entries.iter().enumerate().map(|(i, words)| (format!("r{i}"), [words.as_str()])).collect();
    let rules: Vec<(&str, &[&str])> =
        entries.iter().map(|(name, words)| (name.as_str(), words.as_slice())).collect();
    table.serve(listener, "route", &[], &rules);
    table.build()
}

// HRM-12, HRM-13, AMB-30, AMB-31
#[test]
fn the_parameters_of_a_long_query_are_found_as_those_of_a_short_one() {
    let entries: Vec<String> = (0..128).map(|i| format!("/ p{i}=x")).collect();
    let table = table(&entries);
    let padding = "a&".repeat(500);
    for (query, expected) in [
        ("p7=x", "r7"),
        ("p7=y&p7=x", "404"),
        ("p127=x&p3=x", "r3"),
        ("%70127=%78", "r127"),
        ("p127", "404"),
        ("q=x", "404"),
    ] {
        for query in [query.to_owned(), format!("{padding}{query}"), format!("{query}&{padding}")] {
            let words = format!("http://a.example/?{query}");
            assert_eq!(ask(&table, &words), expected, "{query}");
        }
    }
}

#[test]
fn a_long_query_and_many_entries_allocate_nothing() {
    let entries: Vec<String> = (0..128).map(|i| format!("/ p{i}=x")).collect();
    let table = table(&entries);
    for query in ["a&".repeat(30_000), (0..6_000).map(|i| format!("a{i}=1&")).collect()] {
        let words = format!("http://a.example/?{query}p99=x");
        // The first time, the index makes room for its work.
        assert_eq!(ask(&table, &words), "r99");
        let request = request(&words);
        let port = port(&table, 80);
        let allocations = measure(|| {
            let _decision = table.find(port, None, &head(&request));
        });
        assert_eq!(allocations.count_total, 0);
    }
}

// AMB-08
#[test]
fn small_expressions_of_a_route_look_at_a_long_request_together() {
    let kib = |count: usize| "a".repeat(count << 10);
    let mut paths: Vec<String> = (0..128).map(|i| format!("~/.*/x{i}")).collect();
    paths.push("/".to_owned());
    let paths = table(&paths);
    for length in [1, 4, 60] {
        assert_eq!(ask(&paths, &format!("http://a.example/{}/x100", kib(length))), "r100");
        assert_eq!(ask(&paths, &format!("http://a.example/{}", kib(length))), "r128");
    }

    let cookies: Vec<String> = (0..128).map(|i| format!("/ cookie:~.*;.?c{i}=.*")).collect();
    let cookies = table(&cookies);
    assert_eq!(ask(&cookies, &format!("http://a.example/ cookie:{};c5=1", kib(2))), "r5");
    assert_eq!(ask(&cookies, &format!("http://a.example/ cookie:{} cookie:c5=1", kib(57))), "r5");
    assert_eq!(ask(&cookies, &format!("http://a.example/ {}cookie:c5=1", "cookie:a ".repeat(5_000))), "r5");
    assert_eq!(ask(&cookies, &format!("http://a.example/ {}", "cookie:a ".repeat(5_000))), "404");

    let lines: Vec<String> = (0..128).map(|i| format!("/ x:~a{i}")).collect();
    let lines = table(&lines);
    assert_eq!(ask(&lines, "http://a.example/ x:b x:a5 x:c"), "r5");
    assert_eq!(ask(&lines, &format!("http://a.example/ {}x:a5", "x:b ".repeat(1_000))), "r5");
    assert_eq!(ask(&lines, &format!("http://a.example/ {}", "x:b ".repeat(3_000))), "431");

    let params: Vec<String> = (0..128).map(|i| format!("/ p=~.*x{i}")).collect();
    let params = table(&params);
    assert_eq!(ask(&params, &format!("http://a.example/?p={}x5", kib(2))), "r5");
    assert_eq!(ask(&params, &format!("http://a.example/?p={}x100", kib(60))), "r100");
    assert_eq!(ask(&params, &format!("http://a.example/?p={}x100", "%61".repeat(20_000))), "r100");
    assert_eq!(ask(&params, &format!("http://a.example/?p={}", kib(60))), "404");
}

// AMB-08
#[test]
fn a_request_too_long_for_the_expressions_is_refused_rather_than_served_by_another_rule() {
    let (mut table, listener) = ByHand::with_listener();
    for route in 0..16 {
        let words: Vec<String> = (0..8)
            .map(|i| match i % 3 {
                0 => format!("~/.*/x{route}.{i}"),
                1 => format!("/ x:~.*x{route}[.]{i}"),
                _ => format!("/ p=~.*x{route}.{i}"),
            })
            .collect();
        let names: Vec<String> = (0..8).map(|i| format!("r{route}.{i}")).collect();
        let words: Vec<[&str; 1]> = words.iter().map(|words| [words.as_str()]).collect();
        let rules: Vec<(&str, &[&str])> =
            names.iter().map(String::as_str).zip(words.iter().map(|w| &w[..])).collect();
        table.serve(listener, &format!("route-{route}"), &[], &rules);
    }
    table.serve(listener, "all", &[], &[("all", &["/"])]);
    let table = table.build();
    let kib = |count: usize| "a".repeat(count << 10);
    for (length, path, header, param) in
        [(1, "r9.3", "r9.4", "r9.5"), (8, "r9.3", "r9.4", "r9.5"), (60, "414", "431", "414")]
    {
        let long = kib(length);
        assert_eq!(ask(&table, &format!("http://a.example/{long}/x9.3")), path);
        assert_eq!(ask(&table, &format!("http://a.example/ x:{long}x9.4")), header);
        assert_eq!(ask(&table, &format!("http://a.example/?p={long}x9.5")), param);
    }
    assert_eq!(ask(&table, &format!("http://a.example/{}", kib(60))), "414", "and not the rule for all");
}

// AMB-08
#[test]
fn large_expressions_look_at_less_of_a_request() {
    let table = table(&["~/[ab]*a[ab]{900}x".to_owned(), "~/[ab]*".to_owned(), "/".to_owned()]);
    let path = |count: usize| format!("/{}", "ab".repeat(count));
    assert_eq!(ask(&table, &format!("http://a.example{}", path(100))), "r1");
    assert_eq!(ask(&table, &format!("http://a.example{}", path(4_000))), "r1");
    assert_eq!(ask(&table, &format!("http://a.example{}", path(30_000))), "414");
    let many: Vec<String> = (0..16).map(|i| format!("~/[ab]*a[ab]{{900}}x{i}")).collect();
    let table = self::table(&many);
    assert_eq!(ask(&table, &format!("http://a.example{}", path(100))), "404");
    assert_eq!(ask(&table, &format!("http://a.example{}", path(4_000))), "414");
}

// AMB-08
#[test]
fn any_number_of_expressions_looks_at_short_requests() {
    let many: Vec<String> = (0..5_000).map(|i| format!("~/[a-z]*/x{i}")).collect();
    let table = table(&many);
    assert!(many.len() * 250 > RequestHead::MAX_EFFORT);
    let path = format!("/{}/x4999", "a".repeat(240));
    assert_eq!(ask(&table, &format!("http://a.example{path}")), "r4999");
}
