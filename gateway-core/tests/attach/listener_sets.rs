//! ListenerSets: who may attach, who comes first, and what is whose to report.

use gateway_core::feature::Feature;
use gateway_core::options::Options;

use crate::fixture::{certificate, expect, expect_with, gateway_with, listener_set, with_features, world};

const JANUARY: &str = "2026-01-01T00:00:00Z";
const FEBRUARY: &str = "2026-02-01T00:00:00Z";
const MARCH: &str = "2026-03-01T00:00:00Z";

fn open(listeners: &str) -> String {
    gateway_with("g", listeners, ", allowedListeners: {namespaces: {from: All}}")
}

fn http(name: &str, hostname: &str) -> String {
    format!("{{name: {name}, port: 80, protocol: HTTP, hostname: {hostname}}}")
}

fn tcp(name: &str) -> String {
    format!("{{name: {name}, port: 80, protocol: TCP}}")
}

fn lost(reason: &str) -> String {
    format!("Accepted=False/{reason} Programmed=False/{reason} Conflicted=True/{reason}")
}

// LST-01, LST-02, LST-03, LST-04, LST-13, GWS-06, GWS-07, CND-71, CND-74, CND-77, CND-78
#[test]
fn the_gateway_decides_from_which_namespaces_sets_may_come() {
    let allowed = ": ok\na [HTTPRoute GRPCRoute]: ok";
    let refused = ": Accepted=False/NotAllowed Programmed=False/NotAllowed
                   a [HTTPRoute GRPCRoute]: Accepted=False/Invalid Programmed=False/Invalid";
    let cases = [
        ("nothing written", "", false, false),
        ("no namespaces", ", allowedListeners: {}", false, false),
        ("None", ", allowedListeners: {namespaces: {from: None}}", false, false),
        ("Same", ", allowedListeners: {namespaces: {from: Same}}", true, false),
        ("All", ", allowedListeners: {namespaces: {from: All}}", true, true),
        (
            "Selector",
            ", allowedListeners: {namespaces: {from: Selector, selector: {matchLabels: {team: red}}}}",
            false,
            true,
        ),
    ];
    for (name, more, own, other) in cases {
        let yaml = gateway_with("g", "{name: http, port: 80, protocol: HTTP}", more)
            + &listener_set("default", "set", JANUARY, "g", "{name: a, port: 81, protocol: HTTP}")
            + &listener_set("other", "set", JANUARY, "g", "{name: a, port: 82, protocol: HTTP}");
        let count = match usize::from(own) + usize::from(other) {
            0 => String::new(),
            count => format!(" with {count}"),
        };
        let outcome = |is_allowed| if is_allowed { allowed } else { refused };
        expect(
            name,
            &yaml,
            &format!(
                "Gateway default/g{count}: ok\nhttp [HTTPRoute GRPCRoute]: ok\nListenerSet default/set{}\nListenerSet other/set{}",
                outcome(own),
                outcome(other)
            ),
        );
    }
}

// LST-01, LST-06, GEN-10
#[test]
fn a_set_without_a_gateway_of_ours_is_not_touched() {
    let set = |parent: &str| {
        listener_set("other", "set", JANUARY, "g", "{name: a, port: 81, protocol: HTTP}")
            .replace("namespace: default, name: g", parent)
    };
    let gateway = open("{name: http, port: 80, protocol: HTTP}");
    let alone = "Gateway default/g: ok\nhttp [HTTPRoute GRPCRoute]: ok";
    expect("missing", &(gateway.clone() + &set("namespace: default, name: missing")), alone);
    expect("its own namespace is meant", &(gateway.clone() + &set("name: g")), alone);
    expect("another kind", &(gateway.clone() + &set("kind: Service, namespace: default, name: g")), alone);
    expect(
        "another group",
        &(gateway.clone() + &set("group: example.com, namespace: default, name: g")),
        alone,
    );
    let mut options = Options::default();
    options.features.remove(&Feature::ListenerSet);
    expect_with("not supported", &world(&(gateway + &set("namespace: default, name: g"))), &options, alone);
}

// LST-05, CND-47, CND-75, CND-78
#[test]
fn a_set_waits_for_a_gateway_that_is_not_accepted() {
    let set = listener_set("default", "set", JANUARY, "g", "{name: a, port: 81, protocol: HTTP}");
    expect(
        "no listener of the Gateway makes sense",
        &(open("{name: bad, port: 80, protocol: NONE}") + &set),
        "Gateway default/g: Accepted=False/ListenersNotValid Programmed=False/Invalid
           bad []: Accepted=False/UnsupportedProtocol Programmed=False/Invalid
         ListenerSet default/set: Accepted=False/ParentNotAccepted Programmed=False/ParentNotProgrammed
           a [HTTPRoute GRPCRoute]: Accepted=False/Invalid Programmed=False/Invalid",
    );
    expect(
        "a certificate that is missing today does not turn the sets down",
        &(open("{name: https, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: missing}]}}")
            + &set),
        "Gateway default/g with 1: Accepted=True/ListenersNotValid ResolvedRefs=False/ListenersNotResolved
           https [HTTPRoute GRPCRoute]: Programmed=False/Invalid ResolvedRefs=False/InvalidCertificateRef
         ListenerSet default/set: ok
           a [HTTPRoute GRPCRoute]: ok",
    );
}

// LST-07, LST-09, LST-10, LST-11, LST-12, LST-28, LST-29, GWS-08, AMB-69, CON-01, CON-03, CON-24
// CND-46, CND-53, CND-62, CND-72, CND-73; the vectors of 28.12
#[test]
fn a_protocol_conflict_costs_the_later_listener_and_nobody_else() {
    let yaml = open(&[http("gw", "gw.com"), http("x", "x.com")].join(", "))
        + &listener_set("default", "set4", "2026-04-01T00:00:00Z", "g", &tcp("tcp"))
        + &listener_set("default", "set3", MARCH, "g", &[http("own", "s2.com"), tcp("tcp")].join(", "))
        + &listener_set("default", "set2", FEBRUARY, "g", &tcp("tcp"))
        + &listener_set(
            "default",
            "set1",
            JANUARY,
            "g",
            &[http("own", "s1.com"), tcp("tcp"), http("z", "z.com")].join(", "),
        );
    let lost = lost("ProtocolConflict");
    let expected = |kinds: &str| {
        format!(
            "Gateway default/g with 2: ok
               gw [HTTPRoute GRPCRoute]: ok
               x [HTTPRoute GRPCRoute]: ok
             ListenerSet default/set1: Accepted=True/ListenersNotValid
               own [HTTPRoute GRPCRoute]: ok
               tcp [{kinds}]: {lost}
               z [HTTPRoute GRPCRoute]: ok
             ListenerSet default/set2: Accepted=False/ListenersNotValid Programmed=False/ListenersNotValid
               tcp [{kinds}]: {lost}
             ListenerSet default/set3: Accepted=True/ListenersNotValid
               own [HTTPRoute GRPCRoute]: ok
               tcp [{kinds}]: {lost}
             ListenerSet default/set4: Accepted=False/ListenersNotValid Programmed=False/ListenersNotValid
               tcp [{kinds}]: {lost}"
        )
    };
    expect_with("also where there is no TCP", &world(&yaml), &with_features(&[]), &expected(""));
    expect_with(
        "and where there is",
        &world(&yaml),
        &with_features(&[Feature::TcpRoute]),
        &expected("TCPRoute"),
    );
}

// LST-07, LST-09, LST-10, LST-11, LST-13, GWL-02, GWL-03, GEN-18, CND-61; the vectors of 28.12
#[test]
fn a_hostname_conflict_costs_the_later_listener_and_nobody_else() {
    let yaml = open(&[http("gw", "gw.com"), http("x", "x.com")].join(", "))
        + &listener_set("default", "d", "2026-04-01T00:00:00Z", "g", &http("z", "z.com"))
        + &listener_set("default", "c", MARCH, "g", &[http("own", "s2.com"), http("z", "z.com")].join(", "))
        + &listener_set("default", "b", FEBRUARY, "g", &http("x", "x.com"))
        + &listener_set(
            "default",
            "a",
            JANUARY,
            "g",
            &[http("own", "s1.com"), http("x", "x.com"), http("z", "z.com")].join(", "),
        );
    let lost = lost("HostnameConflict");
    let expected = format!(
        "Gateway default/g with 2: ok
           gw [HTTPRoute GRPCRoute]: ok
           x [HTTPRoute GRPCRoute]: ok
         ListenerSet default/a: Accepted=True/ListenersNotValid
           own [HTTPRoute GRPCRoute]: ok
           x [HTTPRoute GRPCRoute]: {lost}
           z [HTTPRoute GRPCRoute]: ok
         ListenerSet default/b: Accepted=False/ListenersNotValid Programmed=False/ListenersNotValid
           x [HTTPRoute GRPCRoute]: {lost}
         ListenerSet default/c: Accepted=True/ListenersNotValid
           own [HTTPRoute GRPCRoute]: ok
           z [HTTPRoute GRPCRoute]: {lost}
         ListenerSet default/d: Accepted=False/ListenersNotValid Programmed=False/ListenersNotValid
           z [HTTPRoute GRPCRoute]: {lost}"
    );
    expect("oldest first", &yaml, &expected);
    let same_age =
        yaml.replace("-02-01T", "-01-01T").replace("-03-01T", "-01-01T").replace("-04-01T", "-01-01T");
    expect("of the same age, by name", &same_age, &expected);

    let unset = |name: &str| format!("{{name: {name}, port: 80, protocol: HTTP}}");
    expect(
        "no hostname is a hostname",
        &(open(&unset("all"))
            + &listener_set("default", "set", JANUARY, "g", &[unset("all"), http("a", "a.com")].join(", "))),
        &format!(
            "Gateway default/g with 1: ok
               all [HTTPRoute GRPCRoute]: ok
             ListenerSet default/set: Accepted=True/ListenersNotValid
               all [HTTPRoute GRPCRoute]: {lost}
               a [HTTPRoute GRPCRoute]: ok"
        ),
    );
}

// LST-09, LST-28: first what loses against earlier objects, then the survivors among themselves.
#[test]
fn inside_one_set_nobody_wins() {
    let https =
        "{name: b, port: 81, protocol: HTTPS, hostname: b.com, tls: {certificateRefs: [{name: cert}]}}";
    let set = format!(
        "{{name: a, port: 81, protocol: HTTP, hostname: a.com}}, {https}, {{name: c, port: 82, protocol: HTTP}}"
    );
    let yaml =
        open("{name: http, port: 80, protocol: HTTP}") + &listener_set("default", "set", JANUARY, "g", &set);
    let lost = lost("ProtocolConflict");
    let mut resources = world(&yaml);
    resources.insert(certificate("default", "cert"));
    expect_with(
        "both are out",
        &resources,
        &Options::default(),
        &format!(
            "Gateway default/g with 1: ok
               http [HTTPRoute GRPCRoute]: ok
             ListenerSet default/set: Accepted=True/ListenersNotValid
               a [HTTPRoute GRPCRoute]: {lost}
               b [HTTPRoute GRPCRoute]: {lost}
               c [HTTPRoute GRPCRoute]: ok"
        ),
    );
    let later =
        listener_set("default", "later", MARCH, "g", "{name: a, port: 81, protocol: HTTP, hostname: z.com}");
    let mut resources = world(&(yaml.clone() + &later));
    resources.insert(certificate("default", "cert"));
    expect_with(
        "what nobody won is free for a later set",
        &resources,
        &Options::default(),
        &format!(
            "Gateway default/g with 2: ok
               http [HTTPRoute GRPCRoute]: ok
             ListenerSet default/later: ok
               a [HTTPRoute GRPCRoute]: ok
             ListenerSet default/set: Accepted=True/ListenersNotValid
               a [HTTPRoute GRPCRoute]: {lost}
               b [HTTPRoute GRPCRoute]: {lost}
               c [HTTPRoute GRPCRoute]: ok"
        ),
    );
    let yaml = yaml.replace("port: 80,", "port: 81,");
    let mut resources = world(&yaml);
    resources.insert(certificate("default", "cert"));
    expect_with(
        "the one that loses against the Gateway is not in the way of the other",
        &resources,
        &Options::default(),
        &format!(
            "Gateway default/g with 1: ok
               http [HTTPRoute GRPCRoute]: ok
             ListenerSet default/set: Accepted=True/ListenersNotValid
               a [HTTPRoute GRPCRoute]: ok
               b [HTTPRoute GRPCRoute]: {lost}
               c [HTTPRoute GRPCRoute]: ok"
        ),
    );
}

// LST-15
#[test]
fn the_loser_takes_the_place_when_the_winner_goes() {
    let winner = listener_set("default", "winner", JANUARY, "g", &http("a", "a.com"));
    let loser = listener_set("default", "loser", FEBRUARY, "g", &http("a", "a.com"));
    let gateway = open(&http("gw", "gw.com"));
    let route = "
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: early}
spec: {parentRefs: [{kind: ListenerSet, name: loser}]}
";
    let before = crate::fixture::translated(
        &world(&(gateway.clone() + &winner + &loser + route)),
        &Options::default(),
    );
    let expected = format!("a [HTTPRoute GRPCRoute] 1: {}", lost("HostnameConflict"));
    assert!(crate::fixture::text(&before.statuses).contains(&expected), "the route is attached and waits");
    expect(
        "the loser is valid, with its route",
        &(gateway + &loser + route),
        "Gateway default/g with 1: ok
           gw [HTTPRoute GRPCRoute]: ok
         ListenerSet default/loser: ok
           a [HTTPRoute GRPCRoute] 1: ok",
    );
}

// LST-08
#[test]
fn the_same_name_may_be_used_in_every_object() {
    expect(
        "three times http",
        &(open(&http("http", "a.com"))
            + &listener_set("default", "b", JANUARY, "g", &http("http", "b.com"))
            + &listener_set("default", "c", JANUARY, "g", &http("http", "c.com"))),
        "Gateway default/g with 2: ok
           http [HTTPRoute GRPCRoute]: ok
         ListenerSet default/b: ok
           http [HTTPRoute GRPCRoute]: ok
         ListenerSet default/c: ok
           http [HTTPRoute GRPCRoute]: ok",
    );
}

// LST-09: a listener that is refused for what it is has no place; one that lacks a certificate has.
#[test]
fn a_place_belongs_to_what_makes_sense_not_to_what_works() {
    let https = |name: &str| {
        format!("{{name: {name}, port: 443, protocol: HTTPS, tls: {{certificateRefs: [{{name: missing}}]}}}}")
    };
    let lost = lost("HostnameConflict");
    expect(
        "no certificate",
        &(open(&[https("a"), http("http", "a.com")].join(", "))
            + &listener_set("default", "set", JANUARY, "g", &https("b"))),
        &format!(
            "Gateway default/g: Accepted=True/ListenersNotValid ResolvedRefs=False/ListenersNotResolved
               a [HTTPRoute GRPCRoute]: Programmed=False/Invalid ResolvedRefs=False/InvalidCertificateRef
               http [HTTPRoute GRPCRoute]: ok
             ListenerSet default/set: Accepted=False/ListenersNotValid Programmed=False/ListenersNotValid
               b [HTTPRoute GRPCRoute]: Accepted=False/HostnameConflict Programmed=False/HostnameConflict \
             ResolvedRefs=False/InvalidCertificateRef {}",
            lost.rsplit(' ').next().unwrap()
        ),
    );
    let yaml = open(&[tcp("tcp"), http("http", "a.com").replace("80", "81")].join(", "))
        + &listener_set("default", "set", JANUARY, "g", &http("a", "a.com"));
    expect_with(
        "not supported",
        &world(&yaml),
        &with_features(&[]),
        "Gateway default/g with 1: Accepted=True/ListenersNotValid
           tcp []: Accepted=False/UnsupportedProtocol Programmed=False/Invalid
           http [HTTPRoute GRPCRoute]: ok
         ListenerSet default/set: ok
           a [HTTPRoute GRPCRoute]: ok",
    );
}

// LST-22, LST-23, CON-02, RGR-06
#[test]
fn a_grant_for_gateways_is_none_for_sets() {
    let https = |name: &str| {
        format!(
            "{{name: {name}, port: 443, protocol: HTTPS, hostname: {name}.com, tls: {{certificateRefs: [{{namespace: vault, name: cert}}]}}}}"
        )
    };
    let grant = |kind: &str| {
        format!(
            "
---
apiVersion: gateway.networking.k8s.io/v1
kind: ReferenceGrant
metadata: {{namespace: vault, name: {}}}
spec:
  from: [{{group: gateway.networking.k8s.io, kind: {kind}, namespace: default}}]
  to: [{{group: '', kind: Secret}}]
",
            kind.to_lowercase()
        )
    };
    let yaml = open(&https("gw"))
        + &listener_set("default", "near", JANUARY, "g", &https("near"))
        + &listener_set("other", "far", JANUARY, "g", &https("far"))
        + &grant("Gateway");
    let refused = |name: &str, set: &str| {
        format!(
            "ListenerSet {set}: Accepted=False/ListenersNotValid Programmed=False/ListenersNotValid
               {name} [HTTPRoute GRPCRoute]: Programmed=False/Invalid ResolvedRefs=False/RefNotPermitted"
        )
    };
    let mut resources = world(&yaml);
    resources.insert(certificate("vault", "cert"));
    expect_with(
        "for Gateways only",
        &resources,
        &Options::default(),
        &format!(
            "Gateway default/g: ok\ngw [HTTPRoute GRPCRoute]: ok\n{}\n{}",
            refused("near", "default/near"),
            refused("far", "other/far")
        ),
    );
    let mut resources = world(&(yaml + &grant("ListenerSet")));
    resources.insert(certificate("vault", "cert"));
    expect_with(
        "for the sets of one namespace",
        &resources,
        &Options::default(),
        &format!(
            "Gateway default/g with 1: ok
               gw [HTTPRoute GRPCRoute]: ok
             ListenerSet default/near: ok
               near [HTTPRoute GRPCRoute]: ok
             {}",
            refused("far", "other/far")
        ),
    );
}

// LST-14, LIM-02, CND-45
#[test]
fn there_is_a_limit_to_the_listeners_of_a_gateway() {
    let options = Options { max_listeners: 2, ..Options::default() };
    let yaml = open(&http("gw", "gw.com"))
        + &listener_set("default", "a", JANUARY, "g", &http("a", "a.com"))
        + &listener_set("default", "b", FEBRUARY, "g", &http("b", "b.com"));
    expect_with(
        "the youngest is too many",
        &world(&yaml),
        &options,
        "Gateway default/g with 1: ok
           gw [HTTPRoute GRPCRoute]: ok
         ListenerSet default/a: ok
           a [HTTPRoute GRPCRoute]: ok
         ListenerSet default/b: Accepted=False/ListenersNotValid Programmed=False/ListenersNotValid
           b [HTTPRoute GRPCRoute]: Accepted=False/TooManyListeners Programmed=False/Invalid",
    );
}

// LST-25
#[test]
fn the_listeners_of_a_set_obey_the_schema_of_listeners() {
    let set = listener_set(
        "default",
        "set",
        JANUARY,
        "g",
        "{name: a, port: 80, protocol: HTTP, tls: {certificateRefs: [{name: x}]}}",
    );
    let valid = gateway_core::validate::validate(&world(&set));
    assert_eq!(valid.rejected[0].problems[0].rule, "VAL-GW-01");
}
