//! The cost of validation within a translation: 625 HTTPRoutes of 16 rules, and the Services behind them.
//!
//! `taskset -c 0 cargo bench -p gateway-core --bench validate`

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gateway_core::api::{HttpRoute, Resources, Service};
use gateway_core::validate::validate;
use serde_json::json;

const ROUTES: usize = 625;
const RULES: usize = 16;

/// Rules as they are written mostly: a path and a backend. Or with everything: headers, a query parameter, filters, two
/// backends, timeouts.
fn resources(plain: bool) -> Resources {
    let mut resources = Resources::default();
    for route in 0..ROUTES {
        let name = format!("route-{route}");
        let rule = |rule: usize| {
            let path = json!({"type": "PathPrefix", "value": format!("/api/v1/shop/section-{rule}")});
            let backend = json!({"name": format!("service-{route}"), "port": 8080});
            if plain {
                return json!({"matches": [{"path": path}], "backendRefs": [backend]});
            }
            let headers: Vec<_> = (0..3)
                .map(|header| json!({"name": format!("x-header-{header}"), "value": "some value of it"}))
                .collect();
            json!({
                "matches": [
                    {"path": path, "headers": headers, "queryParams": [{"name": "version", "value": "2"}]},
                    {"path": {"type": "Exact", "value": format!("/api/v2/shop/section-{rule}")}, "method": "GET"},
                ],
                "filters": [
                    {"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": headers, "remove": ["x-a", "x-b"]}},
                    {"type": "URLRewrite", "urlRewrite": {"hostname": "internal.example.com"}},
                ],
                "backendRefs": [backend, {"name": format!("service-{route}-canary"), "port": 8080, "weight": 10}],
                "timeouts": {"request": "10s", "backendRequest": "2s"},
            })
        };
        let route: HttpRoute = serde_json::from_value(json!({
            "metadata": {"name": name, "namespace": "shop"},
            "spec": {
                "parentRefs": [{"name": "gateway", "namespace": "infra", "sectionName": "https"}],
                "hostnames": [format!("{name}.shop.example.com")],
                "rules": (0..RULES).map(rule).collect::<Vec<_>>(),
            },
        }))
        .expect("a route");
        resources.insert(route.into());
        let service: Service = serde_json::from_value(json!({
            "metadata": {"name": format!("service-{}", resources.services.len()), "namespace": "shop"},
            "spec": {"ports": [{"port": 8080}]},
        }))
        .expect("a Service");
        resources.insert(service.into());
    }
    resources
}

fn validation(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("validate");
    group.throughput(Throughput::Elements((ROUTES * RULES) as u64));
    for (name, plain) in [("a path and a backend a rule", true), ("everything in every rule", false)] {
        let resources = resources(plain);
        assert!(validate(&resources).rejected.is_empty());
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter(|| validate(&resources))
        });
    }
    group.finish();
}

criterion_group!(benches, validation);
criterion_main!(benches);
