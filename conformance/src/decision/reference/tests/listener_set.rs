//! ListenerSets beside their Gateway.

use super::stream::stream;
use super::*;
use crate::decision::Transport;

const SETS: &str = "allowedListeners: {namespaces: {from: Selector, selector: {matchLabels: {team: app}}}}, \
    listeners: [{name: own, port: 80, protocol: HTTP, hostname: own.test}]";

fn set(name: &str, created: &str, listeners: &str) -> String {
    let (namespace, name) = name.split_once('/').unwrap_or(("app", name));
    format!(
        "{{apiVersion: gateway.networking.k8s.io/v1, kind: ListenerSet, \
         metadata: {{name: {name}, namespace: {namespace}, creationTimestamp: \"{created}\"}}, \
         spec: {{parentRef: {{name: gw, namespace: infra}}, listeners: [{listeners}]}}}}"
    )
}

fn of_set(name: &str, set: &str) -> String {
    let backends = "rules: [{backendRefs: [{name: one, namespace: infra, port: 80}]}]";
    route("HTTPRoute", name, &format!("parentRefs: [{{kind: ListenerSet, name: {set}}}], {backends}"))
}

const LATE: &str = "2026-01-01T00:00:01Z";

#[test]
fn a_gateway_has_the_listeners_of_the_sets_that_it_allows() {
    let a = set("a", EARLY, "{name: l, port: 80, protocol: HTTP, hostname: a.test}");
    let foreign = set("other/b", EARLY, "{name: l, port: 80, protocol: HTTP, hostname: b.test}");
    let objects = [
        &namespace("app"),
        &namespace("other"),
        &a,
        &foreign,
        &of_set("app/ra", "a"),
        &of_set("other/rb", "b"),
    ];
    let objects = objects.map(String::as_str);
    let allowed = resources(SETS, &objects);
    // LST-01, LST-03
    assert_eq!(served(&allowed, "a.test", "/", &[]), "ra");
    assert_eq!(served(&allowed, "b.test", "/", &[]), "404");
    // LST-02: who says nothing allows none.
    let silent =
        resources("listeners: [{name: own, port: 80, protocol: HTTP, hostname: own.test}]", &objects);
    assert_eq!(served(&silent, "a.test", "/", &[]), "404");
}

#[test]
fn a_parent_is_a_gateway_or_a_set_and_never_both() {
    let a = set("a", EARLY, "{name: own, port: 80, protocol: HTTP, hostname: a.test}");
    let spec = "parentRefs: [{name: gw, sectionName: own}], rules: [{backendRefs: [{name: one, port: 80}]}]";
    let objects = [&namespace("app"), &a, &of_set("app/ra", "a"), &route("HTTPRoute", "rg", spec)];
    let resources = resources(SETS, &objects.map(String::as_str));
    // LST-08, LST-16, LST-17: the listeners have the same name.
    assert_eq!(served(&resources, "own.test", "/", &[]), "rg");
    assert_eq!(served(&resources, "a.test", "/", &[]), "ra");
}

#[test]
fn the_earlier_object_has_the_place_and_within_one_nobody_has() {
    let host = |name: &str, host: &str, protocol: &str| {
        format!("{{name: {name}, port: 80, protocol: {protocol}, hostname: {host}}}")
    };
    let tcp = "{name: tcp, port: 80, protocol: TCP}";
    let taken = [host("x", "own.test", "HTTP"), host("w", "shared.test", "HTTP"), tcp.to_owned()].join(", ");
    let later = [host("x", "shared.test", "HTTP"), host("w", "later.test", "HTTP")].join(", ");
    // The older set is the last one by name.
    let sets = [set("z", EARLY, &taken), set("a", LATE, &later)];
    let objects = [&namespace("app"), &sets[0], &sets[1], &of_set("app/rz", "z"), &of_set("app/ra", "a")];
    let resources = resources(SETS, &objects.map(String::as_str));
    // LST-09: the host of the Gateway is not of the set.
    assert_eq!(served(&resources, "own.test", "/", &[]), "404");
    // LST-07: of two sets the older one has the host. LST-28: its TCP listener is out before it can disturb.
    assert_eq!(served(&resources, "shared.test", "/", &[]), "rz");
    assert_eq!(served(&resources, "later.test", "/", &[]), "ra");
    // GWL-04, GWL-08: within one object both are out.
    let both = "listeners: [{name: http, port: 80, protocol: HTTP}, {name: tcp, port: 80, protocol: TCP}]";
    let spec = "parentRefs: [{name: gw}], rules: [{backendRefs: [{name: one, port: 80}]}]";
    let routes = [route("HTTPRoute", "h", spec), route("TCPRoute", "t", spec)];
    let both = self::resources(both, &[&routes[0], &routes[1]]);
    assert_eq!(served(&both, "any.test", "/", &[]), "404");
    assert_eq!(stream(&both, 80, Transport::Tcp, None), None);
}

#[test]
fn a_gateway_that_is_not_accepted_serves_no_set() {
    let gateway = "allowedListeners: {namespaces: {from: All}}, \
        listeners: [{name: http, port: 80, protocol: HTTP}, {name: tcp, port: 80, protocol: TCP}]";
    let a = set("a", EARLY, "{name: l, port: 80, protocol: HTTP, hostname: a.test}");
    let objects = [&namespace("app"), &a, &of_set("app/ra", "a")];
    let objects = objects.map(String::as_str);
    // GWL-10, LST-05
    assert_eq!(served(&resources(gateway, &objects), "a.test", "/", &[]), "404");
    let accepted =
        gateway.replace(", {name: tcp, port: 80, protocol: TCP}", "").replace("port: 80", "port: 81");
    assert_eq!(served(&resources(&accepted, &objects), "a.test", "/", &[]), "ra");
}
