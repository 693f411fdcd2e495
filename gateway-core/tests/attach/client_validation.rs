//! The validation of client certificates, and what happens where it cannot be carried out.

use gateway_core::api::{ClusterTrustBundle, ClusterTrustBundleSpec, ConfigMap, Kind, ObjectMeta, Resources};
use gateway_core::feature::Feature;
use gateway_core::name::ObjectName;
use gateway_core::options::Options;

use crate::fixture::{certificate, expect_with, gateway_with, listener_set, with_features, world};

const VALIDATION: [Feature; 2] = [
    Feature::GatewayFrontendClientCertificateValidation,
    Feature::GatewayFrontendClientCertificateValidationInsecureFallback,
];

fn https(name: &str, port: u16) -> String {
    format!("{{name: {name}, port: {port}, protocol: HTTPS, tls: {{certificateRefs: [{{name: cert}}]}}}}")
}

fn validation(reference: &str) -> String {
    format!("{{validation: {{caCertificateRefs: [{reference}]}}}}")
}

fn authority(namespace: &str, name: &str) -> ConfigMap {
    let rcgen::CertifiedKey { cert, .. } = rcgen::generate_simple_self_signed(["ca".to_owned()]).unwrap();
    let mut config_map = ConfigMap::default();
    config_map.metadata.namespace = Some(namespace.to_owned());
    config_map.metadata.name = name.to_owned();
    config_map.data.insert("ca.crt".to_owned(), cert.pem());
    config_map
}

/// The Gateway with its certificate, and the authorities `default/ca` and `other/ca`.
fn resources(listeners: &[String], frontend: &str, more: &str) -> Resources {
    let tls = format!(", allowedListeners: {{namespaces: {{from: All}}}}, tls: {{frontend: {frontend}}}");
    let mut resources = world(&(gateway_with("g", &listeners.join(", "), &tls) + more));
    resources.insert(certificate("default", "cert"));
    resources.insert(authority("default", "ca").into());
    resources.insert(authority("other", "ca").into());
    resources
}

const CA: &str = "{group: '', kind: ConfigMap, name: ca}";

// GWF-01, GWF-02, GWF-03, GWF-04, GWF-05, GWF-06, GWF-07, GWF-08, CND-44, CND-57, CND-59, CND-60, CON-21
#[test]
fn a_check_that_cannot_be_made_stops_the_listeners_that_need_it() {
    let listeners = [
        https("good", 443),
        https("missing", 7443),
        https("kind", 8443),
        https("grant", 6443),
        https("none", 5443),
        "{name: http, port: 80, protocol: HTTP}".to_owned(),
    ];
    let per_port = [
        (7443, validation("{group: '', kind: ConfigMap, name: missing}")),
        (8443, validation("{group: '', kind: Service, name: ca}")),
        (6443, validation("{group: '', kind: ConfigMap, namespace: other, name: ca}")),
        (5443, "{}".to_owned()),
        (80, validation("{group: '', kind: ConfigMap, name: missing}")),
    ];
    let per_port: Vec<_> =
        per_port.iter().map(|(port, tls)| format!("{{port: {port}, tls: {tls}}}")).collect();
    let frontend = format!("{{default: {}, perPort: [{}]}}", validation(CA), per_port.join(", "));
    let resources = resources(&listeners, &frontend, "");
    let refused = "Accepted=False/NoValidCACertificate Programmed=False/Invalid";
    expect_with(
        "HTTP is not concerned, and an entry for a port replaces the default",
        &resources,
        &with_features(&VALIDATION),
        &format!(
            "Gateway default/g: Accepted=True/ListenersNotValid ResolvedRefs=False/ListenersNotResolved
               good [HTTPRoute GRPCRoute]: ok
               missing [HTTPRoute GRPCRoute]: {refused} ResolvedRefs=False/InvalidCACertificateRef
               kind [HTTPRoute GRPCRoute]: {refused} ResolvedRefs=False/InvalidCACertificateKind
               grant [HTTPRoute GRPCRoute]: {refused} ResolvedRefs=False/RefNotPermitted
               none [HTTPRoute GRPCRoute]: ok
               http [HTTPRoute GRPCRoute]: ok"
        ),
    );
}

// GWF-04, GWF-08
#[test]
fn an_authority_has_to_be_a_certificate() {
    let frontend = format!("{{default: {}}}", validation(CA));
    for text in [None, Some(""), Some("Hello world\n")] {
        let mut resources = resources(&[https("https", 443)], &frontend, "");
        let mut broken = authority("default", "ca");
        match text {
            Some(text) => broken.data.insert("ca.crt".to_owned(), text.to_owned()),
            None => broken.data.remove("ca.crt"),
        };
        resources.insert(broken.into());
        expect_with(
            "not a certificate",
            &resources,
            &with_features(&VALIDATION),
            "Gateway default/g: Accepted=False/ListenersNotValid Programmed=False/Invalid ResolvedRefs=False/ListenersNotResolved
               https [HTTPRoute GRPCRoute]: Accepted=False/NoValidCACertificate Programmed=False/Invalid ResolvedRefs=False/InvalidCACertificateRef",
        );
    }
}

// LST-09: no other listener takes over a host while the Gateway's owner mends the check.
#[test]
fn a_listener_whose_clients_cannot_be_checked_keeps_its_place() {
    let frontend = format!("{{default: {}}}", validation("{group: '', kind: ConfigMap, name: missing}"));
    let listeners = [https("https", 443), "{name: http, port: 80, protocol: HTTP}".to_owned()];
    let set = listener_set("default", "set", "2026-01-01T00:00:00Z", "g", &https("a", 443));
    let refused = "Accepted=False/NoValidCACertificate Programmed=False/Invalid ResolvedRefs=False/InvalidCACertificateRef";
    expect_with(
        "the set has lost",
        &resources(&listeners, &frontend, &set),
        &with_features(&VALIDATION),
        &format!(
            "Gateway default/g: Accepted=True/ListenersNotValid ResolvedRefs=False/ListenersNotResolved
               https [HTTPRoute GRPCRoute]: {refused}
               http [HTTPRoute GRPCRoute]: ok
             ListenerSet default/set: Accepted=False/ListenersNotValid Programmed=False/ListenersNotValid
               a [HTTPRoute GRPCRoute]: Accepted=False/HostnameConflict Programmed=False/HostnameConflict ResolvedRefs=False/InvalidCACertificateRef Conflicted=True/HostnameConflict"
        ),
    );
}

// GWF-07: as long as one authority is left, clients can be checked.
#[test]
fn one_authority_is_enough() {
    let frontend = format!(
        "{{default: {}}}",
        validation(&format!("{CA}, {{group: '', kind: ConfigMap, name: missing}}"))
    );
    expect_with(
        "one of two",
        &resources(&[https("https", 443)], &frontend, ""),
        &with_features(&VALIDATION),
        "Gateway default/g: ResolvedRefs=False/ListenersNotResolved
           https [HTTPRoute GRPCRoute]: ResolvedRefs=False/InvalidCACertificateRef",
    );
}

// GWF-09: never served without the check that is asked for.
#[test]
fn a_data_plane_that_cannot_check_clients_does_not_serve_without() {
    let frontend = format!("{{default: {}, perPort: [{{port: 8443, tls: {{}}}}]}}", validation(CA));
    let resources = resources(&[https("checked", 443), https("open", 8443)], &frontend, "");
    let mut options = Options::default();
    options.features.retain(|feature| !VALIDATION.contains(feature));
    expect_with(
        "the port that asks for nothing is served",
        &resources,
        &options,
        "Gateway default/g: Accepted=True/ListenersNotValid
           checked [HTTPRoute GRPCRoute]: Accepted=False/UnsupportedValue Programmed=False/Invalid
           open [HTTPRoute GRPCRoute]: ok",
    );
    let table = crate::fixture::translated(&resources, &options).table;
    assert_eq!(table.frontends().map(|(_, frontend)| frontend.port()).collect::<Vec<_>>(), [8443]);
}

// GWF-10, GEN-08, CND-29
#[test]
fn a_gateway_that_lets_everybody_in_says_so() {
    let insecure = validation(CA).replace("]}", "], mode: AllowInsecureFallback}");
    let cases = [
        ("by default", format!("{{default: {insecure}}}"), true),
        (
            "on a port",
            format!("{{default: {}, perPort: [{{port: 8443, tls: {insecure}}}]}}", validation(CA)),
            true,
        ),
        ("nowhere", format!("{{default: {}}}", validation(CA)), false),
    ];
    for (name, frontend, insecure) in cases {
        let shown = if insecure { "InsecureFrontendValidationMode=True/ConfigurationChanged" } else { "ok" };
        expect_with(
            name,
            &resources(&[https("https", 443)], &frontend, ""),
            &with_features(&VALIDATION),
            &format!("Gateway default/g: {shown}\nhttps [HTTPRoute GRPCRoute]: ok"),
        );
    }
    let default = validation(CA).replace("]}", "], mode: AllowInsecureFallback}");
    let mut strict = with_features(&[]);
    strict.features.remove(&VALIDATION[1]);
    expect_with(
        "a data plane that can only be strict",
        &resources(&[https("https", 443)], &format!("{{default: {default}}}"), ""),
        &strict,
        "Gateway default/g: Accepted=False/ListenersNotValid Programmed=False/Invalid InsecureFrontendValidationMode=True/ConfigurationChanged
           https [HTTPRoute GRPCRoute]: Accepted=False/UnsupportedValue Programmed=False/Invalid",
    );
}

// GWF-12, GEN-17, LST-24
#[test]
fn the_listeners_of_sets_are_checked_too_and_are_not_told_the_details() {
    let broken = validation("{group: '', kind: ConfigMap, namespace: other, name: secret-plans}");
    let frontend = format!("{{default: {{}}, perPort: [{{port: 8443, tls: {broken}}}]}}");
    let set = listener_set("default", "set", "2026-01-01T00:00:00Z", "g", &https("a", 8443));
    let resources = resources(&[https("https", 443)], &frontend, &set);
    expect_with(
        "on the same port",
        &resources,
        &with_features(&VALIDATION),
        "Gateway default/g: ok
           https [HTTPRoute GRPCRoute]: ok
         ListenerSet default/set: Accepted=False/ListenersNotValid Programmed=False/ListenersNotValid
           a [HTTPRoute GRPCRoute]: Accepted=False/NoValidCACertificate Programmed=False/Invalid ResolvedRefs=False/RefNotPermitted",
    );
    let statuses = crate::fixture::translated(&resources, &with_features(&VALIDATION)).statuses;
    let set = statuses.listener_sets.values().next().unwrap();
    assert!(!format!("{set:?}").contains("secret-plans"));
}

// CTB-01, CTB-02
#[test]
fn a_bundle_of_the_cluster_is_an_authority_without_a_grant() {
    let bundle = validation("{group: certificates.k8s.io, kind: ClusterTrustBundle, name: roots}");
    let frontend = format!("{{default: {bundle}}}");
    let mut resources = resources(&[https("https", 443)], &frontend, "");
    let set = |text: &str| {
        let metadata = ObjectMeta { name: "roots".to_owned(), ..ObjectMeta::default() };
        let spec = ClusterTrustBundleSpec { trust_bundle: text.to_owned(), signer_name: None };
        ClusterTrustBundle { metadata, spec }
    };
    let refused = "Gateway default/g: Accepted=False/ListenersNotValid Programmed=False/Invalid ResolvedRefs=False/ListenersNotResolved
           https [HTTPRoute GRPCRoute]: Accepted=False/NoValidCACertificate Programmed=False/Invalid ResolvedRefs=False/InvalidCACertificateRef";
    expect_with("missing", &resources, &with_features(&VALIDATION), refused);
    for text in ["", "Hello world"] {
        resources.insert(set(text).into());
        expect_with("not a certificate", &resources, &with_features(&VALIDATION), refused);
    }
    resources.insert(set(&authority("default", "ca").data["ca.crt"]).into());
    let good = "Gateway default/g: ok\nhttps [HTTPRoute GRPCRoute]: ok";
    expect_with("in every namespace", &resources, &with_features(&VALIDATION), good);
    let lookups = crate::fixture::translated(&resources, &with_features(&VALIDATION)).lookups;
    assert!(lookups.contains(Kind::ClusterTrustBundle, &ObjectName::cluster("roots")));
}

// CTB-03: a data plane that cannot read a ClusterTrustBundle says so, and everything else goes on.
#[test]
fn a_bundle_of_the_cluster_is_of_an_unknown_kind() {
    let bundle = validation("{group: certificates.k8s.io, kind: ClusterTrustBundle, name: roots}");
    let frontend = format!("{{default: {{}}, perPort: [{{port: 443, tls: {bundle}}}]}}");
    let listeners = [https("bundle", 443), https("good", 8443)];
    let mut without = with_features(&VALIDATION);
    without.features.remove(&Feature::ClusterTrustBundle);
    expect_with(
        "not supported",
        &resources(&listeners, &frontend, ""),
        &without,
        "Gateway default/g: Accepted=True/ListenersNotValid ResolvedRefs=False/ListenersNotResolved
           bundle [HTTPRoute GRPCRoute]: Accepted=False/NoValidCACertificate Programmed=False/Invalid \
             ResolvedRefs=False/InvalidCACertificateKind
           good [HTTPRoute GRPCRoute]: ok",
    );
}
