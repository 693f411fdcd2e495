//! Objects of different tenants: no mistake of one is another's, none is told what is not theirs, and none makes the
//! others pay.

use gateway_core::api::{AnyObject, Gateway, ListenerSet, Resources};
use gateway_core::options::Options;

use crate::fixture::{gateway, gateway_with, listener_set, translated, world};

// GEN-17, LST-12
#[test]
fn a_loser_is_not_told_who_won() {
    let yaml = gateway_with(
        "g",
        "{name: http, port: 80, protocol: HTTP}",
        ", allowedListeners: {namespaces: {from: All}}",
    ) + &listener_set(
        "vault",
        "secretive",
        "2026-01-01T00:00:00Z",
        "g",
        "{name: hidden, port: 443, protocol: HTTP, hostname: a.example}",
    ) + &listener_set(
        "default",
        "curious",
        "2026-02-01T00:00:00Z",
        "g",
        "{name: a, port: 443, protocol: HTTP, hostname: a.example}",
    );
    let statuses = translated(&world(&yaml), &Options::default()).statuses;
    for (key, set) in statuses.listener_sets.iter().filter(|(key, _)| &*key.name == "curious") {
        let told = format!("{set:?}");
        assert!(
            !told.contains("secretive") && !told.contains("hidden") && !told.contains("vault"),
            "{key}: {told}"
        );
    }
}

// GEN-17, LST-04
#[test]
fn a_set_that_may_not_attach_learns_nothing_about_the_gateway() {
    let https = |name: &str| {
        format!("{{name: {name}, port: 443, protocol: HTTPS, tls: {{certificateRefs: [{{name: c}}]}}}}")
    };
    let frontend = "frontend: {default: {validation: {caCertificateRefs: [{group: '', kind: ConfigMap, name: missing}]}}}";
    let set = listener_set("default", "set", "2026-01-01T00:00:00Z", "g", &https("a"));
    let outcome = |more: &str| {
        let yaml = gateway_with("g", &https("https"), more) + &set;
        let mut resources = world(&yaml);
        resources.insert(crate::fixture::certificate("default", "c"));
        translated(&resources, &Options::default()).statuses.listener_sets
    };
    assert_eq!(outcome(""), outcome(&format!(", tls: {{{frontend}}}")));
}

// GEN-05: the same resources give the same statuses, in whatever order they were read.
#[test]
fn order_of_reading_does_not_matter() {
    let yaml = gateway_with(
        "g",
        "{name: http, port: 80, protocol: HTTP}",
        ", allowedListeners: {namespaces: {from: All}}",
    ) + &gateway("h", "{name: http, port: 80, protocol: HTTP}")
        + &listener_set("other", "b", "2026-01-01T00:00:00Z", "g", "{name: a, port: 81, protocol: HTTP}")
        + &listener_set("other", "a", "2026-01-01T00:00:00Z", "g", "{name: a, port: 81, protocol: HTTP}");
    let resources = world(&yaml);
    let mut objects: Vec<AnyObject> = resources.iter().collect();
    objects.reverse();
    let backwards: Resources = objects.into_iter().collect();
    let forth = translated(&resources, &Options::default()).statuses;
    assert_eq!(forth, translated(&backwards, &Options::default()).statuses);
}

// GEN-14
#[test]
fn hostile_objects_become_conditions_and_never_a_crash() {
    let text = ["", "*", "*.", ".", "a", "ü", "192.0.2.1", "x.example"];
    let numbers = [i32::MIN, -1, 0, 80, 443, 65_535, 65_536, i32::MAX];
    let resources: Resources = (0..512usize)
        .map(|seed| {
            let pick = |salt: usize| text[(seed / (salt + 1) + salt * 3) % text.len()];
            let port = numbers[seed % numbers.len()];
            let protocol = ["HTTP", "HTTPS", "TLS", "TCP", "UDP", ""][seed % 6];
            let listener = format!(
                r#"{{"name": "{}", "port": {port}, "protocol": "{protocol}", "hostname": "{}", "tls": {{"mode": "{}", "certificateRefs": [{{"name": "{}"}}]}}}}"#,
                pick(1), pick(2), ["Terminate", "Passthrough", "Maybe"][seed % 3], pick(3)
            );
            if seed % 2 == 0 {
                let gateway = format!(
                    r#"{{"metadata": {{"name": "g{seed}", "namespace": "default"}}, "spec": {{"gatewayClassName": "ours", "listeners": [{listener}, {listener}],
                        "addresses": [{{"type": "{}", "value": "{}"}}], "tls": {{"frontend": {{"default": {{"validation": {{"caCertificateRefs": [], "mode": "{}"}}}}}}}}}}}}"#,
                    pick(4), pick(5), pick(6)
                );
                serde_json::from_str::<Gateway>(&gateway).unwrap().into()
            } else {
                let set = format!(
                    r#"{{"metadata": {{"name": "s{seed}", "namespace": "default"}}, "spec": {{"parentRef": {{"name": "g{}"}}, "listeners": [{listener}]}}}}"#,
                    seed - 1
                );
                AnyObject::from(serde_json::from_str::<ListenerSet>(&set).unwrap())
            }
        })
        .collect();
    let mut all = world("");
    all.extend(resources.iter());
    let translation = gateway_core::translate::translate(&all, &Options::default());
    assert!(!translation.diagnostics.is_empty());
}

// Compared pair by pair, so many would take minutes here.
#[test]
fn thousands_of_listeners_share_a_port() {
    let allowed = ", allowedListeners: {namespaces: {from: All}}";
    let mut yaml = gateway_with("g", "{name: http, port: 80, protocol: HTTP}", allowed);
    for set in 0..160 {
        let https = |index| {
            format!(
                "{{name: l{index}, port: 443, protocol: HTTPS, hostname: h{index}.s{set}.example.com, \
                   tls: {{certificateRefs: [{{name: c}}]}}}}"
            )
        };
        let listeners: Vec<_> = (0..64).map(https).collect();
        yaml +=
            &listener_set("default", &format!("s{set}"), "2026-01-01T00:00:00Z", "g", &listeners.join(", "));
    }
    let mut resources = world(&yaml);
    resources.insert(crate::fixture::certificate("default", "c"));
    let table = translated(&resources, &Options::default()).table;
    assert_eq!(table.listeners().count(), 64 * 160 + 1);
}
