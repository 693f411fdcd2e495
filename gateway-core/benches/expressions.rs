//! The cost of changes beside 20 Routes of 128 regular expressions each, all of one namespace and for every host.
//!
//! `cargo bench -p gateway-core --bench expressions`. Expressions are kept for as long as some Route has them, so that only
//! what is new is compiled; the goal for a change of something else is 20 ms.

#![expect(clippy::print_stdout, reason = "the table is what it is for")]

use std::hint::black_box;
use std::time::Instant;

use gateway_core::api::AnyObject;
use gateway_core::manifest;
use gateway_core::options::Options;
use gateway_core::translate::Translator;

fn main() {
    let with_expressions = |number: usize, first: usize| {
        let matches = |rule: usize| {
            let entries = (0..8).map(|entry| {
                let pattern = format!("/{number}/{rule}/{entry}/{first}/[a-z0-9]+/v[0-9]{{1,3}}(/.*)?");
                format!("{{path: {{type: RegularExpression, value: '{pattern}'}}}}")
            });
            entries.collect::<Vec<_>>().join(", ")
        };
        let rules = (0..16).map(|rule| format!("{{matches: [{}]}}", matches(rule)));
        object(&format!(
            "{{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {{name: e-{number}}}, \
             spec: {{parentRefs: [{{name: bench}}], rules: [{}]}}}}",
            rules.collect::<Vec<_>>().join(", ")
        ))
    };
    let plain = |port: usize| {
        object(&format!(
            "{{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {{name: plain}}, spec: \
             {{parentRefs: [{{name: bench}}], rules: [{{matches: [{{path: {{value: /p{port}}}}}]}}]}}}}"
        ))
    };
    let gateway = |port: usize| {
        object(&format!(
            "{{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {{name: bench}}, spec: \
             {{gatewayClassName: bench, listeners: [{{name: http, port: 80, protocol: HTTP}}, \
             {{name: other, port: {port}, protocol: HTTP}}]}}}}"
        ))
    };
    let mut translator = Translator::new(Options::default());
    translator.insert(object(
        "{apiVersion: gateway.networking.k8s.io/v1, kind: GatewayClass, metadata: {name: bench}, \
         spec: {controllerName: gateway-api.rs/controller}}",
    ));
    translator.insert(gateway(81));
    (0..20).for_each(|number| translator.insert(with_expressions(number, 0)));
    let start = Instant::now();
    assert_eq!(translator.translate().table.rules().count(), 20 * 16);
    println!(
        "{:>20} {:>10.1} ms for the first time",
        "20 x 128 expressions",
        start.elapsed().as_secs_f64() * 1e3
    );
    let changes: [(&str, &dyn Fn(usize) -> AnyObject); 3] = [
        ("another route", &|round| plain(round)),
        ("all of one of them", &|round| with_expressions(7, round)),
        ("the Gateway", &|round| gateway(1_000 + round)),
    ];
    for (name, change) in changes {
        let mut times: Vec<_> = (1..=20)
            .map(|round| {
                let object = change(round);
                let start = Instant::now();
                translator.insert(object);
                black_box(translator.translate());
                start.elapsed()
            })
            .collect();
        times.sort();
        println!("{name:>20} {:>10.1} ms", times[times.len() / 2].as_secs_f64() * 1e3);
    }
}

fn object(yaml: &str) -> AnyObject {
    manifest::read(yaml, "bench.yaml").objects.remove(0).0
}
