//! Listeners side by side: protocols, conflicts, and what they make of their Gateway.

use std::sync::Arc;

use gateway_core::condition::{Condition, ConditionType};
use gateway_core::feature::Feature;
use gateway_core::filter::{Extension, ExtensionError, Extensions, ListenerFilter};
use gateway_core::name::ObjectName;
use gateway_core::options::Options;
use gateway_core::validate::validate;

use crate::fixture::{
    certificate, expect, expect_with, gateway, gateway_with, listener_set, short, translated, with_features,
    world,
};

const STREAMS: [Feature; 4] =
    [Feature::TlsRoute, Feature::TlsRouteModeTerminate, Feature::TcpRoute, Feature::UdpRoute];

/// Judges a Gateway with these listeners under a data plane that has streams too, and with a certificate `cert`.
#[track_caller]
fn with_streams(name: &str, more: &[Feature], listeners: &str, expected: &str) {
    let mut resources = world(&gateway("g", listeners));
    resources.insert(certificate("default", "cert"));
    let features: Vec<_> = STREAMS.iter().chain(more).copied().collect();
    expect_with(name, &resources, &with_features(&features), expected);
}

// GWL-15, GWL-02, GWS-01, GWS-02, GWS-03, GWS-04, CND-11, CND-19, CND-25, CND-40, CND-49, CND-55
#[test]
fn listeners_that_differ_in_port_or_hostname_stand_side_by_side() {
    let mut resources = world(&gateway(
        "g",
        "{name: http, port: 80, protocol: HTTP},
         {name: a, port: 80, protocol: HTTP, hostname: a.example},
         {name: all, port: 80, protocol: HTTP, hostname: '*.example'},
         {name: high, port: 8080, protocol: HTTP},
         {name: https, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: cert}]}}",
    ));
    resources.insert(certificate("default", "cert"));
    expect_with(
        "core",
        &resources,
        &Options::default(),
        "Gateway default/g: ok
           http [HTTPRoute GRPCRoute]: ok
           a [HTTPRoute GRPCRoute]: ok
           all [HTTPRoute GRPCRoute]: ok
           high [HTTPRoute GRPCRoute]: ok
           https [HTTPRoute GRPCRoute]: ok",
    );
}

// GWL-12, GWL-14, CND-42, CND-12, CND-13, GWS-01
#[test]
fn an_unsupported_protocol_costs_its_own_listener_only() {
    let invalid = "[]: Accepted=False/UnsupportedProtocol Programmed=False/Invalid";
    for protocol in ["INVALID", "example.com/quic", "TCP", "UDP"] {
        expect_with(
            protocol,
            &world(&gateway("g", &format!("{{name: invalid, port: 1111, protocol: {protocol}}}"))),
            &with_features(&[]),
            &format!(
                "Gateway default/g: Accepted=False/ListenersNotValid Programmed=False/Invalid\ninvalid {invalid}"
            ),
        );
    }
    expect(
        "beside one that is supported",
        &gateway(
            "g",
            "{name: http, port: 80, protocol: HTTP}, {name: invalid, port: 1111, protocol: INVALID}",
        ),
        &format!(
            "Gateway default/g: Accepted=True/ListenersNotValid\nhttp [HTTPRoute GRPCRoute]: ok\ninvalid {invalid}"
        ),
    );
    expect_with(
        "TLS is a protocol as long as TLSRoutes are",
        &world(&gateway("g", "{name: invalid, port: 443, protocol: TLS, tls: {mode: Passthrough}}")),
        &with_features(&[]),
        &format!(
            "Gateway default/g: Accepted=False/ListenersNotValid Programmed=False/Invalid\ninvalid {invalid}"
        ),
    );
}

// GWL-10: the message names the listeners on both sides.
#[test]
fn the_gateway_says_which_listeners_are_not_valid() {
    let listeners = "{name: good, port: 80, protocol: HTTP}, {name: bad, port: 81, protocol: TCP}";
    let translation = translated(&world(&gateway("g", listeners)), &with_features(&[]));
    let status = &translation.statuses.gateways[&ObjectName::new("default", "g")];
    assert_eq!(
        status.conditions[0].message,
        "listeners that are not valid: bad (UnsupportedProtocol); valid: good"
    );
    let bad = &status.listeners[1].conditions[0];
    assert_eq!(bad.message, "protocol \"TCP\" is not supported; supported are HTTP, HTTPS");
}

// GWL-04, GWL-05, GWL-06, GWL-07, GWL-08, GWL-09, AMB-44, AMB-45, CON-03, CON-04, CON-05, CND-46, CND-53, CND-61, CND-62
#[test]
fn inside_one_gateway_nobody_wins() {
    let conflict =
        |reason| format!("Accepted=False/{reason} Programmed=False/{reason} Conflicted=True/{reason}");
    let (protocol, hostname) = (conflict("ProtocolConflict"), conflict("HostnameConflict"));
    let nothing_left = "Gateway default/g: Accepted=False/ListenersNotValid Programmed=False/Invalid";
    let something_left = "Gateway default/g: Accepted=True/ListenersNotValid";
    with_streams(
        "HTTP and HTTPS on one port",
        &[],
        "{name: a, port: 80, protocol: HTTP, hostname: a.example},
         {name: b, port: 80, protocol: HTTPS, hostname: b.example, tls: {certificateRefs: [{name: cert}]}},
         {name: c, port: 81, protocol: HTTP}",
        &format!(
            "{something_left}\na [HTTPRoute GRPCRoute]: {protocol}\nb [HTTPRoute GRPCRoute]: {protocol}\nc [HTTPRoute GRPCRoute]: ok"
        ),
    );
    with_streams(
        "TCP takes every listener of the port with it",
        &[],
        "{name: a, port: 80, protocol: HTTP, hostname: a.example},
         {name: b, port: 80, protocol: HTTP, hostname: b.example},
         {name: c, port: 80, protocol: TCP}",
        &format!(
            "{nothing_left}\na [HTTPRoute GRPCRoute]: {protocol}\nb [HTTPRoute GRPCRoute]: {protocol}\nc [TCPRoute]: {protocol}"
        ),
    );
    with_streams(
        "UDP has ports of its own",
        &[],
        "{name: a, port: 80, protocol: HTTP}, {name: b, port: 80, protocol: UDP}",
        "Gateway default/g: ok\na [HTTPRoute GRPCRoute]: ok\nb [UDPRoute]: ok",
    );
    with_streams(
        "HTTPS and TLS share a port if no host belongs to both",
        &[],
        "{name: a, port: 443, protocol: HTTPS, hostname: a.example, tls: {certificateRefs: [{name: cert}]}},
         {name: b, port: 443, protocol: TLS, hostname: b.example, tls: {mode: Passthrough}}",
        "Gateway default/g: ok\na [HTTPRoute GRPCRoute]: ok\nb [TLSRoute]: ok",
    );
    with_streams(
        "and do not if one does",
        &[],
        "{name: a, port: 443, protocol: HTTPS, hostname: a.example, tls: {certificateRefs: [{name: cert}]}},
         {name: b, port: 443, protocol: TLS, hostname: '*.example', tls: {mode: Passthrough}}",
        &format!("{nothing_left}\na [HTTPRoute GRPCRoute]: {hostname}\nb [TLSRoute]: {hostname}"),
    );
    let modes = "{name: a, port: 8443, protocol: TLS, hostname: a.example, tls: {mode: Terminate, certificateRefs: [{name: cert}]}},
                 {name: b, port: 8443, protocol: TLS, hostname: b.example, tls: {mode: Passthrough}}";
    with_streams(
        "TLS modes do not mix",
        &[],
        modes,
        &format!("{nothing_left}\na []: {protocol}\nb []: {protocol}"),
    );
    with_streams(
        "unless the data plane mixes them",
        &[Feature::TlsRouteModeMixed],
        modes,
        "Gateway default/g: ok\na [TLSRoute]: ok\nb [TLSRoute]: ok",
    );
}

// GWL-04: a protocol that is not supported is in conflict with none.
#[test]
fn tcp_alone_is_out_where_there_is_no_tcp() {
    expect_with(
        "HTTP stays",
        &world(&gateway("g", "{name: a, port: 80, protocol: HTTP}, {name: b, port: 80, protocol: TCP}")),
        &with_features(&[]),
        "Gateway default/g: Accepted=True/ListenersNotValid
           a [HTTPRoute GRPCRoute]: ok
           b []: Accepted=False/UnsupportedProtocol Programmed=False/Invalid",
    );
}

// GWL-01, GWL-03, AMB-67: the schema refuses no listeners at all, and two of one object with equal
// port, protocol and hostname.
#[test]
fn no_hostname_is_a_hostname() {
    let listeners = "{name: a, port: 80, protocol: HTTP}, {name: b, port: 80, protocol: HTTP}";
    let valid = validate(&world(&gateway("g", listeners)));
    assert!(valid.gateways.is_empty());
    assert_eq!(valid.rejected[0].problems[0].rule, "VAL-GW-06");
    assert_eq!(validate(&world(&gateway("g", ""))).rejected[0].problems[0].rule, "LIM-01");
}

// GWL-19, CND-43, AMB-49
#[test]
fn a_value_that_is_not_supported_costs_its_own_listener_only() {
    let refused = "Accepted=False/UnsupportedValue Programmed=False/Invalid";
    let rest = "{name: http, port: 80, protocol: HTTP}";
    let tls =
        "{name: tls, port: 8443, protocol: TLS, tls: {mode: Terminate, certificateRefs: [{name: cert}]}}";
    expect_with(
        "TLS that ends here, where TLSRoutes only pass it through",
        &world(&gateway("g", &format!("{rest}, {tls}"))),
        &with_features(&[Feature::TlsRoute]),
        &format!(
            "Gateway default/g: Accepted=True/ListenersNotValid\nhttp [HTTPRoute GRPCRoute]: ok\ntls []: {refused}"
        ),
    );
    expect(
        "an address is no hostname, though the schema lets it pass",
        &gateway("g", &format!("{rest}, {{name: ip, port: 80, protocol: HTTP, hostname: 192.0.2.1}}")),
        &format!(
            "Gateway default/g: Accepted=True/ListenersNotValid\nhttp [HTTPRoute GRPCRoute]: ok\nip [HTTPRoute GRPCRoute]: {refused}"
        ),
    );
}

// GWL-13, CND-41
#[test]
fn a_reserved_port_is_not_available() {
    let mut options = Options::default();
    options.addresses.reserved_ports.insert(9901);
    expect_with(
        "the port of the data plane's own interface",
        &world(&gateway("g", "{name: a, port: 9901, protocol: HTTP}, {name: b, port: 80, protocol: HTTP}")),
        &options,
        "Gateway default/g: Accepted=True/ListenersNotValid
           a [HTTPRoute GRPCRoute]: Accepted=False/PortUnavailable Programmed=False/Invalid
           b [HTTPRoute GRPCRoute]: ok",
    );
}

// GWL-11, GWS-05
#[test]
fn what_is_not_programmed_is_not_in_the_table() {
    let listeners = "{name: a, port: 80, protocol: HTTP, hostname: a.example},
                     {name: b, port: 80, protocol: HTTPS, hostname: b.example, tls: {certificateRefs: [{name: missing}]}},
                     {name: c, port: 81, protocol: HTTP},
                     {name: d, port: 82, protocol: HTTPS, tls: {certificateRefs: [{name: missing}]}}";
    let table = translated(&world(&gateway("g", listeners)), &Options::default()).table;
    let names: Vec<_> = table.listeners().map(|(_, listener)| listener.to_string()).collect();
    assert_eq!(names, ["default/g/c"]);
    assert_eq!(table.frontends().map(|(_, frontend)| frontend.port()).collect::<Vec<_>>(), [81]);
}

// GWL-20
#[test]
fn the_status_has_an_entry_for_each_listener_there_is() {
    let names = |listeners: &str| {
        let statuses = translated(&world(&gateway("g", listeners)), &Options::default()).statuses;
        let status = &statuses.gateways[&ObjectName::new("default", "g")];
        status.listeners.iter().map(|listener| listener.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names("{name: b, port: 80, protocol: HTTP}, {name: a, port: 81, protocol: HTTP}"), ["b", "a"]);
    assert_eq!(names("{name: a, port: 81, protocol: HTTP}"), ["a"]);
}

// GWA-10, CND-15
#[test]
fn parameters_are_refused_because_there_are_none() {
    let more =
        ", infrastructure: {parametersRef: {group: invalid.io, kind: InvalidParameters, name: invalid}}";
    expect(
        "and nothing is served",
        &crate::fixture::gateway_with("g", "{name: http, port: 80, protocol: HTTP}", more),
        "Gateway default/g: Accepted=False/InvalidParameters Programmed=False/Invalid
           http [HTTPRoute GRPCRoute]: Programmed=False/Pending",
    );
}

// GWS-04, GEN-07, GEN-08
#[test]
fn positive_conditions_are_always_there_and_negative_ones_only_while_true() {
    let listeners = "{name: a, port: 80, protocol: HTTP}, {name: b, port: 81, protocol: NONE},
                     {name: c, port: 82, protocol: HTTP, hostname: c.example},
                     {name: d, port: 82, protocol: HTTPS, hostname: d.example, tls: {certificateRefs: [{name: x}]}}";
    let resources = world(&gateway("g", listeners));
    let statuses = translated(&resources, &Options::default()).statuses;
    let found = &statuses.gateways[&ObjectName::new("default", "g")].listeners;
    assert_eq!(found.iter().map(|listener| &*listener.name).collect::<String>(), "abcd");
    for listener in found {
        let name = &listener.name;
        let positive = [ConditionType::Accepted, ConditionType::Programmed, ConditionType::ResolvedRefs];
        for kind in positive {
            let count = listener.conditions.iter().filter(|condition| condition.kind == kind).count();
            assert_eq!(count, 1, "{name}: {kind}");
        }
        let negative = listener.conditions.iter().filter(|condition| !positive.contains(&condition.kind));
        assert!(negative.into_iter().all(|condition| condition.status), "{name}");
        let conflicted = Condition::holds(&listener.conditions, ConditionType::Conflicted);
        assert_eq!(conflicted, ["c", "d"].contains(&name.as_str()), "{name}");
    }
}

// GWT-12, GWT-13, CND-65
#[test]
fn listeners_that_end_tls_for_the_same_hosts_say_so() {
    let https = |name: &str, hostname: &str| {
        format!(
            "{{name: {name}, port: 443, protocol: HTTPS, hostname: '{hostname}', tls: {{certificateRefs: [{{name: cert}}]}}}}"
        )
    };
    let listeners = [
        https("a", "foo.example.com"),
        https("b", "foo.example.org"),
        https("c", "*.example.com"),
        https("d", "foo.example.net").replace("443", "444"),
        "{name: e, port: 80, protocol: HTTP, hostname: foo.example.com}".to_owned(),
        "{name: f, port: 80, protocol: HTTP, hostname: '*.example.com'}".to_owned(),
    ];
    let mut resources = world(&gateway("g", &listeners.join(", ")));
    resources.insert(certificate("default", "cert"));
    expect_with(
        "the first and the third",
        &resources,
        &Options::default(),
        "Gateway default/g: ok
           a [HTTPRoute GRPCRoute]: OverlappingTLSConfig=True/OverlappingHostnames
           b [HTTPRoute GRPCRoute]: ok
           c [HTTPRoute GRPCRoute]: OverlappingTLSConfig=True/OverlappingHostnames
           d [HTTPRoute GRPCRoute]: ok
           e [HTTPRoute GRPCRoute]: ok
           f [HTTPRoute GRPCRoute]: ok",
    );
}

/// Knows one filter of a kind.
#[derive(Debug)]
struct Checks;

#[derive(Debug)]
struct Check;

impl Extension for Check {}

impl Extensions for Checks {
    fn resolve(
        &self,
        namespace: &str,
        group: &str,
        kind: &str,
        name: &str,
    ) -> Result<Arc<dyn Extension>, ExtensionError> {
        match (namespace, group, kind, name) {
            ("default", "example.com", "Check", "strangers") => Ok(Arc::new(Check)),
            (_, "example.com", "Check", _) => Err(ExtensionError::NotFound),
            _ => Err(ExtensionError::UnknownKind),
        }
    }
}

// PRF-06, PRF-07: with the reasons for what leads nowhere, and for what is not carried out.
#[test]
fn a_listener_has_the_filters_that_its_references_lead_to() {
    let reference = |kind: &str, name: &str| {
        format!("{{type: ExtensionRef, extensionRef: {{group: example.com, kind: {kind}, name: {name}}}}}")
    };
    let known = reference("Check", "strangers");
    let auth =
        "{type: ExternalAuth, externalAuth: {protocol: HTTP, http: {}, backendRef: {name: auth, port: 80}}}";
    let listener = |name: &str, filters: &[&str]| {
        let filters = filters.join(", ");
        format!(
            "{{name: {name}, port: 80, protocol: HTTP, hostname: {name}.example, filters: {{requests: [{filters}]}}}}"
        )
    };
    let listeners = [
        listener("a", &[&known, &known]),
        listener("b", &[&known, &reference("Check", "absent")]),
        listener("c", &[&reference("Other", "strangers")]),
        listener("d", &[&known, auth]),
    ];
    let yaml = gateway("g", &listeners.join(", "));
    let options = Options { extensions: Some(Arc::new(Checks)), ..Options::default() };
    expect_with(
        "with extensions",
        &world(&yaml),
        &options,
        "Gateway default/g: ResolvedRefs=False/ListenersNotResolved
           a [HTTPRoute GRPCRoute]: ok
           b [HTTPRoute GRPCRoute]: ResolvedRefs=False/InvalidListenerFilterRef
           c [HTTPRoute GRPCRoute]: ResolvedRefs=False/InvalidListenerFilterRef
           d [HTTPRoute GRPCRoute]: ResolvedRefs=False/InvalidListenerFilterRef",
    );
    let translation = translated(&world(&yaml), &options);
    let status = &translation.statuses.gateways[&ObjectName::new("default", "g")];
    let message = |index: usize| {
        let resolved = |condition: &&Condition| condition.kind == ConditionType::ResolvedRefs;
        status.listeners[index].conditions.iter().find(resolved).unwrap().message.as_str()
    };
    assert_eq!(
        message(1),
        "filters.requests[1]: extension Check.example.com default/absent: there is no such object"
    );
    let auth = "filters.requests[1]: externalAuth.backendRef: there is no Service default/auth";
    assert!(message(3).starts_with(auth), "{}", message(3));
    assert!(message(2).starts_with("filters.requests[0]: extension Other.example.com default/strangers"));
    let filters = |name: &str| {
        let mut listeners = translation.table.listeners();
        let (id, _) = listeners.find(|(_, listener)| &*listener.name == name).unwrap();
        let filters = translation.table.listener_filters(id).iter();
        filters.map(|filter| matches!(filter, ListenerFilter::Extension(_))).collect::<Vec<_>>()
    };
    assert_eq!(filters("a"), [true, true]);
    assert_eq!(filters("b"), [true, false]);
    assert_eq!(filters("c"), [false]);
    assert_eq!(filters("d"), [true, false]);
}

// PRF-06, PRF-09: a listener is not served without the filters that it is to have.
#[test]
fn a_listener_with_filters_that_are_not_carried_out_is_not_accepted() {
    const EXTENSION: &str =
        "{type: ExtensionRef, extensionRef: {group: example.com, kind: Check, name: strangers}}";
    const AUTH: &str =
        "{type: ExternalAuth, externalAuth: {protocol: HTTP, http: {}, backendRef: {name: auth, port: 80}}}";
    let listener = |name: &str, protocol: &str, filters: &str| {
        format!(
            "{{name: {name}, port: 80, protocol: {protocol}, hostname: {name}.example, filters: {{requests: [{filters}]}}}}"
        )
    };
    let yaml = gateway(
        "g",
        &[listener("a", "HTTP", EXTENSION), listener("b", "HTTP", AUTH), listener("c", "HTTP", "")]
            .join(", "),
    );
    let nothing_asked = Options { external_auth: false, ..Options::default() };
    expect_with(
        "not carried out",
        &world(&yaml),
        &nothing_asked,
        "Gateway default/g: Accepted=True/ListenersNotValid
           a [HTTPRoute GRPCRoute]: Accepted=False/UnsupportedValue Programmed=False/Invalid
           b [HTTPRoute GRPCRoute]: Accepted=False/UnsupportedValue Programmed=False/Invalid
           c [HTTPRoute GRPCRoute]: ok",
    );
    let translation = translated(&world(&yaml), &nothing_asked);
    let status = &translation.statuses.gateways[&ObjectName::new("default", "g")];
    let messages = [0, 1].map(|index: usize| status.listeners[index].conditions[0].message.as_str());
    assert!(messages[0].contains("filters.requests[0]: Check strangers in \"example.com\""), "{messages:?}");
    assert!(messages[1].contains("filters.requests[0]: ExternalAuth"), "{messages:?}");

    let open = gateway_with(
        "g",
        "{name: http, port: 81, protocol: HTTP}",
        ", allowedListeners: {namespaces: {from: Same}}",
    );
    let tcp = format!("{{name: tcp, port: 82, protocol: TCP, filters: {{requests: [{EXTENSION}]}}}}");
    let yaml = open + &listener_set("default", "s", "2026-01-01T00:00:00Z", "g", &tcp);
    let translation = translated(&world(&yaml), &with_features(&[Feature::TcpRoute]));
    let set = &translation.statuses.listener_sets[&ObjectName::new("default", "s")];
    assert_eq!(short(&set.listeners[0].conditions[0]), "Accepted=False/InvalidListenerFilter");
}
