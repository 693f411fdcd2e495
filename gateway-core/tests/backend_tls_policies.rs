//! BackendTLSPolicies from manifests: which holds for a port, and what statuses say of each.

mod common;
#[path = "common/policy.rs"]
mod policies;

use gateway_core::api::Kind;
use gateway_core::condition::ConditionType;
use gateway_core::feature::Feature;
use gateway_core::name::ObjectName;
use gateway_core::options::Options;
use gateway_core::rule::{Authorities, Identity};
use gateway_core::table::RouteTable;
use gateway_core::translate::{Translation, Translator, translate};

use self::common::resources;

/// A Gateway, a Route to every port of a Service, and certificate authorities, good and bad.
const BASE: &str = "
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: class}
spec: {controllerName: gateway-api.rs/controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw}
spec: {gatewayClassName: class, listeners: [{name: http, port: 80, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r}
spec: {parentRefs: [{name: gw}], rules: [{backendRefs: [{name: web, port: 80}, {name: web, port: 81}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{name: http, port: 80}, {name: other, port: 81}, {name: dns, port: 53, protocol: UDP}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: ca}
data: {ca.crt: \"-----BEGIN CERTIFICATE-----\\nMAA=\\n-----END CERTIFICATE-----\\n\"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: broken}
data: {ca.crt: ''}
";

const CA: &str = "caCertificateRefs: [{group: '', kind: ConfigMap, name: ca}]";

/// A policy that came into being in this year.
fn policy(name: &str, year: u16, target: &str, validation: &str) -> String {
    let validation = format!("validation: {{hostname: {name}.example, {validation}}}");
    policies::manifest("BackendTLSPolicy", name, year, &[target.to_owned()], &validation)
}

fn service(more: &str) -> String {
    format!("{{group: '', kind: Service, name: web{more}}}")
}

fn translated(policies: &[String]) -> Translation {
    translate(&resources(&format!("{BASE}{}", policies.concat())), &Options::default())
}

/// The server name with which TLS is spoken to a port; what else there is to say about the port.
fn spoken(translation: &Translation, port: u16) -> String {
    let Some(backend) = translation.table.backends().find(|backend| backend.port == port) else {
        return "nothing".to_owned();
    };
    backend.tls.as_ref().map_or("plain".to_owned(), |tls| tls.server_name.to_string())
}

/// What the status says: `Accepted` and `ResolvedRefs`, as status and reason; the same for each Gateway.
fn said(translation: &Translation, name: &str) -> String {
    let statuses = &translation.statuses.backend_tls_policies;
    let Some(status) = policies::status(statuses, name) else { return String::new() };
    let of = |kind: ConditionType| {
        let conditions = status.ancestors.iter().map(|ancestor| {
            let condition = ancestor.conditions.iter().find(|condition| condition.kind == kind).unwrap();
            policies::said(condition)
        });
        let mut all: Vec<_> = conditions.collect();
        all.dedup();
        assert_eq!(all.len(), 1);
        all.remove(0)
    };
    format!("{} {}", of(ConditionType::Accepted), of(ConditionType::ResolvedRefs))
}

const GOOD: &str = "true/Accepted true/ResolvedRefs";

// BTP-01, BTP-05 to BTP-07, CND-95, CND-96, CND-100
#[test]
fn one_for_the_port_goes_first_and_then_the_oldest() {
    let [whole, http, other] = ["", ", sectionName: http", ", sectionName: other"].map(service);
    let conflicted = "false/Conflicted true/ResolvedRefs";
    for (row, policies, spoken_to, statuses) in [
        ("none", vec![], ["plain", "plain"], vec![]),
        ("one for all", vec![policy("a", 2025, &whole, CA)], ["a.example"; 2], vec![("a", GOOD)]),
        ("one for a port", vec![policy("a", 2025, &http, CA)], ["a.example", "plain"], vec![("a", GOOD)]),
        (
            "both, which is no conflict",
            vec![policy("a", 2024, &whole, CA), policy("b", 2025, &http, CA)],
            ["b.example", "a.example"],
            vec![("a", GOOD), ("b", GOOD)],
        ),
        (
            "the older of two",
            vec![policy("a", 2025, &http, CA), policy("b", 2024, &http, CA)],
            ["b.example", "plain"],
            vec![("a", conflicted), ("b", GOOD)],
        ),
        (
            "of two as old, by name",
            vec![policy("b", 2025, &whole, CA), policy("a", 2025, &whole, CA)],
            ["a.example"; 2],
            vec![("a", GOOD), ("b", conflicted)],
        ),
        (
            "one that lost one of its targets has the other",
            vec![policy("a", 2025, &format!("{http}, {other}"), CA), policy("b", 2024, &http, CA)],
            ["b.example", "a.example"],
            vec![("a", conflicted), ("b", GOOD)],
        ),
    ] {
        let translation = translated(&policies);
        assert_eq!([80, 81].map(|port| spoken(&translation, port)), spoken_to, "{row}");
        for (name, status) in statuses {
            assert_eq!(said(&translation, name), status, "{row}: {name}");
        }
    }
}

// BTP-12 to BTP-15, CND-97, CND-99, CND-101, CND-102: never plain, and never by a younger policy
#[test]
fn what_cannot_be_carried_out_holds_all_the_same() {
    let reference = |kind: &str, name: &str| {
        let group = if kind == "Odd" { "example.com" } else { "''" };
        format!("{{group: {group}, kind: {kind}, name: {name}}}")
    };
    let refs = |refs: &[String]| format!("caCertificateRefs: [{}]", refs.join(", "));
    let (good, missing) = (reference("ConfigMap", "ca"), reference("ConfigMap", "missing"));
    for (validation, expected) in [
        (refs(std::slice::from_ref(&missing)), "false/NoValidCACertificate false/InvalidCACertificateRef"),
        (
            refs(&[reference("ConfigMap", "broken")]),
            "false/NoValidCACertificate false/InvalidCACertificateRef",
        ),
        (refs(&[reference("Odd", "ca")]), "false/NoValidCACertificate false/InvalidKind"),
        ("wellKnownCACertificates: example.com/odd".to_owned(), "false/Invalid true/ResolvedRefs"),
        // One that is good will do.
        (refs(&[good, missing]), "true/Accepted false/InvalidCACertificateRef"),
    ] {
        let younger = policy("b", 2025, &service(""), CA);
        let translation = translated(&[policy("a", 2024, &service(""), &validation), younger]);
        assert_eq!(said(&translation, "a"), expected, "{validation}");
        let served = expected.starts_with("true");
        assert_eq!(spoken(&translation, 80), if served { "a.example" } else { "nothing" }, "{validation}");
        let causes = translation.statuses.causes().filter(|(kind, ..)| *kind == Kind::HttpRoute);
        assert_eq!(causes.count(), if served { 0 } else { 2 }, "{validation}: each reference is told");
    }
}

// BTP-04, BTP-08, BTP-20, POL-02, POL-08, LST-24, CND-97, CND-98
#[test]
fn a_target_that_is_not_there_is_told_and_so_is_one_without_tls() {
    for (target, reason, field) in [
        (service(", sectionName: nobody"), "TargetNotFound", "spec.targetRefs[0].sectionName"),
        (service(", sectionName: dns"), "Invalid", "spec.targetRefs[0].sectionName"),
        (
            format!("{}, {{group: example.com, kind: Odd, name: web}}", service("")),
            "Invalid",
            "spec.targetRefs[1].kind",
        ),
        (
            format!("{}, {{group: gateway.networking.k8s.io, kind: ListenerSet, name: set}}", service("")),
            "Invalid",
            "spec.targetRefs[1].kind",
        ),
    ] {
        let translation = translated(&[policy("a", 2025, &target, CA)]);
        assert_eq!(said(&translation, "a"), format!("false/{reason} true/ResolvedRefs"), "{target}");
        let (.., cause) = translation.statuses.causes().next().unwrap();
        assert_eq!(cause.finding.field, field);
    }
    // The ports of UDP beside those of TCP are mentioned.
    let translation = translated(&[policy("a", 2025, &service(""), CA)]);
    let status = &translation.statuses.backend_tls_policies[&ObjectName::new("default", "a")];
    assert!(status.ancestors[0].conditions[0].message.contains("only the ports"), "{status:?}");

    let mut without = resources(&format!("{BASE}{}", policy("a", 2025, &service(""), CA)));
    without.remove(Kind::Service, &ObjectName::new("default", "web"));
    let translation = translate(&without, &Options::default());
    assert_eq!(said(&translation, "a"), "false/TargetNotFound true/ResolvedRefs");
}

// BTP-24
#[test]
fn options_have_no_effect_and_are_said() {
    let with_options = format!("{CA}}}, options: {{example.com/min: '1.3'");
    let translation = translated(&[policy("a", 2025, &service(", sectionName: http"), &with_options)]);
    let status = &translation.statuses.backend_tls_policies[&ObjectName::new("default", "a")];
    assert_eq!(said(&translation, "a"), GOOD);
    assert!(status.ancestors[0].conditions[0].message.contains("example.com/min"), "{status:?}");
    assert_eq!(status.without_effect[0].field, "spec.options");
}

// BTP-16 to BTP-18
#[test]
fn names_that_are_listed_take_the_place_of_the_hostname() {
    let tls = |validation: &str| {
        let translation = translated(&[policy("a", 2025, &service(""), validation)]);
        translation.table.backends().next().unwrap().tls.clone().unwrap()
    };
    let alone = tls(CA);
    assert_eq!(*alone.identities, [Identity::Hostname("a.example".into())]);
    assert!(matches!(&alone.authorities, Authorities::Certificates(all) if all.len() == 1));
    let listed =
        tls("wellKnownCACertificates: System, subjectAltNames: [{type: Hostname, hostname: '*.b.example'}, \
                      {type: URI, uri: 'spiffe://b.example/x'}]");
    assert_eq!(&*listed.server_name, "a.example", "whatever the certificate has to have");
    let names = [Identity::Hostname("*.b.example".into()), Identity::Uri("spiffe://b.example/x".into())];
    assert_eq!((&*listed.identities, &listed.authorities), (&names[..], &Authorities::System));
}

// BTP-09, BTP-10, FMR-07
#[test]
fn each_gateway_that_reaches_a_target_through_an_accepted_route_is_an_ancestor() {
    let gateway = |name: &str| {
        format!(
            "---\n{{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {{name: {name}}}, spec: \
             {{gatewayClassName: class, listeners: [{{name: http, port: 80, protocol: HTTP}}]}}}}\n"
        )
    };
    let route = |name: &str, parent: &str, filters: &str| {
        format!(
            "---\n{{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {{name: {name}}}, spec: \
             {{parentRefs: [{{name: {parent}}}], rules: [{{{filters}}}]}}}}\n"
        )
    };
    let refers = "backendRefs: [{name: web, port: 81}]";
    let mirrors = "filters: [{type: RequestMirror, requestMirror: {backendRef: {name: web, port: 80}}}]";
    let more = [
        policy("a", 2025, &service(", sectionName: http"), CA),
        policy("z", 2025, "{group: '', kind: Service, name: nobodys}", CA),
        ["one", "two", "three"].map(gateway).concat(),
        route("one", "one", refers),
        route("two", "two", mirrors),
        route("three", "three, sectionName: nobody", refers),
    ];
    let translation = translated(&more);
    let status = &translation.statuses.backend_tls_policies[&ObjectName::new("default", "a")];
    let ancestors: Vec<_> = status.ancestors.iter().map(|ancestor| &*ancestor.ancestor_ref.name).collect();
    assert_eq!(ancestors, ["gw", "one", "two"]);
    assert!(status.ancestors.iter().all(|it| &*it.controller_name == "gateway-api.rs/controller"));
    assert_eq!(said(&translation, "z"), "", "nobody reaches its target");
}

// BTP-14
#[test]
fn a_policy_that_breaks_rules_or_is_not_supported_holds_all_the_same() {
    let broken = policy("a", 2025, &service(""), "subjectAltNames: []");
    let translation = translated(&[broken]);
    assert_eq!(said(&translation, "a"), "false/Invalid true/ResolvedRefs");
    assert_eq!(spoken(&translation, 80), "nothing");

    let san = format!("{CA}, subjectAltNames: [{{type: Hostname, hostname: b.example}}]");
    let resources = resources(&format!("{BASE}{}", policy("a", 2025, &service(""), &san)));
    for (feature, said_of_it) in [
        (Feature::BackendTlsPolicy, ""),
        (Feature::BackendTlsPolicySanValidation, "false/Invalid true/ResolvedRefs"),
    ] {
        let mut options = Options::default();
        options.features.remove(&feature);
        let translation = translate(&resources, &options);
        assert_eq!(
            (said(&translation, "a"), spoken(&translation, 80)),
            (said_of_it.into(), "nothing".into())
        );
    }
}

// BTP-22
#[test]
fn an_authority_that_changes_costs_no_route_and_is_told() {
    let mut translator = Translator::new(Options::default());
    translator.update(&resources(&format!("{BASE}{}", policy("a", 2025, &service(""), CA))));
    let (before, lookups) = {
        let translation = translator.translate();
        (translation.table.clone(), translation.lookups.clone())
    };
    assert!(lookups.contains(Kind::ConfigMap, &ObjectName::new("default", "ca")));
    translator.take_status_changes();
    let set = |translator: &mut Translator, pem: &str| {
        let map = format!(
            "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: ca}}, data: {{ca.crt: \"{pem}\"}}}}"
        );
        resources(&map).iter().for_each(|object| translator.insert(object));
        translator.translate();
    };
    set(&mut translator, "-----BEGIN CERTIFICATE-----\\nMAI=\\n-----END CERTIFICATE-----\\n");
    let tls = |table: &RouteTable| table.backends().next().and_then(|backend| backend.tls.clone());
    // Not a certificate; a backend without.
    assert_eq!(tls(&translator.translation().table), None);
    set(&mut translator, "-----BEGIN CERTIFICATE-----\\nMAEB\\n-----END CERTIFICATE-----\\n");
    let after = translator.translation().table.clone();
    assert!(tls(&after).is_some() && tls(&after) != tls(&before));
    assert!(!translator.take_status_changes().is_empty());
    assert_eq!(said(translator.translation(), "a"), GOOD);
}
