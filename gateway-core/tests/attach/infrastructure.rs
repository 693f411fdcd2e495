//! Infrastructure that is to be made for Gateways.

use std::collections::BTreeMap;

use gateway_core::feature::Feature;
use gateway_core::infrastructure::GatewayService;
use gateway_core::lint;
use gateway_core::name::ObjectName;
use gateway_core::options::{AddressPolicy, DefaultAddresses, Options};
use gateway_core::table::{Transport, Unbound, UnboundCause};

use crate::fixture::{gateway, gateway_with, listener_set, translated, world};

const HTTP: &str = "{name: http, port: 80, protocol: HTTP}";

/// Of an embedding that makes Services, and knows the addresses of Gateways.
fn options() -> Options {
    let default =
        DefaultAddresses::Shared(vec!["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()]);
    let addresses = AddressPolicy { default, ..AddressPolicy::default() };
    Options { infrastructure: true, addresses, ..Options::default() }
}

fn made(yaml: &str, options: &Options) -> BTreeMap<ObjectName, GatewayService> {
    translated(&world(yaml), options).infrastructure
}

/// The names, the ports and the addresses of all, as text.
fn text(made: &BTreeMap<ObjectName, GatewayService>) -> Vec<String> {
    let one = |service: &GatewayService| {
        let ports: Vec<_> = service.ports.iter().map(ToString::to_string).collect();
        let addresses: Vec<_> = service.addresses.iter().map(ToString::to_string).collect();
        format!("{} {} at {}", service.name, ports.join(" "), addresses.join(" "))
    };
    made.values().map(one).collect()
}

// GWA-08, GWA-09
#[test]
fn a_gateway_has_a_service_with_its_labels_and_annotations() {
    let more = ", infrastructure: {labels: {team: shop, gateway.networking.k8s.io/gateway-name: other}, \
                annotations: {example.com/a: b}}";
    let made = made(&gateway_with("web", HTTP, more), &options());
    assert_eq!(text(&made), ["default/web-ours 80/TCP at 192.0.2.1 2001:db8::1"]);
    let service = &made[&ObjectName::new("default", "web")];
    let pairs = |all: &BTreeMap<String, String>| {
        all.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>()
    };
    assert_eq!(
        pairs(&service.labels),
        [
            "gateway.networking.k8s.io/gateway-class-name=ours",
            "gateway.networking.k8s.io/gateway-name=web",
            "team=shop"
        ]
    );
    assert_eq!(pairs(&service.annotations), ["example.com/a=b"]);
}

// GWA-08
#[test]
fn nothing_is_made_where_nobody_makes_it_or_addresses_are_not_known() {
    let world = world(&gateway_with("web", HTTP, ", infrastructure: {labels: {a: b}}"));
    let everywhere = AddressPolicy {
        default: DefaultAddresses::Shared(vec!["::".parse().unwrap()]),
        ..AddressPolicy::default()
    };
    for (name, options, is_made) in [
        ("known", options(), true),
        ("not made", Options { infrastructure: false, ..options() }, false),
        ("known elsewhere", Options { addresses: AddressPolicy::default(), ..options() }, false),
        ("every address", Options { addresses: everywhere, ..options() }, false),
    ] {
        let translation = translated(&world, &options);
        assert_eq!(translation.infrastructure.len(), usize::from(is_made), "{name}");
        let class = &translation.statuses.gateway_classes[&ObjectName::cluster("ours")];
        assert_eq!(class.supported_features.contains(&Feature::GatewayInfrastructure), is_made, "{name}");
        let said = lint::unserved(&world, &translation.statuses, &options);
        let said = said.iter().any(|said| said.finding.field == "spec.infrastructure.labels");
        assert_eq!(said, !is_made, "{name}");
    }
}

// GWA-09
#[test]
fn the_ports_are_those_that_are_served_with_those_of_listener_sets() {
    let listeners =
        format!("{HTTP}, {{name: dns, port: 53, protocol: UDP}}, {{name: bad, port: 81, protocol: NONE}}");
    let more = ", allowedListeners: {namespaces: {from: Same}}";
    let set = listener_set(
        "default",
        "more",
        "2026-01-01T00:00:00Z",
        "web",
        "{name: tcp, port: 53, protocol: TCP}",
    );
    let yaml = gateway_with("web", &listeners, more) + &set;
    assert_eq!(
        text(&made(&yaml, &options())),
        ["default/web-ours 53/TCP 53/UDP 80/TCP at 192.0.2.1 2001:db8::1"]
    );

    let unbound = |cause| Unbound {
        gateway: ObjectName::new("default", "web"),
        transport: Transport::Tcp,
        port: 80,
        address: "192.0.2.1".parse().unwrap(),
        cause,
        message: "no".to_owned(),
    };
    let mut options = options();
    options.addresses.unbound = vec![unbound(UnboundCause::Address)];
    assert_eq!(
        text(&made(&gateway("web", HTTP), &options)),
        ["default/web-ours 80/TCP at 2001:db8::1"],
        "an address that the machine does not have leads nowhere"
    );
}

// GWA-09
#[test]
fn addresses_that_no_slice_may_have_are_left_out() {
    let local = ["127.0.0.1", "::1", "169.254.1.1", "fe80::1", "192.0.2.7"].map(|ip| ip.parse().unwrap());
    let addresses =
        AddressPolicy { default: DefaultAddresses::Shared(local.into()), ..AddressPolicy::default() };
    let made = made(&gateway("web", HTTP), &Options { addresses, ..options() });
    assert_eq!(text(&made), ["default/web-ours 80/TCP at 192.0.2.7"]);
}

// GWA-09
#[test]
fn the_names_of_services_are_distinct_and_those_of_services() {
    let long = "a".repeat(60);
    let yaml = ["web", "1st", "a.b", &long, &"b".repeat(64)].map(|name| gateway(name, HTTP)).concat();
    let made = made(&yaml, &options());
    let names: Vec<_> = made.values().map(|service| service.name.name.to_string()).collect();
    assert_eq!(names.len(), 4, "a name that no label can have has none: {names:?}");
    for (start, name) in ["g-1st-ours-", "a-b-ours-", &long[..46], "web-ours"].iter().zip(&names) {
        assert!(name.starts_with(start) && name.len() <= 63, "{name}");
    }

    // a-b of class ours, and a of class b-ours.
    let class = "---\n{apiVersion: gateway.networking.k8s.io/v1, kind: GatewayClass, metadata: {name: b-ours}, \
                 spec: {controllerName: gateway-api.rs/controller}}\n";
    let other = gateway("a", HTTP).replace("gatewayClassName: ours", "gatewayClassName: b-ours");
    let made = self::made(&(gateway("a-b", HTTP) + &other + class), &options());
    let names: Vec<_> = made.values().map(|service| service.name.name.to_string()).collect();
    assert!(names[0] == "a-b-ours" && names[1].starts_with("a-b-ours-"), "{names:?}");
}
