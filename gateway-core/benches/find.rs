//! `find` on tables of different shapes, with criterion's statistics.
//!
//! `taskset -c 0 cargo bench -p gateway-core --bench find`; for what the figures mean, see the `ratios` benchmark.

mod shapes;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use http::HeaderMap;

use self::shapes::{Kind, Request, Shape};

fn find(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("find");
    group.throughput(Throughput::Elements(1));
    for shape in [
        Shape::prefixes(1, 10),
        Shape::prefixes(1_000, 10),
        Shape::prefixes(10_000, 10),
        Shape::prefixes(1, 10_000),
        Shape::headers(1, 1_000),
    ] {
        let table = shape.builder().build();
        let port = shapes::frontend(&table);
        let requests = shape.requests(100_000);
        let headers: Vec<HeaderMap> = match shape.kind {
            Kind::Prefix => vec![HeaderMap::new()],
            Kind::Header => requests.iter().map(Request::headers).collect(),
        };
        group.bench_function(BenchmarkId::from_parameter(shape), |bencher| {
            let mut i = 0;
            bencher.iter(|| {
                i = if i + 1 == requests.len() { 0 } else { i + 1 };
                let head = requests[i].head(&headers[i % headers.len()]);
                table.find(port, None, &head).expect("every request has its route")
            });
        });
    }
    group.finish();
}

criterion_group!(benches, find);
criterion_main!(benches);
