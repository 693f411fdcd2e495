//! Ratios of `find` within one run: absolute times change with the machine and the minute, ratios hardly.
//!
//! `taskset -c 0 cargo bench -p gateway-core --bench ratios`, or `… -- 1000x10` for the shapes whose name holds that text.
//!
//! Every row is measured once per round, one after the other, so a slow minute hits all of them; each figure is the
//! median of the rounds. Yardsticks in the same run: the hash of host and path alone, a bare `hashbrown` map from host to
//! a map of paths, which looks up the whole key and knows neither prefixes nor conditions, and `matchit` per host.
//!
//! The goals are for `head+find`, which includes checking and normalising host and path. `find` alone reads heads that
//! were made before; at 100,000 of them the heads themselves, 300 bytes each, no longer fit the cache.

#![expect(clippy::print_stdout, reason = "the table is the result")]

mod shapes;

use std::hash::BuildHasher;
use std::hint::black_box;
use std::time::{Duration, Instant};

use gateway_core::matching::RequestHead;
use gateway_core::table::{FrontendId, RouteTable};
use http::HeaderMap;

use self::shapes::{Request, Shape, TENANT};

/// The yardsticks' map.
type HashMap<K, V> = hashbrown::HashMap<K, V, foldhash::fast::RandomState>;

const ROUNDS: usize = 9;
const SAMPLE: Duration = Duration::from_millis(40);

const SHAPES: [Shape; 9] = [
    Shape::prefixes(1, 10),
    Shape::prefixes(100, 10),
    Shape::prefixes(1_000, 10),
    Shape::prefixes(10_000, 10),
    Shape::prefixes(10, 1_000),
    Shape::prefixes(1, 10_000),
    Shape::prefixes(1, 100_000),
    Shape::headers(1, 1_000),
    Shape::headers(1_000, 10),
];

/// What is measured for each shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum What {
    /// `find` for heads that were made before.
    Find,
    /// Host and path checked and put in normal form, then `find`.
    HeadAndFind,
    /// `RequestHead::new` for an `http::Request`, then `find`.
    RequestAndFind,
    HashOnly,
    BareHash,
    Matchit,
    /// `HeaderMap::get` and a map from values: the best that header rules can be.
    BareHeader,
}

struct Row {
    shape: Shape,
    what: What,
    /// Looks up this many requests.
    run: Box<dyn FnMut(usize)>,
    iterations: usize,
    /// Nanoseconds per lookup, one a round.
    samples: Vec<f64>,
}

struct Built {
    shape: Shape,
    milliseconds: f64,
    rules_bytes: f64,
    index_bytes: f64,
}

fn main() {
    // `cargo test --benches` runs this too: then it only has to work.
    let test = !std::env::args().any(|argument| argument == "--bench");
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let wanted = |shape: &Shape| only.as_ref().is_none_or(|only| shape.to_string().contains(only));
    let shapes: Vec<Shape> = if test { vec![SHAPES[0]] } else { SHAPES.into_iter().filter(wanted).collect() };
    let (rounds, sample) = if test { (1, Duration::from_micros(10)) } else { (ROUNDS, SAMPLE) };
    let mut rows = Vec::new();
    let mut built = Vec::new();
    for &shape in &shapes {
        built.push(measure_build(shape));
        rows.extend(rows_of(shape));
    }
    for row in &mut rows {
        row.calibrate(sample);
    }
    for _ in 0..rounds {
        for row in &mut rows {
            row.sample();
        }
    }
    print_times(&shapes, &rows);
    print_built(&built);
    if shapes.len() == SHAPES.len() {
        print_ratios(&rows, &built);
    }
}

// === the rows ===

fn rows_of(shape: Shape) -> Vec<Row> {
    let requests: &'static [Request] = match shape.kind {
        shapes::Kind::Prefix => shape.requests(100_000).leak(),
        // As many as fit the cache: a request brings its own headers, and they are not what is measured.
        shapes::Kind::Header => shape.requests(1_000).leak(),
    };
    let table: &'static RouteTable = Box::leak(Box::new(shape.builder().build()));
    let port = shapes::frontend(table);
    let headers: &'static [HeaderMap] = match shape.kind {
        shapes::Kind::Prefix => vec![HeaderMap::new()].leak(),
        shapes::Kind::Header => requests.iter().map(Request::headers).collect::<Vec<_>>().leak(),
    };
    let headers_of = move |i: usize| &headers[i % headers.len()];
    let heads: Vec<RequestHead<'static>> =
        requests.iter().enumerate().map(|(i, request)| request.head(headers_of(i))).collect();
    let whole: Vec<http::Request<()>> = requests.iter().map(Request::http).collect();
    for (request, head) in requests.iter().zip(&heads) {
        assert!(shapes::is_borrowed(head));
        let matched = table.find(port, None, head).expect("every request has its route");
        assert!(shape.is_rule(table.rule(matched.rule), request.rule), "{request:?}");
    }

    let mut rows = Vec::new();
    let mut row = |what, run| {
        rows.push(Row { shape, what, run, iterations: 0, samples: Vec::new() });
    };
    row(What::Find, over(requests.len(), move |i| find(table, port, &heads[i])));
    row(
        What::HeadAndFind,
        over(requests.len(), move |i| find(table, port, &requests[i].head(headers_of(i)))),
    );
    row(
        What::RequestAndFind,
        over(requests.len(), move |i| {
            let request = &whole[i];
            let head = RequestHead::new(request.method(), request.uri(), request.headers()).expect("a host");
            find(table, port, &head)
        }),
    );
    let hasher = foldhash::fast::FixedState::default();
    row(
        What::HashOnly,
        over(requests.len(), move |i| {
            let request = &requests[i];
            (hasher.hash_one(request.host) ^ hasher.hash_one(request.prefix)) as u32
        }),
    );
    match shape.kind {
        shapes::Kind::Prefix => {
            let map = by_host(shape, |paths: &mut HashMap<Box<str>, u32>, path, rule| {
                paths.insert(path.into(), rule);
            });
            row(
                What::BareHash,
                over(requests.len(), move |i| {
                    let request = &requests[i];
                    *map.get(request.host).and_then(|paths| paths.get(request.prefix)).expect("in the map")
                }),
            );
            let map = by_host(shape, |paths: &mut matchit::Router<u32>, path, rule| {
                paths.insert(format!("{path}/{{*rest}}"), rule).expect("a new path");
            });
            row(
                What::Matchit,
                over(requests.len(), move |i| {
                    let request = &requests[i];
                    *map.get(request.host)
                        .and_then(|paths| paths.at(request.path).ok())
                        .expect("in the map")
                        .value
                }),
            );
        }
        shapes::Kind::Header => {
            let map = by_host(shape, |values: &mut HashMap<Box<[u8]>, u32>, _, rule| {
                let tenant = Shape::tenant(rule as usize % shape.paths);
                values.insert(tenant.into_bytes().into(), rule);
            });
            row(
                What::BareHeader,
                over(requests.len(), move |i| {
                    let value = headers[i].get(TENANT).expect("in the request");
                    *map.get(requests[i].host).and_then(|m| m.get(value.as_bytes())).expect("in the map")
                }),
            );
        }
    }
    rows
}

#[inline(always)]
fn find(table: &RouteTable, port: FrontendId, head: &RequestHead<'_>) -> u32 {
    // Not the whole result: to have it written and read again is no part of a search.
    let matched = table.find(port, None, head).expect("every request has its route");
    black_box(matched.rule);
    u32::from(matched.entry)
}

/// A loop over the requests in visiting order, which goes on where it stopped.
fn over(requests: usize, mut look_up: impl FnMut(usize) -> u32 + 'static) -> Box<dyn FnMut(usize)> {
    let mut next = 0;
    Box::new(move |iterations| {
        for _ in 0..iterations {
            black_box(look_up(black_box(next)));
            next += 1;
            if next == requests {
                next = 0;
            }
        }
    })
}

fn by_host<M: Default>(shape: Shape, mut insert: impl FnMut(&mut M, &str, u32)) -> HashMap<Box<str>, M> {
    let mut map: HashMap<Box<str>, M> = HashMap::default();
    for i in 0..shape.hosts {
        let paths = map.entry(Shape::host(i).into()).or_default();
        for j in 0..shape.paths {
            insert(paths, &shape.prefix(j), (i * shape.paths + j) as u32);
        }
    }
    map
}

// === impl Row ===

impl Row {
    fn calibrate(&mut self, sample: Duration) {
        let mut iterations = 1_000;
        loop {
            let start = Instant::now();
            (self.run)(iterations);
            let took = start.elapsed();
            if took > sample / 4 {
                let exact = iterations as f64 * sample.as_secs_f64() / took.as_secs_f64();
                self.iterations = exact as usize + 1;
                return;
            }
            iterations *= 2;
        }
    }

    fn sample(&mut self) {
        let start = Instant::now();
        (self.run)(self.iterations);
        self.samples.push(start.elapsed().as_nanos() as f64 / self.iterations as f64);
    }
}

// === building ===

fn measure_build(shape: Shape) -> Built {
    let mut milliseconds = Vec::new();
    for _ in 0..5 {
        let builder = shape.builder();
        let start = Instant::now();
        let table = builder.build();
        milliseconds.push(start.elapsed().as_secs_f64() * 1e3);
        drop(black_box(table));
    }
    // Rules are what a table is for; all else in it is index. Both are measured by what the allocator keeps.
    let mut kept = Vec::new();
    let whole = allocation_counter::measure(|| kept.push(shape.builder().build())).bytes_current;
    let mut rules = Vec::new();
    let copied = || kept[0].rules().cloned().collect::<Box<[_]>>();
    let rules_bytes = allocation_counter::measure(|| rules.push(copied())).bytes_current;
    let per_route = |bytes: i64| bytes as f64 / shape.routes() as f64;
    // What rules share by reference (the names of routes) is not copied with them, so it counts as index.
    Built {
        shape,
        milliseconds: median(milliseconds),
        rules_bytes: per_route(rules_bytes),
        index_bytes: per_route(whole - rules_bytes),
    }
}

// === printing ===

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn row(rows: &[Row], shape: Shape, what: What) -> Option<&Row> {
    rows.iter().find(|row| row.shape == shape && row.what == what)
}

fn print_times(shapes: &[Shape], rows: &[Row]) {
    let columns = [
        (What::Find, "find"),
        (What::HeadAndFind, "head+find"),
        (What::RequestAndFind, "Request+find"),
        (What::HashOnly, "hash only"),
        (What::BareHash, "bare hash"),
        (What::Matchit, "matchit"),
        (What::BareHeader, "bare header"),
    ];
    print!("{:>22}", "ns per lookup");
    for (_, name) in columns {
        print!("{name:>14}");
    }
    println!();
    for &shape in shapes {
        print!("{:>22}", shape.to_string());
        for (what, _) in columns {
            match row(rows, shape, what) {
                Some(row) => print!("{:>14.1}", median(row.samples.clone())),
                None => print!("{:>14}", "-"),
            }
        }
        println!();
    }
}

fn print_built(built: &[Built]) {
    println!("\n{:>22}{:>14}{:>14}{:>14}", "", "build ms", "index B/route", "rules B/route");
    for Built { shape, milliseconds, rules_bytes, index_bytes } in built {
        println!("{:>22}{milliseconds:>14.2}{index_bytes:>14.0}{rules_bytes:>14.0}", shape.to_string());
    }
}

fn print_ratios(rows: &[Row], built: &[Built]) {
    /// The median over the rounds of the ratio within one round.
    fn ratio(rows: &[Row], of: (Shape, What), to: (Shape, What)) -> f64 {
        let samples = |(shape, what)| &row(rows, shape, what).expect("measured").samples;
        median(samples(of).iter().zip(samples(to)).map(|(of, to)| of / to).collect())
    }
    let (k10, wide) = (Shape::prefixes(1, 10), Shape::prefixes(1_000, 10));
    let (k100, deep) = (Shape::prefixes(10_000, 10), Shape::prefixes(1, 10_000));
    let deepest = Shape::prefixes(1, 100_000);
    let tenants = Shape::headers(1, 1_000);
    println!("\n{:<58}{:>8}{:>10}{:>8}{:>9}", "ratio", "find", "head+find", "must", "stretch");
    let ours = [What::Find, What::HeadAndFind];
    let line = |name: &str, ratios: [f64; 2], must: f64, stretch: f64| {
        let verdict = if ratios[1] <= must { "" } else { "   MISSED" };
        println!("{name:<58}{:>8.2}{:>10.2}{must:>8.1}{stretch:>9.1}{verdict}", ratios[0], ratios[1]);
    };
    let name = "M1  1000x10 over bare hash";
    line(name, ours.map(|what| ratio(rows, (wide, what), (wide, What::BareHash))), 4.0, 2.0);
    line("M2  1000x10 over 1x10", ours.map(|what| ratio(rows, (wide, what), (k10, what))), 2.0, 1.5);
    line("M3  10000x10 over 1000x10", ours.map(|what| ratio(rows, (k100, what), (wide, what))), 4.0, 3.0);
    line("M3  1x100000 over 1x10000", ours.map(|what| ratio(rows, (deepest, what), (deep, what))), 4.0, 3.0);
    line("M4  1x10000 over 1000x10", ours.map(|what| ratio(rows, (deep, what), (wide, what))), 1.5, 1.2);
    let name = "M5  1000 header values over HeaderMap::get + hash";
    line(name, ours.map(|what| ratio(rows, (tenants, what), (tenants, What::BareHeader))), 6.0, 3.0);
    let matchit = ours.map(|what| ratio(rows, (wide, what), (wide, What::Matchit)));
    println!("{:<58}{:>8.2}{:>10.2}", "    1000x10 over matchit prefix", matchit[0], matchit[1]);
    let built = built.iter().find(|built| built.shape == wide).expect("measured");
    let name = "M7  index bytes per route, 1000x10";
    line(name, [built.index_bytes; 2], 256.0, 128.0);
}
