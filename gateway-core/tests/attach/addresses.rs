//! Addresses of Gateways, and Gateways that share one.

use gateway_core::feature::Feature;
use gateway_core::name::ObjectName;
use gateway_core::options::{AddressPolicy, DefaultAddresses, Options, UsableAddresses};
use gateway_core::table::{Transport, Unbound, UnboundCause};

use crate::fixture::{expect_with, gateway, gateway_with, listener_set, translated, world};

fn ip(text: &str) -> std::net::IpAddr {
    text.parse().unwrap()
}

/// May use 192.0.2.1 and 192.0.2.2, and has 192.0.2.9 for those who do not ask.
fn policy() -> AddressPolicy {
    AddressPolicy {
        default: DefaultAddresses::Shared(vec![ip("192.0.2.9")]),
        usable: UsableAddresses::Only([ip("192.0.2.1"), ip("192.0.2.2")].into()),
        ..AddressPolicy::default()
    }
}

#[track_caller]
fn expect(name: &str, addresses: AddressPolicy, wanted: &str, of_gateway: &str, of_listener: &str) {
    let more = if wanted.is_empty() { String::new() } else { format!(", addresses: [{wanted}]") };
    let yaml = gateway_with("g", "{name: http, port: 8080, protocol: HTTP}", &more);
    let options = Options { addresses, ..Options::default() };
    let expected = format!("Gateway default/g{of_gateway}\nhttp [HTTPRoute GRPCRoute]{of_listener}");
    expect_with(name, &world(&yaml), &options, &expected);
}

// GWA-01, GWA-02, GWA-03, GWA-06, GWL-16, CND-16, CND-24, CON-18
#[test]
fn a_gateway_has_the_usable_ones_of_the_addresses_it_asks_for() {
    expect("asks for none", policy(), "", " at 192.0.2.9: ok", ": ok");
    expect("asks for one", policy(), "{value: 192.0.2.1}", " at 192.0.2.1: ok", ": ok");
    expect(
        "asks for two",
        policy(),
        "{value: 192.0.2.2}, {value: 192.0.2.1}",
        " at 192.0.2.2 192.0.2.1: ok",
        ": ok",
    );
    expect("IPv6", AddressPolicy::default(), "{value: '2001:db8::1'}", " at 2001:db8::1: ok", ": ok");
    for unsupported in ["test/fake-invalid-type", "NamedAddress", "Hostname"] {
        expect(
            "one type that is not supported refuses the Gateway",
            policy(),
            &format!("{{type: {unsupported}, value: fake}}, {{value: 192.0.2.254}}, {{value: 192.0.2.1}}"),
            " at 192.0.2.1: Accepted=False/UnsupportedAddress Programmed=False/Invalid \
             AddressesAssigned=False/PartiallyAssigned",
            ": Programmed=False/Pending",
        );
    }
    expect(
        "one value that cannot be used is reported, and the others serve",
        policy(),
        "{value: 192.0.2.254}, {value: 192.0.2.1}",
        " at 192.0.2.1: Programmed=False/AddressNotUsable AddressesAssigned=False/PartiallyAssigned",
        ": ok",
    );
    expect(
        "none that can be used",
        policy(),
        "{value: 192.0.2.254}",
        ": Programmed=False/AddressNotUsable AddressesAssigned=False/NotAssigned",
        ": Programmed=False/Pending",
    );
    let hostnames = || AddressPolicy { hostnames: ["gw.example".to_owned()].into(), ..policy() };
    expect("a host name", hostnames(), "{type: Hostname, value: gw.example}", " at gw.example: ok", ": ok");
    expect(
        "another host name",
        hostnames(),
        "{type: Hostname, value: other.example}",
        ": Programmed=False/AddressNotUsable AddressesAssigned=False/NotAssigned",
        ": Programmed=False/Pending",
    );
}

// GWA-04, GWA-05, CND-23
#[test]
fn a_gateway_without_an_assigned_address_waits() {
    let assigned = |addresses: Vec<_>| AddressPolicy {
        assigned: [(ObjectName::new("default", "g"), addresses)].into(),
        ..policy()
    };
    let waits = ": Programmed=False/AddressNotAssigned";
    expect("assigned", assigned(vec![ip("192.0.2.7")]), "", " at 192.0.2.7: ok", ": ok");
    expect(
        "no value means any",
        assigned(vec![ip("192.0.2.7")]),
        "{type: IPAddress}",
        " at 192.0.2.7: ok",
        ": ok",
    );
    expect("nothing left", assigned(Vec::new()), "", waits, ": Programmed=False/Pending");
    let nothing = AddressPolicy { default: DefaultAddresses::Shared(Vec::new()), ..policy() };
    expect("nothing at all", nothing, "", waits, ": Programmed=False/Pending");
    let hostnames = AddressPolicy { hostnames: ["gw.example".to_owned()].into(), ..policy() };
    let none = &format!("{waits} AddressesAssigned=False/NotAssigned");
    expect("host names are not assigned", hostnames, "{type: Hostname}", none, ": Programmed=False/Pending");
    expect("nothing left to ask for", assigned(Vec::new()), "{}", none, ": Programmed=False/Pending");
    expect("addresses known elsewhere", AddressPolicy::default(), "", ": ok", ": ok");
}

// ADR-01, ADR-02, ADR-04, ADR-05: what must be reachable from somewhere in particular is not assigned, and nothing else takes its
// place.
#[test]
fn an_address_with_a_routability_that_is_not_known_is_not_assigned() {
    const NONE: &str = ": Programmed=False/AddressNotAssigned AddressesAssigned=False/NotAssigned";
    const SOME: &str =
        " at 192.0.2.1: Programmed=False/AddressNotAssigned AddressesAssigned=False/PartiallyAssigned";
    const PENDING: &str = ": Programmed=False/Pending";
    for scope in ["Cluster", "example.com/private", "testing.x-k8s.io/other"] {
        expect(scope, policy(), &format!("{{routability: {scope}}}"), NONE, PENDING);
        expect(scope, policy(), &format!("{{value: 192.0.2.1, routability: {scope}}}"), NONE, PENDING);
        let beside = format!("{{value: 192.0.2.1}}, {{routability: {scope}}}");
        expect("the others are", policy(), &beside, SOME, ": ok");
    }
    expect(
        "empty is no requirement",
        policy(),
        "{value: 192.0.2.1, routability: ''}",
        " at 192.0.2.1: ok",
        ": ok",
    );
    const SENTINEL: &str = "{routability: testing.x-k8s.io/sentinel}";
    expect(
        "one that promises nothing",
        policy(),
        SENTINEL,
        " at 192.0.2.9 (testing.x-k8s.io/sentinel): ok",
        ": ok",
    );
    let elsewhere = AddressPolicy { default: DefaultAddresses::Virtual, ..policy() };
    expect("nothing can be said of addresses that are not known", elsewhere, SENTINEL, NONE, PENDING);

    let more = ", addresses: [{routability: Cluster}, {value: 192.0.2.1}]";
    let yaml = gateway_with("g", "{name: http, port: 8080, protocol: HTTP}", more);
    let translation = translated(&world(&yaml), &Options { addresses: policy(), ..Options::default() });
    let conditions = &translation.statuses.gateways[&ObjectName::new("default", "g")].conditions;
    let messages: Vec<_> = conditions.iter().map(|condition| condition.message.as_str()).collect();
    assert!(messages[1].contains("spec.addresses[0].routability \"Cluster\""), "{messages:?}");
    assert!(messages[3].contains("spec.addresses[0];"), "{messages:?}");
}

// ADR-03: each entry has an address of its own, and those that are named are not given to others.
#[test]
fn entries_have_distinct_addresses() {
    let two = || AddressPolicy {
        default: DefaultAddresses::Shared(vec![ip("192.0.2.8"), ip("192.0.2.9")]),
        usable: UsableAddresses::Any,
        ..AddressPolicy::default()
    };
    expect("none asked for", two(), "", " at 192.0.2.8 192.0.2.9: ok", ": ok");
    expect("one", two(), "{}", " at 192.0.2.8: ok", ": ok");
    expect("two", two(), "{}, {}", " at 192.0.2.8 192.0.2.9: ok", ": ok");
    expect("one that is named", two(), "{}, {value: 192.0.2.8}", " at 192.0.2.8 192.0.2.9: ok", ": ok");
    expect(
        "more than there are",
        two(),
        "{}, {routability: testing.x-k8s.io/sentinel}, {}",
        " at 192.0.2.8 192.0.2.9 (testing.x-k8s.io/sentinel): Programmed=False/AddressNotAssigned \
         AddressesAssigned=False/PartiallyAssigned",
        ": ok",
    );
}

// ADR-02, ADR-03, ADR-05
#[test]
fn a_cluster_ip_is_shown_and_what_stands_behind_it_is_bound() {
    let gateway = ObjectName::new("default", "g");
    let options = |known: &[&str]| {
        let known = known.iter().map(|address| ip(address)).collect();
        let cluster = Some([(gateway.clone(), known)].into());
        Options {
            infrastructure: true,
            addresses: AddressPolicy { cluster, ..policy() },
            ..Options::default()
        }
    };
    let check =
        |name: &str, known: &[&str], wanted: &str, expected: &str, bound: &[&str], behind: &[&str]| {
            let more = format!(", addresses: [{wanted}]");
            let resources = world(&gateway_with("g", "{name: http, port: 8080, protocol: HTTP}", &more));
            let options = options(known);
            let translation = translated(&resources, &options);
            let served = if bound.is_empty() { ": Programmed=False/Pending" } else { ": ok" };
            let expected = format!("Gateway default/g{expected}\nhttp [HTTPRoute GRPCRoute]{served}");
            expect_with(name, &resources, &options, &expected);
            let all = |all: &[std::net::IpAddr]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
            assert_eq!(all(translation.table.addresses(&gateway).unwrap_or_default()), bound, "{name}");
            let made = &translation.infrastructure[&gateway];
            assert_eq!(all(&made.addresses), behind, "{name}");
            assert_eq!(made.ports.len(), 1, "{name}: or there will never be a cluster IP");
            made.cluster_ip
        };
    const CLUSTER: &str = "{routability: Cluster}";
    let waits = ": Programmed=False/AddressNotAssigned AddressesAssigned=False/NotAssigned";
    check("not known yet", &[], CLUSTER, waits, &[], &[]);
    let alone = " at 10.96.0.7 (Cluster): ok";
    check("alone", &["10.96.0.7"], CLUSTER, alone, &["192.0.2.9"], &["192.0.2.9"]);
    let both = " at 192.0.2.1 10.96.0.7 (Cluster): ok";
    let wanted = format!("{CLUSTER}, {{value: 192.0.2.1}}");
    check("beside another", &["10.96.0.7"], &wanted, both, &["192.0.2.1"], &["192.0.2.1"]);
    let two = " at 10.96.0.7 (Cluster) fd00::7 (Cluster): ok";
    let wanted = format!("{CLUSTER}, {CLUSTER}");
    check("of both families", &["10.96.0.7", "fd00::7"], &wanted, two, &["192.0.2.9"], &["192.0.2.9"]);
    let partial = " at 10.96.0.7 (Cluster): Programmed=False/AddressNotAssigned AddressesAssigned=False/PartiallyAssigned";
    check("one too many", &["10.96.0.7"], &wanted, partial, &["192.0.2.9"], &["192.0.2.9"]);

    let named = "{value: 10.96.0.9, routability: Cluster}";
    let asked = check("by value, not made yet", &[], named, waits, &[], &[]);
    assert_eq!(asked, Some(ip("10.96.0.9")));
    check("by value", &["10.96.0.9"], named, " at 10.96.0.9 (Cluster): ok", &["192.0.2.9"], &["192.0.2.9"]);
    check("by another value", &["10.96.0.7"], named, waits, &[], &[]);
    let class =
        translated(&world(""), &options(&[])).statuses.gateway_classes[&ObjectName::cluster("ours")].clone();
    assert!(class.supported_features.contains(&Feature::GatewayAddressRoutabilityCluster));
}

// ADR-05: the feature is published with the others that it needs, or not at all.
#[test]
fn cluster_ips_are_a_feature_where_services_are_made() {
    let known = || AddressPolicy { cluster: Some([].into()), ..policy() };
    let base = || Options { infrastructure: true, addresses: known(), ..Options::default() };
    let mut without = base();
    without.features.remove(&Feature::GatewayAddressRoutability);
    let everywhere = AddressPolicy { default: DefaultAddresses::Shared(vec![ip("0.0.0.0")]), ..known() };
    for (name, options, expected) in [
        ("all", base(), (true, true)),
        ("nobody makes Services", Options { infrastructure: false, ..base() }, (true, false)),
        ("no cluster IPs", Options { addresses: policy(), ..base() }, (true, false)),
        ("not without the other", without, (false, false)),
        ("every address", Options { addresses: everywhere, ..base() }, (false, false)),
    ] {
        let statuses = translated(&world(""), &options).statuses;
        let published = &statuses.gateway_classes[&ObjectName::cluster("ours")].supported_features;
        let has = |feature| published.contains(&feature);
        let found = (has(Feature::GatewayAddressRoutability), has(Feature::GatewayAddressRoutabilityCluster));
        assert_eq!(found, expected, "{name}");
    }
}

/// A Gateway with this age.
fn aged(name: &str, created: &str, listeners: &str) -> String {
    gateway(name, listeners)
        .replace(&format!("name: {name}}}"), &format!("name: {name}, creationTimestamp: '{created}'}}"))
}

// GEN-18, GWL-13, GWL-16, CND-41, CND-52
#[test]
fn of_gateways_with_one_address_the_oldest_has_the_port() {
    let http = "{name: a, port: 80, protocol: HTTP}";
    let mut yaml =
        aged("young", "2026-01-02T00:00:00Z", &format!("{http}, {{name: b, port: 81, protocol: HTTP}}"));
    yaml += &aged("old", "2026-01-01T00:00:00Z", http);
    let expected = "Gateway default/old at 192.0.2.9: ok
                      a [HTTPRoute GRPCRoute]: ok
                    Gateway default/young at 192.0.2.9: Accepted=True/ListenersNotValid
                      a [HTTPRoute GRPCRoute]: Accepted=False/PortUnavailable Programmed=False/Invalid
                      b [HTTPRoute GRPCRoute]: ok";
    let options = Options { addresses: policy(), ..Options::default() };
    expect_with("the older one", &world(&yaml), &options, expected);

    let same_age = yaml.replace("2026-01-02", "2026-01-01");
    expect_with("of the same age, the name decides", &world(&same_age), &options, expected);

    let apart = Options { addresses: AddressPolicy::default(), ..Options::default() };
    expect_with(
        "with addresses of their own they never meet",
        &world(&yaml),
        &apart,
        "Gateway default/old: ok
           a [HTTPRoute GRPCRoute]: ok
         Gateway default/young: ok
           a [HTTPRoute GRPCRoute]: ok
           b [HTTPRoute GRPCRoute]: ok",
    );

    let udp = Options {
        addresses: policy(),
        ..crate::fixture::with_features(&[gateway_core::feature::Feature::UdpRoute])
    };
    let yaml =
        aged("old", "2026-01-01T00:00:00Z", http) + &gateway("young", "{name: u, port: 80, protocol: UDP}");
    expect_with(
        "UDP has ports of its own",
        &world(&yaml),
        &udp,
        "Gateway default/old at 192.0.2.9: ok
           a [HTTPRoute GRPCRoute]: ok
         Gateway default/young at 192.0.2.9: ok
           u [UDPRoute]: ok",
    );
}

#[test]
fn only_a_listener_that_makes_sense_keeps_a_port_from_others() {
    let http = "{name: a, port: 80, protocol: HTTP}";
    let options = Options { addresses: policy(), ..Options::default() };
    let conflicted =
        aged("old", "2026-01-01T00:00:00Z", &format!("{http}, {{name: b, port: 80, protocol: HTTPS}}"));
    let conflict =
        "Accepted=False/ProtocolConflict Programmed=False/ProtocolConflict Conflicted=True/ProtocolConflict";
    expect_with(
        "GWL-11: a listener in conflict has no port",
        &world(&(conflicted + &gateway("young", http))),
        &options,
        &format!(
            "Gateway default/old at 192.0.2.9: Accepted=False/ListenersNotValid Programmed=False/Invalid
               a [HTTPRoute GRPCRoute]: {conflict}
               b [HTTPRoute GRPCRoute]: {conflict}
             Gateway default/young at 192.0.2.9: ok
               a [HTTPRoute GRPCRoute]: ok"
        ),
    );
    let refused = aged("old", "2026-01-01T00:00:00Z", http)
        .replace("]}", "], infrastructure: {parametersRef: {group: example.com, kind: Nothing, name: x}}}");
    expect_with(
        "a Gateway that is not accepted has none",
        &world(&(refused + &gateway("young", http))),
        &options,
        "Gateway default/old at 192.0.2.9: Accepted=False/InvalidParameters Programmed=False/Invalid
           a [HTTPRoute GRPCRoute]: Programmed=False/Pending
         Gateway default/young at 192.0.2.9: ok
           a [HTTPRoute GRPCRoute]: ok",
    );
}

// LST-26, CND-52
#[test]
fn the_listeners_of_a_set_stand_at_the_addresses_of_the_gateway() {
    let http = "{name: a, port: 80, protocol: HTTP}";
    let young = aged("young", "2026-01-02T00:00:00Z", &http.replace("80", "81"));
    let yaml = aged("old", "2026-01-01T00:00:00Z", http)
        + &young.replace("]}", "], allowedListeners: {namespaces: {from: Same}}}")
        + &listener_set("default", "set", "2025-01-01T00:00:00Z", "young", http);
    let options = Options { addresses: policy(), ..Options::default() };
    expect_with(
        "the age of the Gateway counts",
        &world(&yaml),
        &options,
        "Gateway default/old at 192.0.2.9: ok
           a [HTTPRoute GRPCRoute]: ok
         Gateway default/young at 192.0.2.9: ok
           a [HTTPRoute GRPCRoute]: ok
         ListenerSet default/set: Accepted=False/ListenersNotValid Programmed=False/ListenersNotValid
           a [HTTPRoute GRPCRoute]: Accepted=False/PortUnavailable Programmed=False/PortUnavailable",
    );
    let waiting = Options {
        addresses: AddressPolicy { default: DefaultAddresses::Shared(Vec::new()), ..policy() },
        ..Options::default()
    };
    let yaml = gateway_with("g", http, ", allowedListeners: {namespaces: {from: Same}}")
        + &listener_set("default", "set", "2025-01-01T00:00:00Z", "g", &http.replace("80", "81"));
    expect_with(
        "CND-78: and waits with the Gateway",
        &world(&yaml),
        &waiting,
        "Gateway default/g with 1: Programmed=False/AddressNotAssigned
           a [HTTPRoute GRPCRoute]: Programmed=False/Pending
         ListenerSet default/set: Programmed=False/ParentNotProgrammed
           a [HTTPRoute GRPCRoute]: Programmed=False/Pending",
    );
}

// GEN-18, GWL-13
#[test]
fn an_unspecified_address_is_every_address_of_its_family() {
    let addresses = |default: &str| AddressPolicy {
        default: DefaultAddresses::Shared(vec![ip(default)]),
        ..AddressPolicy::default()
    };
    let http = "{name: a, port: 80, protocol: HTTP}";
    let own = |name: &str, created: &str, address: &str| {
        aged(name, created, http).replace("]}", &format!("], addresses: [{{value: '{address}'}}]}}"))
    };
    let one = own("one", "2026-01-02T00:00:00Z", "127.0.0.2");
    let two = own("two", "2026-01-03T00:00:00Z", "127.0.0.3");
    let refused = "Accepted=False/ListenersNotValid Programmed=False/Invalid
           a [HTTPRoute GRPCRoute]: Accepted=False/PortUnavailable Programmed=False/Invalid";
    let options = Options { addresses: addresses("0.0.0.0"), ..Options::default() };
    expect_with(
        "each at its own address",
        &world(&(one.clone() + &two)),
        &options,
        "Gateway default/one at 127.0.0.2: ok
           a [HTTPRoute GRPCRoute]: ok
         Gateway default/two at 127.0.0.3: ok
           a [HTTPRoute GRPCRoute]: ok",
    );
    let all = aged("all", "2026-01-01T00:00:00Z", http);
    expect_with(
        "an older one has the port of all, and shows no address",
        &world(&(all.clone() + &one)),
        &options,
        &format!("Gateway default/all: ok\n a [HTTPRoute GRPCRoute]: ok\n Gateway default/one: {refused}"),
    );
    let all = all.replace("2026-01-01", "2026-01-09");
    expect_with(
        "a younger one has none",
        &world(&(all.clone() + &one)),
        &options,
        &format!(
            "Gateway default/all: {refused}\n Gateway default/one at 127.0.0.2: ok\n a [HTTPRoute GRPCRoute]: ok"
        ),
    );
    let options = Options { addresses: addresses("::"), ..Options::default() };
    expect_with(
        "of another family",
        &world(&(all + &one)),
        &options,
        "Gateway default/all: ok
           a [HTTPRoute GRPCRoute]: ok
         Gateway default/one at 127.0.0.2: ok
           a [HTTPRoute GRPCRoute]: ok",
    );
}

// GWA-01, GWA-03, GWL-13, GWS-01, GWS-02, CND-52
#[test]
fn what_the_data_plane_could_not_bind_is_said_and_stays_in_the_table() {
    let yaml = gateway_with(
        "g",
        "{name: a, port: 80, protocol: HTTP}, {name: b, port: 81, protocol: HTTP}",
        ", allowedListeners: {namespaces: {from: Same}}, addresses: [{value: 127.0.0.1}, {value: 192.0.2.1}]",
    ) + &listener_set(
        "default",
        "set",
        "2026-01-01T00:00:00Z",
        "g",
        "{name: c, port: 82, protocol: HTTP}",
    );
    let resources = world(&yaml);
    let expect = |name: &str, unbound: &[(u16, &str, UnboundCause)], expected: &str| {
        let unbound = unbound.iter().map(|(port, address, cause)| Unbound {
            gateway: ObjectName::new("default", "g"),
            transport: Transport::Tcp,
            port: *port,
            address: ip(address),
            cause: *cause,
            message: "it does not work".to_owned(),
        });
        let addresses = AddressPolicy { unbound: unbound.collect(), ..AddressPolicy::default() };
        let options = Options { addresses, ..Options::default() };
        expect_with(name, &resources, &options, expected);
        let table = translated(&resources, &options).table;
        assert_eq!(table.listeners().count(), 3, "{name}: the data plane goes on trying");
    };
    let port = |port| (port, "127.0.0.1", UnboundCause::Port);
    expect(
        "a port that is in use",
        &[port(80)],
        "Gateway default/g at 127.0.0.1 192.0.2.1 with 1: Accepted=True/ListenersNotValid
           a [HTTPRoute GRPCRoute]: Accepted=False/PortUnavailable Programmed=False/Invalid
           b [HTTPRoute GRPCRoute]: ok
         ListenerSet default/set: ok
           c [HTTPRoute GRPCRoute]: ok",
    );
    expect(
        "all ports of the Gateway",
        &[port(80), port(81)],
        "Gateway default/g at 127.0.0.1 192.0.2.1 with 1: Accepted=False/ListenersNotValid Programmed=False/Invalid
           a [HTTPRoute GRPCRoute]: Accepted=False/PortUnavailable Programmed=False/Invalid
           b [HTTPRoute GRPCRoute]: Accepted=False/PortUnavailable Programmed=False/Invalid
         ListenerSet default/set: ok
           c [HTTPRoute GRPCRoute]: ok",
    );
    expect(
        "all ports, so that what answers there is something else",
        &[port(80), port(81), port(82)],
        "Gateway default/g at 192.0.2.1 with 1: Accepted=False/ListenersNotValid Programmed=False/Invalid
           a [HTTPRoute GRPCRoute]: Accepted=False/PortUnavailable Programmed=False/Invalid
           b [HTTPRoute GRPCRoute]: Accepted=False/PortUnavailable Programmed=False/Invalid
         ListenerSet default/set: Accepted=False/ListenersNotValid Programmed=False/ListenersNotValid
           c [HTTPRoute GRPCRoute]: Accepted=False/PortUnavailable Programmed=False/PortUnavailable",
    );
    expect(
        "the port of a ListenerSet",
        &[port(82)],
        "Gateway default/g at 127.0.0.1 192.0.2.1 with 1: ok
           a [HTTPRoute GRPCRoute]: ok
           b [HTTPRoute GRPCRoute]: ok
         ListenerSet default/set: Accepted=False/ListenersNotValid Programmed=False/ListenersNotValid
           c [HTTPRoute GRPCRoute]: Accepted=False/PortUnavailable Programmed=False/PortUnavailable",
    );
    let missing = |port| (port, "192.0.2.1", UnboundCause::Address);
    expect(
        "an address that the machine does not have",
        &[missing(80), missing(81), missing(82)],
        "Gateway default/g at 127.0.0.1 with 1: Programmed=False/AddressNotUsable AddressesAssigned=False/PartiallyAssigned
           a [HTTPRoute GRPCRoute]: ok
           b [HTTPRoute GRPCRoute]: ok
         ListenerSet default/set: ok
           c [HTTPRoute GRPCRoute]: ok",
    );
}
