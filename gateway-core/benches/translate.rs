//! The cost of a translation, from parsed resources to table and statuses, and of reading them before.
//!
//! `cargo bench -p gateway-core --bench translate`; one line a size, the median of several runs. HTTPRoutes have 16 rules
//! each, the most that the API allows, with one path and one backend a rule.

#![expect(clippy::print_stdout, reason = "the table is what it is for")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use gateway_core::api::Resources;
use gateway_core::manifest;
use gateway_core::options::Options;
use gateway_core::translate::translate;
use gateway_core::validate::validate;

const RULES_OF_A_ROUTE: usize = 16;
const ROUTES_OF_A_HOST: usize = 4;
const SERVICES: usize = 8;

fn main() {
    println!(
        "{:>8} {:>8} {:>12} {:>12} {:>12} {:>12}",
        "rules", "objects", "read", "validate", "translate", "a rule"
    );
    for rules in [10, 1_000, 10_000, 100_000] {
        let text = manifests(rules);
        let runs = if rules > 10_000 { 3 } else { 9 };
        let read = median(runs, || manifest::read(&text, "bench.yaml"));
        let resources: Resources =
            manifest::read(&text, "bench.yaml").objects.into_iter().map(|(object, _)| object).collect();
        let options = Options::default();
        let validated = median(runs, || validate(&resources));
        let translated = median(runs, || translate(&resources, &options));
        let table = translate(&resources, &options).table;
        assert_eq!(table.rules().count(), rules, "everything is valid and served");
        println!(
            "{rules:>8} {:>8} {:>12} {:>12} {:>12} {:>12}",
            resources.len(),
            format!("{read:.2?}"),
            format!("{validated:.2?}"),
            format!("{translated:.2?}"),
            format!("{:.0?}", translated / rules as u32),
        );
    }
}

/// The median time of several runs. What a run makes is dropped after its time is taken.
fn median<T>(runs: usize, run: impl Fn() -> T) -> Duration {
    let mut times: Vec<_> = (0..runs)
        .map(|_| {
            let start = Instant::now();
            let made = black_box(run());
            let time = start.elapsed();
            drop(made);
            time
        })
        .collect();
    times.sort();
    times[runs / 2]
}

/// A class, a Gateway, Services with endpoints, and HTTPRoutes with this many rules in all.
fn manifests(rules: usize) -> String {
    let mut yaml = String::from(
        "apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: bench}
spec: {controllerName: gateway-api.rs/controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: bench}
spec: {gatewayClassName: bench, listeners: [{name: http, port: 80, protocol: HTTP}]}
",
    );
    for service in 0..SERVICES {
        write!(
            yaml,
            "---
apiVersion: v1
kind: Service
metadata: {{name: svc-{service}}}
spec: {{ports: [{{name: http, port: 80}}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: svc-{service}-0, labels: {{kubernetes.io/service-name: svc-{service}}}}}
addressType: IPv4
ports: [{{name: http, port: 8080}}]
endpoints: [{{addresses: [10.0.0.{service}]}}]
"
        )
        .expect("a string takes any text");
    }
    for route in 0..rules.div_ceil(RULES_OF_A_ROUTE) {
        let host = route / ROUTES_OF_A_HOST;
        write!(
            yaml,
            "---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: r-{route:06}}}
spec:
  parentRefs: [{{name: bench}}]
  hostnames: [\"h{host:05}.bench.example\"]
  rules:
"
        )
        .expect("a string takes any text");
        for rule in route * RULES_OF_A_ROUTE..rules.min((route + 1) * RULES_OF_A_ROUTE) {
            writeln!(
                yaml,
                "  - matches: [{{path: {{type: PathPrefix, value: \"/svc-{rule:06}/api\"}}}}]
    backendRefs: [{{name: svc-{}, port: 80}}]",
                rule % SERVICES
            )
            .expect("a string takes any text");
        }
    }
    yaml
}
