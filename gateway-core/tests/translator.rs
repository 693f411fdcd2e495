//! Translating again after edits: the cases in which what was kept was once too old, what is kept, and how much.
//!
//! Sequences of generated edits are compared in the conformance crate; here is what they found, one case each.

use gateway_core::api::{AnyObject, Kind, Resources};
use gateway_core::manifest;
use gateway_core::name::{ObjectName, RouteKey, RouteKind};
use gateway_core::options::Options;
use gateway_core::translate::{Translation, Translator, translate};

const CLASS: &str = "{apiVersion: gateway.networking.k8s.io/v1, kind: GatewayClass, metadata: {name: example}, \
                     spec: {controllerName: gateway-api.rs/controller}}";

/// A translator beside the resources that it has.
struct Edited {
    resources: Resources,
    translator: Translator,
}

fn read(yaml: &str) -> Vec<AnyObject> {
    let read = manifest::read(yaml, "test.yaml");
    assert!(read.problems.is_empty(), "{:?}", read.problems);
    read.objects.into_iter().map(|(object, _)| object).collect()
}

fn gateway(name: &str, more: &str, listeners: &str) -> String {
    format!(
        "{{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {{name: {name}{more}}}, \
         spec: {{gatewayClassName: example, listeners: [{listeners}]}}}}"
    )
}

fn http_route(name: &str, spec: &str) -> String {
    format!(
        "{{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {{name: {name}}}, spec: {{{spec}}}}}"
    )
}

fn service(name: &str, port: u16) -> String {
    format!(
        "{{apiVersion: v1, kind: Service, metadata: {{name: {name}}}, spec: {{ports: [{{port: {port}}}]}}}}"
    )
}

const LISTENER: &str = "{name: http, port: 80, protocol: HTTP}";

// === impl Edited ===

impl Edited {
    fn new(yaml: &[&str]) -> Self {
        let translator = Translator::new(Options::default());
        let mut edited = Self { resources: Resources::default(), translator };
        edited.insert(CLASS);
        yaml.iter().for_each(|yaml| edited.insert(yaml));
        edited.translate();
        edited
    }

    fn insert(&mut self, yaml: &str) {
        for object in read(yaml) {
            self.resources.insert(object.clone());
            self.translator.insert(object);
        }
    }

    fn remove(&mut self, kind: Kind, name: &str) {
        self.remove_from(kind, "default", name);
    }

    fn remove_from(&mut self, kind: Kind, namespace: &str, name: &str) {
        let name = ObjectName::new(namespace, name);
        self.resources.remove(kind, &name);
        self.translator.remove(kind, &name);
    }

    /// Translates, and compares with a translation from nothing.
    fn translate(&mut self) -> &Translation {
        let fresh = translate(&self.resources, &Options::default());
        let kept = self.translator.translate();
        assert_eq!(kept.statuses, fresh.statuses);
        assert_eq!(kept.lookups, fresh.lookups);
        assert_eq!(kept.diagnostics, fresh.diagnostics);
        let backends = |translation: &Translation| {
            let mut all: Vec<_> =
                translation.table.backends().map(|backend| format!("{backend:?}")).collect();
            all.sort();
            all
        };
        assert_eq!(backends(kept), backends(&fresh));
        kept
    }

    fn attached_routes(&mut self, gateway: &str) -> usize {
        self.translate().statuses.gateways[&ObjectName::new("default", gateway)].listeners[0].attached_routes
    }
}

#[test]
fn a_service_is_looked_at_again_when_a_gateway_changes_with_it() {
    let route =
        http_route("route", "parentRefs: [{name: a}], rules: [{backendRefs: [{name: shop, port: 80}]}]");
    let mut edited = Edited::new(&[&gateway("a", "", LISTENER), &route]);
    assert_eq!(edited.translate().table.backends().count(), 0);
    edited.insert(&service("shop", 80));
    edited.insert(&gateway("a", "", "{name: http, port: 80, protocol: HTTP, hostname: a.example}"));
    assert_eq!(edited.translate().table.backends().count(), 1);
}

#[test]
fn gateways_that_change_places_by_age_keep_their_routes() {
    let created = |year: u16| format!(", creationTimestamp: '{year}-01-01T00:00:00Z'");
    let route = http_route("route", "parentRefs: [{name: a}], rules: [{}]");
    let mut edited = Edited::new(&[
        &gateway("a", &created(2025), LISTENER),
        &gateway("b", &created(2024), LISTENER),
        &route,
    ]);
    edited.insert(&gateway("b", &created(2026), LISTENER));
    assert_eq!((edited.attached_routes("a"), edited.attached_routes("b")), (1, 0));
    edited.insert(&http_route("route", "parentRefs: [{name: b}], rules: [{}]"));
    assert_eq!((edited.attached_routes("a"), edited.attached_routes("b")), (0, 1));
}

#[test]
fn a_service_that_loses_its_port_and_gets_it_back_serves_all_its_routes() {
    let route =
        |name| http_route(name, "parentRefs: [{name: a}], rules: [{backendRefs: [{name: shop, port: 80}]}]");
    let mut edited =
        Edited::new(&[&gateway("a", "", LISTENER), &route("one"), &route("two"), &service("shop", 80)]);
    for (port, backends) in [(80, 1), (81, 0), (80, 1), (81, 0)] {
        edited.insert(&service("shop", port));
        assert_eq!(edited.translate().table.backends().count(), backends);
    }
    edited.insert(&service("shop", 80));
    edited.remove(Kind::HttpRoute, "one");
    assert_eq!(edited.translate().table.backends().count(), 1, "the other refers to it");
    edited.remove(Kind::HttpRoute, "two");
    assert_eq!(edited.translate().table.backends().count(), 0);
}

#[test]
fn endpoints_move_with_their_slice_to_another_service() {
    let slice = |service: &str| {
        format!(
            "{{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {{name: slice, labels: \
             {{kubernetes.io/service-name: {service}}}}}, addressType: IPv4, ports: [{{port: 8080}}], \
             endpoints: [{{addresses: [10.0.0.1]}}]}}"
        )
    };
    let to = |name| format!("rules: [{{backendRefs: [{{name: {name}, port: 80}}]}}]");
    let route = |name| http_route(name, &format!("parentRefs: [{{name: a}}], {}", to(name)));
    let mut edited = Edited::new(&[
        &gateway("a", "", LISTENER),
        &route("one"),
        &route("two"),
        &service("one", 80),
        &service("two", 80),
    ]);
    for owner in ["one", "two", "one"] {
        edited.insert(&slice(owner));
        for backend in edited.translate().table.backends() {
            assert_eq!(
                !backend.endpoints.is_empty(),
                &*backend.service.name == owner,
                "{owner}: {backend:?}"
            );
        }
    }
}

#[test]
fn what_came_and_went_leaves_nothing_behind() {
    let mut edited = Edited::new(&[&gateway("a", "", LISTENER)]);
    let mut cycle = |i: usize| {
        let (route, to) = (format!("route-{i}"), format!("service-{i}"));
        let spec = format!(
            "parentRefs: [{{name: a}}], hostnames: [h{i}.example, '*.h{i}.example'], rules: [{{matches: [{{path: \
             {{type: RegularExpression, value: /{i}.*}}}}], backendRefs: [{{name: {to}, port: 80}}]}}]"
        );
        for yaml in [http_route(&route, &spec), service(&to, 80)] {
            read(&yaml).into_iter().for_each(|object| edited.translator.insert(object));
        }
        assert_eq!(edited.translator.translate().table.rules().count(), 1);
        for (kind, name) in [(Kind::HttpRoute, route), (Kind::Service, to)] {
            edited.translator.remove(kind, &ObjectName::new("default", name));
        }
        assert_eq!(edited.translator.translate().table.rules().count(), 0);
    };
    // Enough for every map to have the size that it keeps, and for expressions to be swept.
    (0..500).for_each(&mut cycle);
    let more = allocation_counter::measure(|| (500..1_500).for_each(&mut cycle));
    // At most what is kept of expressions between two sweeps.
    assert!(more.bytes_current < 1 << 20, "{} bytes after 1,000 cycles", more.bytes_current);
}

// VAL-ST-07, GEN-18
#[test]
fn the_expressions_of_a_namespace_have_a_bound_and_the_oldest_routes_come_first() {
    let route = |namespace: &str, name: &str, day: usize, patterns: usize| {
        let entry = |i| format!("{{path: {{type: RegularExpression, value: '/{name}{i}\\w{{15}}'}}}}");
        let rules = (0..patterns).map(|i| format!("{{matches: [{}]}}", entry(i)));
        let rules: Vec<_> = rules.collect();
        format!(
            "{{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {{namespace: {namespace}, \
             name: {name}, creationTimestamp: '2026-01-{day:02}T00:00:00Z'}}, spec: {{parentRefs: [{{namespace: default, \
             name: g}}], rules: [{}]}}}}",
            rules.join(", ")
        )
    };
    let listener = "{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}";
    // Sixteen MiB each; seven have room, and what comes then is younger.
    let of_tenant = |name: &str, day| route("tenant", name, day, 16);
    let first = ["h", "g", "f", "e", "d", "c", "b"];
    let mut edited = Edited::new(&[&gateway("g", "", listener), &route("other", "small", 20, 1)]);
    first.iter().zip(2..).for_each(|(name, day)| edited.insert(&of_tenant(name, day)));
    edited.translator.translate();
    // The Routes of which all rules are served.
    let whole = |edited: &mut Edited| -> Vec<String> {
        let routes = &edited.translate().statuses.routes;
        let whole =
            routes.iter().filter(|(_, status)| status.parents[0].conditions.iter().all(|it| it.status));
        whole.map(|(key, _)| key.name.to_string()).collect()
    };
    edited.insert(&of_tenant("a", 9));
    edited.insert(&of_tenant("z", 1));
    let served = whole(&mut edited);
    assert!(served.contains(&"tenant/z".to_owned()), "the oldest, although it came last: {served:?}");
    assert!(!served.contains(&"tenant/a".to_owned()), "the youngest: {served:?}");
    assert!(served.contains(&"other/small".to_owned()), "of another namespace: {served:?}");
    let statuses = &edited.translator.translation().statuses.routes;
    let key = RouteKey::new(RouteKind::Http, ObjectName::new("tenant", "a"));
    let condition = &statuses[&key].parents[0].conditions[0];
    assert!(condition.to_string().starts_with("Accepted=False/UnsupportedValue"), "{condition}");
    assert!(
        condition.message.contains("regular expressions of this namespace take more than 127 MiB"),
        "{condition}"
    );

    edited.remove_from(Kind::HttpRoute, "tenant", "h");
    edited.remove_from(Kind::HttpRoute, "tenant", "g");
    assert_eq!(whole(&mut edited).len(), 8, "there is room again");
}

// AMB-38, GEN-18
#[test]
fn the_matches_of_a_namespace_have_a_bound_for_each_hostname_and_listener_and_the_oldest_routes_come_first() {
    let list = |count: usize, entry: &dyn Fn(usize) -> String| -> String {
        (0..count).map(entry).collect::<Vec<_>>().join(", ")
    };
    let from_all = "allowedRoutes: {namespaces: {from: All}}";
    let listeners = list(64, &|i| format!("{{name: l{i}, port: {}, protocol: HTTP, {from_all}}}", 8_000 + i));
    let route = |namespace: &str, name: &str, day: usize, hostnames: usize, section: &str| {
        let matches = list(8, &|i| format!("{{path: {{value: /{name}{i}}}}}"));
        let rules = list(16, &|_| format!("{{matches: [{matches}]}}"));
        let hostnames = list(hostnames, &|i| format!("h{i}.example"));
        format!(
            "{{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {{namespace: {namespace}, \
             name: {name}, creationTimestamp: '2026-01-{day:02}T00:00:00Z'}}, spec: {{hostnames: [{hostnames}], \
             parentRefs: [{{namespace: default, name: g{section}}}], rules: [{rules}]}}}}"
        )
    };
    // 16 hostnames by 64 listeners by 128 matches: there is room for 31 such Routes.
    let of_tenant = |i: usize| route("tenant", &format!("r{i:02}"), 31 - i / 2, 16, "");
    let mut edited = Edited::new(&[&gateway("g", "", &listeners), &route("other", "small", 31, 1, "")]);
    (0..31).for_each(|i| edited.insert(&of_tenant(i)));
    let refused = |edited: &mut Edited| -> Vec<String> {
        let routes = &edited.translate().statuses.routes;
        let refused = routes.iter().filter(|(_, status)| !status.parents[0].conditions[0].status);
        refused.map(|(key, _)| key.name.to_string()).collect()
    };
    assert_eq!(refused(&mut edited), [""; 0]);
    edited.insert(&of_tenant(40));
    assert_eq!(refused(&mut edited), ["tenant/r01"], "the youngest, and the later by name");
    let statuses = &edited.translator.translation().statuses;
    let key = RouteKey::new(RouteKind::Http, ObjectName::new("tenant", "r01"));
    let condition = &statuses.routes[&key].parents[0].conditions[0];
    assert!(condition.to_string().starts_with("Accepted=False/UnsupportedValue"), "{condition}");
    assert!(condition.message.contains("attach the Route to fewer listeners"), "{condition}");
    assert_eq!(statuses.gateways[&ObjectName::new("default", "g")].listeners[0].attached_routes, 32);

    edited.insert(&route("tenant", "r01", 31, 16, ", sectionName: l1"));
    assert_eq!(refused(&mut edited), [""; 0], "that helps");
    edited.insert(&of_tenant(1));
    assert_eq!(refused(&mut edited), ["tenant/r01"]);
    edited.remove_from(Kind::HttpRoute, "tenant", "r40");
    assert_eq!(refused(&mut edited), [""; 0], "there is room again");
}
