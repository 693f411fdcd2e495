//! The cost of one long request as entries become more: with one entry that asks, and with 128.
//!
//! `taskset -c 0 cargo bench -p gateway-core --bench long_requests`. The goal is a ratio of at most 2: the cost is that of the
//! request and of the entries, not of their product. Where regular expressions would have to look at too much, the request
//! is refused, which bounds the cost; the last column says so.

#![expect(clippy::print_stdout, reason = "the table is the result")]

mod shapes;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gateway_core::matching::{
    Conditions, HeaderMatch, HttpMatch, PathMatch, QueryParamMatch, RequestHead, ValueMatch,
};
use gateway_core::name::{Age, ObjectName, RouteKey, RouteKind};
use gateway_core::rule::{HttpRule, RuleName};
use gateway_core::table::RouteTable;
use http::{HeaderMap, HeaderValue, Method, Uri, header};

const ROUNDS: usize = 9;
const SAMPLE: Duration = Duration::from_millis(40);

struct Row {
    name: &'static str,
    entry: fn(usize) -> HttpMatch,
    target: String,
    headers: HeaderMap,
}

fn pattern(text: &str) -> gateway_core::matching::Pattern {
    text.parse().expect("a pattern")
}

fn param(i: usize, value: ValueMatch) -> HttpMatch {
    let param = QueryParamMatch { name: format!("p{i}").into(), value };
    HttpMatch { path: PathMatch::prefix("/"), conditions: Conditions::new(None, [], [param]) }
}

fn rows() -> Vec<Row> {
    let cookie = |i: usize| {
        let header =
            HeaderMatch { name: header::COOKIE, value: ValueMatch::Regex(pattern(&format!(".*; ?c{i}=.*"))) };
        HttpMatch { path: PathMatch::prefix("/"), conditions: Conditions::new(None, [header], []) }
    };
    let mut cookies = HeaderMap::new();
    cookies.insert(header::COOKIE, HeaderValue::from_str(&"a=b; ".repeat(11_400)).expect("a value"));
    let distinct: String = (0..6_000).map(|i| format!("&a{i:x}=1")).collect();
    let with = |name, entry, target| Row { name, entry, target, headers: HeaderMap::new() };
    vec![
        with("query of one name", |i| param(i, ValueMatch::exact("x")), format!("/?{}", "a&".repeat(30_000))),
        with("query of many names", |i| param(i, ValueMatch::exact("x")), format!("/?{distinct}")),
        with("escaped query", |i| param(i, ValueMatch::exact("x")), format!("/?{}", "%61&".repeat(15_000))),
        with(
            "path and expressions",
            |i| HttpMatch { path: PathMatch::Regex(pattern(&format!(".*/x{i}"))), ..HttpMatch::default() },
            format!("/{}", "a/".repeat(30_000)),
        ),
        Row { name: "cookie and expressions", entry: cookie, target: "/".to_owned(), headers: cookies },
    ]
}

fn table(entry: fn(usize) -> HttpMatch, entries: usize) -> RouteTable {
    let (mut table, listener) = shapes::listening();
    let name = ObjectName::new("default", "route");
    let key = Arc::new(RouteKey::new(RouteKind::Http, name.clone()));
    let rule = HttpRule::new(RuleName { route: key, index: 0, name: None });
    let route = table.http_route(Age::new(None, &name), [((0..entries).map(entry).collect(), rule)]);
    table.attach(route, listener, &[]);
    table.build()
}

/// Microseconds per request, and how it ended.
fn measure(row: &Row, entries: usize, rounds: usize, sample: Duration) -> (f64, String) {
    let table = table(row.entry, entries);
    let frontend = shapes::frontend(&table);
    let uri: Uri = format!("http://a.example{}", row.target).parse().expect("a target");
    let find = || {
        let head = RequestHead::new(&Method::GET, &uri, &row.headers).expect("a host");
        table.find(frontend, None, &head)
    };
    let outcome = find().map_or_else(|error| error.status().to_string(), |_| "found".to_owned());
    let mut samples: Vec<f64> = (0..rounds)
        .map(|_| {
            let (start, mut count) = (Instant::now(), 0_u32);
            while start.elapsed() < sample {
                let _ = black_box(find());
                count += 1;
            }
            start.elapsed().as_secs_f64() * 1e6 / f64::from(count)
        })
        .collect();
    samples.sort_by(f64::total_cmp);
    (samples[samples.len() / 2], outcome)
}

fn main() {
    // `cargo test --benches` runs this too: then it only has to work.
    let test = !std::env::args().any(|argument| argument == "--bench");
    let (rounds, sample) = if test { (1, Duration::from_micros(10)) } else { (ROUNDS, SAMPLE) };
    println!("{:24} {:>12} {:>12} {:>6}  answer with 128", "60 KB of", "1 entry µs", "128 µs", "ratio");
    for row in rows() {
        let (one, _) = measure(&row, 1, rounds, sample);
        let (many, outcome) = measure(&row, 128, rounds, sample);
        println!("{:24} {one:12.1} {many:12.1} {:6.2}  {outcome}", row.name, many / one);
    }
}
