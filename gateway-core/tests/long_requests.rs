//! Long requests and many entries: the same answers as for short ones, or a refusal, and no product of the two.

mod by_hand;

use allocation_counter::measure;
use gateway_core::matching::request::MAX_EFFORT;

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
fn a_request_too_long_for_the_expressions_is_refused_rather_than_served_by_another_rule() {
    let kib = |count: usize| "a".repeat(count << 10);
    let mut paths: Vec<String> = (0..128).map(|i| format!("~/.*/x{i}")).collect();
    paths.push("/".to_owned());
    let paths = table(&paths);
    assert_eq!(ask(&paths, &format!("http://a.example/{}/x100", kib(1))), "r100");
    assert_eq!(ask(&paths, &format!("http://a.example/{}/x100", kib(4))), "r100");
    assert_eq!(ask(&paths, &format!("http://a.example/{}", kib(60))), "414", "and not r128");

    let cookies: Vec<String> = (0..128).map(|i| format!("/ cookie:~.*;c{i}=.*")).collect();
    let cookies = table(&cookies);
    assert_eq!(ask(&cookies, &format!("http://a.example/ cookie:{};c5=1", kib(2))), "r5");
    assert_eq!(ask(&cookies, &format!("http://a.example/ cookie:{} cookie:c5=1", kib(57))), "431");
    assert_eq!(ask(&cookies, &format!("http://a.example/ {}", "cookie:a ".repeat(5_000))), "431");

    let lines: Vec<String> = (0..128).map(|i| format!("/ x:~a{i}")).collect();
    let lines = table(&lines);
    assert_eq!(ask(&lines, "http://a.example/ x:b x:a5 x:c"), "r5");
    assert_eq!(ask(&lines, &format!("http://a.example/ {}", "x:b ".repeat(2_000))), "431");

    let params: Vec<String> = (0..128).map(|i| format!("/ p=~.*x{i}")).collect();
    let params = table(&params);
    assert_eq!(ask(&params, &format!("http://a.example/?p={}x5", kib(2))), "r5");
    assert_eq!(ask(&params, &format!("http://a.example/?p={}x100", kib(60))), "414");
    assert_eq!(ask(&params, &format!("http://a.example/?p={}x100", "%61".repeat(20_000))), "414");
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
    assert!(many.len() * 250 > MAX_EFFORT);
    let path = format!("/{}/x4999", "a".repeat(240));
    assert_eq!(ask(&table, &format!("http://a.example{path}")), "r4999");
}
