//! References to certificates, and who may make them.

use std::sync::Arc;

use gateway_core::api::{AnyObject, ByteString, Kind, Resources};
use gateway_core::name::ObjectName;
use gateway_core::options::Options;
use gateway_core::table::{Certificate, CertificateCheck};
use gateway_core::translate::{Translator, translate};

use crate::fixture::{certificate, expect_with, gateway, gateway_with, read, translated, world};

/// A Gateway with one HTTPS listener that refers to this.
fn https(reference: &str) -> String {
    gateway(
        "g",
        &format!("{{name: https, port: 443, protocol: HTTPS, tls: {{certificateRefs: [{reference}]}}}}"),
    )
}

fn grant(namespace: &str, from: &str, to: &str) -> String {
    format!(
        "
---
apiVersion: gateway.networking.k8s.io/v1
kind: ReferenceGrant
metadata: {{namespace: {namespace}, name: grant}}
spec: {{from: [{{{from}}}], to: [{{{to}}}]}}
"
    )
}

/// The resources with the certificates `default/cert` and `other/cert`.
fn with_certificates(yaml: &str) -> Resources {
    let mut resources = world(yaml);
    resources.insert(certificate("default", "cert"));
    resources.insert(certificate("other", "cert"));
    resources
}

#[track_caller]
fn unresolved(name: &str, resources: &Resources, reason: &str) {
    let expected = format!(
        "Gateway default/g: Accepted=True/ListenersNotValid Programmed=False/Invalid ResolvedRefs=False/ListenersNotResolved
           https [HTTPRoute GRPCRoute]: Programmed=False/Invalid ResolvedRefs=False/{reason}"
    );
    expect_with(name, resources, &Options::default(), &expected);
}

#[track_caller]
fn resolved(name: &str, resources: &Resources) {
    expect_with(
        name,
        resources,
        &Options::default(),
        "Gateway default/g: ok\nhttps [HTTPRoute GRPCRoute]: ok",
    );
}

/// Replaces an entry of the Secret `default/cert`.
fn with_entry(key: &str, value: Option<&str>) -> Resources {
    let mut resources = with_certificates(&https("{name: cert}"));
    let Some(AnyObject::Secret(secret)) = resources.get(Kind::Secret, &ObjectName::new("default", "cert"))
    else {
        panic!("it was inserted")
    };
    let mut secret = (*secret).clone();
    match value {
        Some(value) => secret.data.insert(key.to_owned(), ByteString(value.as_bytes().to_vec())),
        None => secret.data.remove(key),
    };
    resources.insert(secret.into());
    resources
}

// GWT-05, GWT-08, GWT-09, CND-56, CND-50
#[test]
fn a_reference_that_leads_to_no_certificate_leaves_the_listener_out() {
    let invalid = "InvalidCertificateRef";
    unresolved("missing", &with_certificates(&https("{name: missing}")), invalid);
    unresolved("wrong group", &with_certificates(&https("{group: wrong.company.io, name: cert}")), invalid);
    unresolved("wrong kind", &with_certificates(&https("{kind: WrongKind, name: cert}")), invalid);
    unresolved("not PEM", &with_entry("tls.crt", Some("Hello world\n")), invalid);
    let statuses = translate(&with_entry("tls.crt", Some("Hello world\n")), &Options::default()).statuses;
    let said: Vec<_> = statuses.causes().map(|(_, _, cause)| cause.to_string()).collect();
    assert!(
        said.iter().any(|said| said.contains("not a certificate in PEM; write all of it, from the line")),
        "{said:?}"
    );
    unresolved("key not PEM", &with_entry("tls.key", Some("Hello world\n")), invalid);
    unresolved("no certificate", &with_entry("tls.crt", None), invalid);
    unresolved("no key", &with_entry("tls.key", None), invalid);
    let text = "-----BEGIN CERTIFICATE-----\nSGVsbG8gd29ybGQK\n-----END CERTIFICATE-----\n";
    unresolved("PEM of something else", &with_entry("tls.crt", Some(text)), invalid);
    resolved("the certificate", &with_certificates(&https("{name: cert}")));

    let mut opaque = with_certificates(&https("{name: opaque}"));
    opaque.extend(read("{apiVersion: v1, kind: Secret, metadata: {name: opaque}}").iter());
    unresolved("type Opaque", &opaque, invalid);
}

// GWT-06, GWT-07, RGR-01, RGR-02, RGR-03, RGR-04, RGR-06, RGR-07, CND-57
#[test]
fn a_certificate_of_another_namespace_needs_a_grant_there() {
    let gateway = https("{namespace: other, name: cert}");
    let from = "group: gateway.networking.k8s.io, kind: Gateway, namespace: default";
    let secret = "group: '', kind: Secret";
    let with =
        |namespace, from: &str, to: &str| with_certificates(&(gateway.clone() + &grant(namespace, from, to)));

    resolved("all Secrets of the namespace", &with("other", from, secret));
    resolved("this Secret", &with("other", from, "group: '', kind: Secret, name: cert"));
    let v1beta1 = grant("other", from, secret).replace("/v1\n", "/v1beta1\n");
    resolved("RGR-10: in the older version", &with_certificates(&(gateway.clone() + &v1beta1)));

    let refused = "RefNotPermitted";
    unresolved("no grant", &with_certificates(&gateway), refused);
    unresolved("in a wrong namespace", &with("elsewhere", from, secret), refused);
    unresolved("in the namespace of the referrer", &with("default", from, secret), refused);
    unresolved(
        "from another group",
        &with("other", "group: example.com, kind: Gateway, namespace: default", secret),
        refused,
    );
    unresolved("from another kind", &with("other", &from.replace("Gateway", "HTTPRoute"), secret), refused);
    unresolved(
        "from another namespace",
        &with("other", &from.replace("default", "elsewhere"), secret),
        refused,
    );
    unresolved("to another group", &with("other", from, "group: example.com, kind: Secret"), refused);
    unresolved("to another kind", &with("other", from, "group: '', kind: Service"), refused);
    unresolved("to another name", &with("other", from, "group: '', kind: Secret, name: cert2"), refused);
    unresolved("in other letters", &with("other", from, "group: '', kind: secret"), refused);
}

// GWT-05: what cannot be read may be there.
#[test]
fn a_certificate_that_cannot_be_read_is_not_said_to_be_absent() {
    let resources = world(&https("{name: cert}"));
    let mut translator = Translator::new(Options::default());
    translator.update(&resources);
    let message = |translator: &mut Translator| {
        let translation = translator.translate();
        let status = &translation.statuses.gateways[&ObjectName::new("default", "g")];
        let condition = &status.listeners[0].conditions[2];
        assert_eq!(condition.reason.as_str(), "InvalidCertificateRef");
        let mut findings = translation.statuses.causes().map(|(.., cause)| &cause.finding);
        let finding = findings.find(|finding| condition.message.contains(&finding.message));
        (condition.message.clone(), finding.expect("the condition has a cause").because_of.is_some())
    };
    let absent = message(&mut translator);
    assert!(
        absent.0.ends_with("refers to Secret default/cert, which does not exist; write it, or name another")
            && absent.1,
        "{absent:?}"
    );

    let secret = (Kind::Secret, ObjectName::new("default", "cert"));
    let why = "may not be read; bind the role".to_owned();
    translator.set_unreadable([(secret, why)].into());
    let hidden = message(&mut translator);
    assert!(hidden.0.ends_with("Secret default/cert, which may not be read; bind the role"), "{hidden:?}");
    assert!(!hidden.1, "it may be there");
    let anew = translated(&resources, translator.options()).statuses;
    assert_eq!(translator.translation().statuses, anew);

    translator.set_unreadable([].into());
    assert_eq!(message(&mut translator), absent);
}

// RGR-08, GEN-17
#[test]
fn without_a_grant_nobody_learns_what_exists() {
    let message = |reference: &str| {
        let translation = translated(&with_certificates(&https(reference)), &Options::default());
        let status = &translation.statuses.gateways[&ObjectName::new("default", "g")];
        let condition = &status.listeners[0].conditions[2];
        assert_eq!(condition.reason.as_str(), "RefNotPermitted", "{reference}");
        condition.message.clone()
    };
    let there = message("{namespace: other, name: cert}");
    assert_eq!(
        there.replace("cert", "none"),
        message("{namespace: other, name: none}").replace("cert", "none")
    );
    message("{namespace: other, kind: WrongKind, name: cert}");
    assert_eq!(
        there,
        "tls.certificateRefs[0] refers to Secret other/cert, which no ReferenceGrant in namespace other permits; ask \
         there for one from Gateway in namespace default to Secret"
    );
}

// GWT-04, CND-54
#[test]
fn https_without_certificate_lacks_configuration() {
    let expected = "Gateway default/g: Accepted=True/ListenersNotValid Programmed=False/Invalid
                      https [HTTPRoute GRPCRoute]: Programmed=False/InvalidTLSConfig";
    for tls in ["", ", tls: {options: {example.com/mode: modern}}"] {
        let yaml = gateway("g", &format!("{{name: https, port: 443, protocol: HTTPS{tls}}}"));
        expect_with(tls, &world(&yaml), &Options::default(), expected);
    }
}

// GWT-03
#[test]
fn a_stream_that_passes_through_needs_no_certificate() {
    let listener =
        "{name: tls, port: 443, protocol: TLS, tls: {mode: Passthrough, certificateRefs: [{name: missing}]}}";
    expect_with(
        "whatever is written",
        &world(&gateway("g", listener)),
        &crate::fixture::with_features(&[gateway_core::feature::Feature::TlsRoute]),
        "Gateway default/g: ok\ntls [TLSRoute]: ok",
    );
}

// GWT-09: more than one reference is ours to choose; what is found is served.
#[test]
fn one_certificate_that_is_missing_does_not_take_the_others_away() {
    let references = "{name: cert}, {name: missing}, {name: cert}, {namespace: other, name: cert}";
    let resources = with_certificates(&https(references));
    expect_with(
        "permission is what is said first",
        &resources,
        &Options::default(),
        "Gateway default/g: ResolvedRefs=False/ListenersNotResolved
           https [HTTPRoute GRPCRoute]: ResolvedRefs=False/RefNotPermitted",
    );
    let table = translated(&resources, &Options::default()).table;
    let gateway_core::table::ListenerProtocol::Https(tls) = &table.listeners().next().unwrap().1.protocol
    else {
        panic!("it is an HTTPS listener")
    };
    assert_eq!(tls.certificates.len(), 1, "and none twice");
}

// GWB-01 to GWB-05, GWS-03, CND-26, CND-27
#[test]
fn the_certificate_for_backends_is_judged_on_the_gateway_and_stops_nothing() {
    let cases = [
        ("the certificate", "{name: cert}", "ok"),
        ("missing", "{name: missing}", "ResolvedRefs=False/InvalidClientCertificateRef"),
        ("wrong group", "{group: wrong.io, name: cert}", "ResolvedRefs=False/InvalidClientCertificateRef"),
        ("wrong kind", "{kind: WrongKind, name: cert}", "ResolvedRefs=False/InvalidClientCertificateRef"),
        ("type Opaque", "{name: opaque}", "ResolvedRefs=False/InvalidClientCertificateRef"),
        ("not permitted", "{namespace: other, name: cert}", "ResolvedRefs=False/RefNotPermitted"),
    ];
    for (name, reference, expected) in cases {
        let more = format!(", tls: {{backend: {{clientCertificateRef: {reference}}}}}");
        let mut resources =
            with_certificates(&gateway_with("g", "{name: http, port: 80, protocol: HTTP}", &more));
        resources.extend(read("{apiVersion: v1, kind: Secret, metadata: {name: opaque}}").iter());
        let expected = format!("Gateway default/g: {expected}\nhttp [HTTPRoute GRPCRoute]: ok");
        expect_with(name, &resources, &Options::default(), &expected);
        let table = translate(&resources, &Options::default()).table;
        let shown = table.client_certificate(&ObjectName::new("default", "g"));
        assert_eq!(shown.is_some(), expected.contains("g: ok"), "{name}");
    }
    let more = ", tls: {backend: {clientCertificateRef: {name: missing}}}";
    let listener = "{name: https, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: missing}]}}, {name: http, port: 80, protocol: HTTP}";
    expect_with(
        "its own reference is said before those of listeners",
        &world(&gateway_with("g", listener, more)),
        &Options::default(),
        "Gateway default/g: Accepted=True/ListenersNotValid ResolvedRefs=False/InvalidClientCertificateRef
           https [HTTPRoute GRPCRoute]: Programmed=False/Invalid ResolvedRefs=False/InvalidCertificateRef
           http [HTTPRoute GRPCRoute]: ok",
    );
}

#[test]
fn only_what_may_be_read_is_looked_up() {
    let reference =
        "{name: cert}, {name: missing}, {namespace: other, name: cert}, {kind: WrongKind, name: cert}";
    let resources = with_certificates(&https(reference));
    let lookups = translate(&resources, &Options::default()).lookups;
    let secrets: Vec<_> = lookups.of_kind(Kind::Secret).map(ToString::to_string).collect();
    assert_eq!(secrets, ["default/cert", "default/missing"]);
    assert!(lookups.contains(Kind::Secret, &ObjectName::new("default", "missing")), "its appearance matters");
}

/// Refuses the certificates of one object, as a TLS library would.
#[derive(Debug)]
struct Refusing(Certificate);

impl CertificateCheck for Refusing {
    fn check(&self, certificate: &Certificate) -> Result<(), String> {
        if *certificate == self.0 { Err("the key is of a kind that is unknown".to_owned()) } else { Ok(()) }
    }
}

// GWT-05, GWT-09
#[test]
fn a_certificate_that_the_data_plane_refuses_is_named_and_the_others_are_served() {
    let mut resources = with_certificates(&https("{name: cert}, {name: bad}"));
    resources.insert(certificate("default", "bad"));
    let secret = &resources.secrets[&ObjectName::new("default", "bad")];
    let bad = Certificate::from_pem(&secret.data["tls.crt"].0, &secret.data["tls.key"].0).unwrap();
    let options = Options { certificate_check: Some(Arc::new(Refusing(bad))), ..Options::default() };
    expect_with(
        "one of two",
        &resources,
        &options,
        "Gateway default/g: ResolvedRefs=False/ListenersNotResolved
           https [HTTPRoute GRPCRoute]: ResolvedRefs=False/InvalidCertificateRef",
    );
    let translation = translated(&resources, &options);
    let status = &translation.statuses.gateways[&ObjectName::new("default", "g")];
    assert_eq!(
        status.listeners[0].conditions[2].message,
        "tls.certificateRefs[1] refers to Secret default/bad, which cannot be used: the key is of a kind that is unknown"
    );
    assert_eq!(translation.table.listeners().count(), 1);

    // Who judges otherwise later is asked again.
    let mut translator = Translator::new(options);
    translator.update(&resources);
    translator.translate();
    translator.set_options(Options::default());
    let status = &translator.translate().statuses.gateways[&ObjectName::new("default", "g")];
    assert!(status.listeners[0].conditions.iter().all(|condition| condition.status), "{status:?}");
}
