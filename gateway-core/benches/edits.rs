//! The cost of one changed route, for a translator that knows few routes and one that knows many.
//!
//! `cargo bench -p gateway-core --bench edits`; one line for each kind of change. There are ten routes to a hostname, one
//! rule each. All sizes take turns, so that their ratio is one of the same minutes. `… -- 10000` is for that size alone, as
//! a profiler wants it: `valgrind --tool=callgrind --toggle-collect='edits::make'` counts instructions.

#![expect(clippy::print_stdout, reason = "the table is what it is for")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use gateway_core::api::{AnyObject, Kind};
use gateway_core::manifest;
use gateway_core::name::ObjectName;
use gateway_core::options::Options;
use gateway_core::translate::Translator;

const SIZES: [usize; 4] = [10, 1_000, 10_000, 100_000];
const ROUTES_OF_A_HOST: usize = 10;
const SERVICES: usize = 8;
const ROUNDS: usize = 400;

enum Change {
    Insert(AnyObject),
    Remove(ObjectName),
}

/// The changes to make one after the other to the route with this number in this round.
type Edit = fn(usize, usize) -> Vec<Change>;

fn main() {
    let only = std::env::args().find_map(|argument| argument.parse::<usize>().ok());
    let sizes: Vec<usize> = SIZES.into_iter().filter(|size| only.is_none_or(|only| only == *size)).collect();
    let mut translators: Vec<_> = sizes.iter().map(|&size| (size, translator(size))).collect();
    let shown: String = sizes.iter().map(|size| format!("{size:>10}")).collect();
    println!("{:>20} {shown}", "µs a change");
    let edits: [(&str, Edit); 5] = [
        ("another backend", |number, round| {
            vec![Change::Insert(route(number, host(number), "/a", round % SERVICES))]
        }),
        ("another path", |number, round| {
            vec![Change::Insert(route(number, host(number), &format!("/p{round}"), 0))]
        }),
        ("a new hostname", |number, round| vec![Change::Insert(route(number, 1_000_000 + round, "/a", 0))]),
        ("gone and back", |number, _| {
            let name = ObjectName::new("default", format!("r-{number:06}"));
            vec![Change::Remove(name), Change::Insert(route(number, host(number), "/a", 0))]
        }),
        ("another endpoint", |_, round| vec![Change::Insert(slice(round % SERVICES, round))]),
    ];
    for (name, edit) in edits {
        let mut times: Vec<Vec<Duration>> = vec![Vec::new(); sizes.len()];
        for round in 0..ROUNDS {
            for ((size, translator), times) in translators.iter_mut().zip(&mut times) {
                let route = (round * 7_919) % *size;
                let changes = edit(route, round);
                let start = Instant::now();
                changes.into_iter().for_each(|change| make(change, translator));
                times.push(start.elapsed());
            }
        }
        let medians = times.into_iter().map(|mut times| {
            times.sort();
            times[times.len() / 2].as_secs_f64() * 1e6
        });
        let medians: Vec<f64> = medians.collect();
        let shown: String = medians.iter().map(|median| format!("{median:>10.1}")).collect();
        let ratio = |of: usize, to: usize| {
            let median =
                |size| sizes.iter().position(|known| *known == size).map(|position| medians[position]);
            Some(format!("   {of} over {to}: {:.2}", median(of)? / median(to)?))
        };
        println!("{name:>20} {shown}{}", ratio(10_000, 10).unwrap_or_default());
    }
}

/// What is measured; a function of its own, so that a profiler can tell it from the rest.
#[inline(never)]
fn make(change: Change, translator: &mut Translator) {
    match change {
        Change::Insert(object) => translator.insert(object),
        Change::Remove(name) => translator.remove(Kind::HttpRoute, &name),
    }
    black_box(translator.translate());
}

fn host(route: usize) -> usize {
    route / ROUTES_OF_A_HOST
}

fn object(yaml: &str) -> AnyObject {
    manifest::read(yaml, "bench.yaml").objects.remove(0).0
}

fn route(number: usize, host: usize, path: &str, service: usize) -> AnyObject {
    object(&format!(
        "
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: r-{number:06}}}
spec:
  parentRefs: [{{name: bench}}]
  hostnames: [\"h{host:07}.bench.example\"]
  rules:
  - matches: [{{path: {{value: \"/r{}{path}\"}}}}]
    backendRefs: [{{name: svc-{service}, port: 80}}]
",
        number % ROUTES_OF_A_HOST
    ))
}

fn slice(service: usize, last: usize) -> AnyObject {
    object(&format!(
        "
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: svc-{service}-0, labels: {{kubernetes.io/service-name: svc-{service}}}}}
addressType: IPv4
ports: [{{name: http, port: 8080}}]
endpoints: [{{addresses: [10.0.{service}.{}]}}]
",
        last % 250
    ))
}

/// A translator with this many routes, translated once.
fn translator(routes: usize) -> Translator {
    let mut translator = Translator::new(Options::default());
    let class = "{apiVersion: gateway.networking.k8s.io/v1, kind: GatewayClass, metadata: {name: bench}, \
                 spec: {controllerName: gateway-api.rs/controller}}";
    let gateway = "{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: bench}, \
                   spec: {gatewayClassName: bench, listeners: [{name: http, port: 80, protocol: HTTP}]}}";
    translator.insert(object(class));
    translator.insert(object(gateway));
    for service in 0..SERVICES {
        let written = format!(
            "{{apiVersion: v1, kind: Service, metadata: {{name: svc-{service}}}, spec: {{ports: [{{name: http, port: 80}}]}}}}"
        );
        translator.insert(object(&written));
        translator.insert(slice(service, 0));
    }
    for number in 0..routes {
        translator.insert(route(number, host(number), "/a", 0));
    }
    assert_eq!(translator.translate().table.rules().count(), routes, "everything is valid and served");
    translator
}
