//! Hosts, the listener that each belongs to, and the routes there: from manifests to decisions.

use std::collections::BTreeMap;

use gateway_core::hostname::Host;
use gateway_core::matching::RequestHead;
use gateway_core::name::{ObjectName, RouteKey, RouteKind};
use gateway_core::options::Options;
use gateway_core::table::{FrontendOwner, Transport};
use gateway_core::translate::Translation;

use crate::fixture::{
    certificate, conditions_of_route, gateway, gateway_with, listener_set, text, translated, world,
};

/// A route with these parents and hostnames (in flow style) that takes `/NAME`.
fn route(name: &str, parents: &str, hostnames: &str) -> String {
    format!(
        "
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: {name}}}
spec: {{parentRefs: [{parents}], hostnames: [{hostnames}], rules: [{{matches: [{{path: {{value: /{name}}}}}]}}]}}
"
    )
}

fn listeners(listeners: &[(&str, &str)]) -> String {
    let http = |(name, hostname): &(&str, &str)| {
        let hostname = if hostname.is_empty() { String::new() } else { format!(", hostname: '{hostname}'") };
        format!("{{name: {name}, port: 80, protocol: HTTP{hostname}}}")
    };
    listeners.iter().map(http).collect::<Vec<_>>().join(", ")
}

/// The answer to `GET http://host/path` on a port of Gateway `default/g`: 200 when some rule serves it.
fn answer(translation: &Translation, port: u16, server_name: Option<&str>, url: &str) -> u16 {
    let table = &translation.table;
    let port = table
        .frontend(FrontendOwner::Gateway(&ObjectName::new("default", "g")), Transport::Tcp, port)
        .expect("it is served");
    let request = http::Request::get(format!("http://{url}")).body(()).unwrap();
    let head = RequestHead::new(request.method(), request.uri(), request.headers()).unwrap();
    let server_name = server_name.map(|name| Host::from_name(name).unwrap());
    table.find(port, server_name.as_ref(), &head).map_or_else(|no_match| no_match.status().as_u16(), |_| 200)
}

// HST-02, HST-07, HST-08, HST-10, HST-15
#[test]
fn a_host_belongs_to_the_listener_that_names_it_best() {
    let names =
        [("one", "bar.com"), ("two", "foo.bar.com"), ("three", "'*.bar.com'"), ("four", "'*.foo.com'")];
    let names = names.map(|(name, hostname)| (name, hostname.trim_matches('\'')));
    let routes = names.map(|(name, _)| route(name, &format!("{{name: g, sectionName: {name}}}"), ""));
    let translation =
        translated(&world(&(gateway("g", &listeners(&names)) + &routes.concat())), &Options::default());
    for (host, listener) in [
        ("bar.com", Some("one")),
        ("foo.bar.com", Some("two")),
        ("foo.bar.com:8080", Some("two")),
        ("FOO.bar.com", Some("two")),
        ("baz.bar.com", Some("three")),
        ("boo.bar.com", Some("three")),
        ("multiple.prefixes.bar.com", Some("three")),
        ("multiple.prefixes.foo.com", Some("four")),
        ("foo.com", None),
        ("no.matching.host", None),
    ] {
        for (name, _) in names {
            let expected = if listener == Some(name) { 200 } else { 404 };
            assert_eq!(answer(&translation, 80, None, &format!("{host}/{name}")), expected, "{host}/{name}");
        }
    }
}

// HST-03, HST-04, HST-05, HST-06, HST-07, RTE-07
#[test]
fn a_route_serves_the_hosts_that_it_has_in_common_with_a_listener() {
    let names = [("a", "very.specific.com"), ("b", "*.wildcard.io"), ("c", "*.anotherwildcard.io")];
    let yaml = gateway("g", &listeners(&names))
        + &route("s1", "{name: g}", "non.matching.com, '*.nonmatchingwildcard.io', very.specific.com")
        + &route(
            "s2",
            "{name: g}",
            "non.matching.com, wildcard.io, foo.wildcard.io, bar.wildcard.io, foo.bar.wildcard.io",
        )
        + &route("s3", "{name: g}", "non.matching.com, '*.specific.com'")
        + &route("s4", "{name: g}", "'*.anotherwildcard.io'")
        + &route("s5", "{name: g}", "specific.but.wrong.com, wildcard.io")
        + &gateway("h", "{name: all, port: 80, protocol: HTTP}");
    let translation = translated(&world(&yaml), &Options::default());
    let served: BTreeMap<_, &[_]> = BTreeMap::from([
        ("s1", &["very.specific.com", "very.specific.com:1234"][..]),
        ("s2", &["foo.wildcard.io", "bar.wildcard.io", "foo.bar.wildcard.io"]),
        ("s3", &["very.specific.com", "very.specific.com:1234"]),
        ("s4", &["foo.anotherwildcard.io", "bar.anotherwildcard.io", "foo.bar.anotherwildcard.io"]),
        ("s5", &[]),
    ]);
    let refused = [
        "non.matching.com",
        "foo.nonmatchingwildcard.io",
        "foo.specific.com",
        "wildcard.io",
        "anotherwildcard.io",
        "specific.but.wrong.com",
    ];
    for (route, hosts) in &served {
        for host in served.values().flat_map(|hosts| hosts.iter()).chain(&refused) {
            let expected = if hosts.contains(host) { 200 } else { 404 };
            assert_eq!(
                answer(&translation, 80, None, &format!("{host}/{route}")),
                expected,
                "{host}/{route}"
            );
        }
    }
    assert_eq!(conditions_of_route(&translation, "s4"), [": ok"]);
    assert_eq!(conditions_of_route(&translation, "s5"), [": Accepted=False/NoMatchingListenerHostname"]);
}

// HST-11, HST-12, AMB-41
#[test]
fn only_the_routes_of_the_best_listener_are_looked_at() {
    let names = [
        ("none", ""),
        ("wide", "*.example.com"),
        ("narrow", "*.foo.example.com"),
        ("exact", "abc.foo.example.com"),
    ];
    let hosts = ["bar.com", "bar.example.com", "bar.foo.example.com", "abc.foo.example.com"];
    let every_hostname = "bar.com, '*.example.com', '*.foo.example.com', abc.foo.example.com";
    for hostnames in ["", every_hostname] {
        let routes =
            names.map(|(name, _)| route(name, &format!("{{name: g, sectionName: {name}}}"), hostnames));
        let yaml = gateway("g", &listeners(&names)) + &routes.concat();
        let translation = translated(&world(&yaml), &Options::default());
        for (owner, host) in hosts.iter().enumerate() {
            for (index, (name, _)) in names.iter().enumerate() {
                let expected = if owner == index { 200 } else { 404 };
                assert_eq!(
                    answer(&translation, 80, None, &format!("{host}/{name}")),
                    expected,
                    "{host}/{name}"
                );
            }
        }
    }
}

// HST-09, HST-20, HST-21, AMB-42
#[test]
fn a_request_on_the_connection_of_another_listener_is_misdirected() {
    let https = |name: &str, hostname: &str| {
        format!(
            "{{name: {name}, port: 443, protocol: HTTPS{hostname}, tls: {{certificateRefs: [{{name: cert}}]}}}}"
        )
    };
    let listeners = [
        https("unset", ""),
        https("second", ", hostname: second-example.org"),
        https("wild", ", hostname: '*.wildcard.org'"),
        https("fourth", ", hostname: fourth-example.wildcard.org"),
    ];
    let yaml = gateway("g", &listeners.join(", "))
        + &route(
            "r",
            "{name: g}",
            "example.org, second-example.org, '*.wildcard.org', fourth-example.wildcard.org",
        );
    let mut resources = world(&yaml);
    resources.insert(certificate("default", "cert"));
    let translation = translated(&resources, &Options::default());
    let (second, third) = ("second-example.org", "third-example.wildcard.org");
    let (fourth, fifth, unknown) =
        ("fourth-example.wildcard.org", "fifth-example.wildcard.org", "unknown-example.org");
    for (server_name, host, expected) in [
        ("example.org", "example.org", 200),
        ("example.org", second, 421),
        ("example.org", unknown, 404),
        (second, second, 200),
        (second, "example.org", 421),
        (second, unknown, 421),
        (third, third, 200),
        (third, fifth, 200),
        (third, fourth, 421),
        (third, second, 421),
        (third, unknown, 421),
        (fourth, fourth, 200),
        (fourth, fifth, 421),
        (unknown, "example.org", 200),
        (unknown, unknown, 404),
    ] {
        let found = answer(&translation, 443, Some(server_name), &format!("{host}/r"));
        assert_eq!(found, expected, "connected to {server_name}, asks for {host}");
    }
    // HST-22: a client that names no server is at the listener without hostname.
    assert_eq!(answer(&translation, 443, None, "example.org/r"), 200);
}

// HST-13, RTE-03, RTE-33
#[test]
fn ports_are_apart() {
    let listener = |name: &str, port: u16, host: &str| {
        format!("{{name: {name}, port: {port}, protocol: HTTP, hostname: {host}}}")
    };
    let listeners = [
        listener("one", 80, "foo.com"),
        listener("two", 8080, "foo.com"),
        listener("three", 8080, "bar.com"),
        listener("four", 8090, "foo.com"),
        listener("five", 8090, "bar.com"),
    ];
    let yaml = gateway("g", &listeners.join(", "))
        + &route("a", "{name: g, port: 80}", "")
        + &route("b", "{name: g, port: 8080}", "")
        + &route("c", "{name: g, port: 8090, sectionName: four}", "");
    let translation = translated(&world(&yaml), &Options::default());
    let served =
        [("a", 80, "foo.com"), ("b", 8080, "foo.com"), ("b", 8080, "bar.com"), ("c", 8090, "foo.com")];
    for route in ["a", "b", "c"] {
        for port in [80, 8080, 8090] {
            for host in ["foo.com", "bar.com"] {
                let expected = if served.contains(&(route, port, host)) { 200 } else { 404 };
                let found = answer(&translation, port, None, &format!("{host}:{port}/{route}"));
                assert_eq!(found, expected, "{host}:{port}/{route}");
            }
        }
    }
}

// LST-16, LST-17, LST-18, LST-19, LST-20, HST-18
#[test]
fn a_parent_means_its_own_listeners_and_no_others() {
    let http = |name: &str| format!("{{name: {name}, port: 80, protocol: HTTP, hostname: {name}.com}}");
    let set = |name: &str| {
        let pair = [http(&format!("{name}-1")), http(&format!("{name}-2"))];
        listener_set("default", name, "2026-01-01T00:00:00Z", "g", &pair.join(", "))
    };
    let of_set = |rest: &str| format!("{{kind: ListenerSet, name: {rest}}}");
    let allowed = ", allowedListeners: {namespaces: {from: Same}}";
    let yaml = gateway_with("g", &[http("g-1"), http("g-2")].join(", "), allowed)
        + &set("s")
        + &set("t")
        + &route("all", &["{name: g}".to_owned(), of_set("s"), of_set("t")].join(", "), "")
        + &route("gateway", "{name: g}", "")
        + &route("section", "{name: g, sectionName: g-1}", "")
        + &route("set", &of_set("s"), "")
        + &route("set-section", &of_set("s, sectionName: s-1"), "")
        + &route("set-port", &of_set("t, port: 80"), "")
        + &route(
            "wrong",
            &["{name: g, sectionName: s-1}".to_owned(), of_set("s, sectionName: s-1")].join(", "),
            "",
        )
        + &route("nowhere", &of_set("s, port: 81"), "");
    let translation = translated(&world(&yaml), &Options::default());
    let served: [(&str, &[&str]); 8] = [
        ("all", &["g-1", "g-2", "s-1", "s-2", "t-1", "t-2"]),
        ("gateway", &["g-1", "g-2"]),
        ("section", &["g-1"]),
        ("set", &["s-1", "s-2"]),
        ("set-section", &["s-1"]),
        ("set-port", &["t-1", "t-2"]),
        ("wrong", &["s-1"]),
        ("nowhere", &[]),
    ];
    for (route, listeners) in served {
        for listener in ["g-1", "g-2", "s-1", "s-2", "t-1", "t-2"] {
            let expected = if listeners.contains(&listener) { 200 } else { 404 };
            let found = answer(&translation, 80, None, &format!("{listener}.com/{route}"));
            assert_eq!(found, expected, "{listener}.com/{route}");
        }
    }
    assert_eq!(
        conditions_of_route(&translation, "wrong"),
        ["s-1: Accepted=False/NoMatchingParent", "s-1: ok"],
        "each reference by itself"
    );
    assert_eq!(conditions_of_route(&translation, "set"), [": ok"], "the Gateway of the set is not added");
    assert_eq!(conditions_of_route(&translation, "nowhere"), [": Accepted=False/NoMatchingParent"]);
    let expected = "
        Gateway default/g with 2: ok
          g-1 [HTTPRoute GRPCRoute] 3: ok
          g-2 [HTTPRoute GRPCRoute] 2: ok
        ListenerSet default/s: ok
          s-1 [HTTPRoute GRPCRoute] 4: ok
          s-2 [HTTPRoute GRPCRoute] 2: ok
        ListenerSet default/t: ok
          t-1 [HTTPRoute GRPCRoute] 2: ok
          t-2 [HTTPRoute GRPCRoute] 2: ok";
    let lines = |text: &str| text.trim().lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>();
    assert_eq!(lines(&text(&translation.statuses)), lines(expected));
    assert!(
        translation
            .statuses
            .routes
            .contains_key(&RouteKey::new(RouteKind::Http, ObjectName::new("default", "all")))
    );
}
