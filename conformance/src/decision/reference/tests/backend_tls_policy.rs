//! BackendTLSPolicies.

use super::*;
use crate::decision::{Authorities, Identity};

pub(super) const AUTHORITY: &str = "{apiVersion: v1, kind: ConfigMap, metadata: {name: ca, namespace: infra}, \
    data: {ca.crt: \"-----BEGIN CERTIFICATE-----\\nMAA=\\n-----END CERTIFICATE-----\\n\"}}";

/// What is in [`AUTHORITY`].
pub(super) const CERTIFICATE: [u8; 2] = [0x30, 0];

pub(super) fn policy(name: &str, target: &str, hostname: &str, more: &str) -> String {
    format!(
        "{{apiVersion: gateway.networking.k8s.io/v1, kind: BackendTLSPolicy, \
         metadata: {{name: {name}, namespace: infra, creationTimestamp: \"{EARLY}\"}}, \
         spec: {{targetRefs: [{{group: '', kind: Service, {target}}}], \
         validation: {{hostname: {hostname}, {more}}}}}}}"
    )
}

pub(super) const CA: &str = "caCertificateRefs: [{group: '', kind: ConfigMap, name: ca}]";

fn to_port(port: u16) -> String {
    let rules = format!("rules: [{{backendRefs: [{{name: one, port: {port}}}]}}]");
    route("HTTPRoute", "web", &format!("parentRefs: [{{name: gw}}], {rules}"))
}

#[test]
fn the_policy_for_the_port_goes_first_and_then_the_oldest() {
    let server_name = |port: u16, policies: &[String]| {
        let to_port = to_port(port);
        let mut objects = vec![AUTHORITY, &to_port];
        objects.extend(policies.iter().map(String::as_str));
        match effect(&resources(HTTP, &objects), "any.test", "/", &[]) {
            Effect::Forwarded(forwarded) => {
                forwarded.to.tls.map_or("plain".to_owned(), |tls| tls.server_name)
            }
            Effect::Answered(reply) => reply.status.to_string(),
            Effect::Asks(asked) => panic!("{asked:?}"),
        }
    };
    let whole = policy("b", "name: one", "whole.test", CA);
    let of_port = policy("z", "name: one, sectionName: web", "port.test", CA);
    let both = [whole.clone(), of_port];
    // BTP-05
    assert_eq!(server_name(80, &both), "port.test");
    assert_eq!(server_name(81, &both), "whole.test");
    // BTP-06: as old as the other, so the name decides.
    let conflict = [whole, policy("a", "name: one", "first.test", CA)];
    assert_eq!(server_name(80, &conflict), "first.test");
    // BTP-01, BTP-04
    assert_eq!(server_name(80, &[policy("a", "name: one, sectionName: nobody", "a.test", CA)]), "plain");
    assert_eq!(server_name(80, &[]), "plain");
    // BTP-12 to BTP-15: never without TLS.
    let broken = [
        "caCertificateRefs: [{group: '', kind: ConfigMap, name: missing}]",
        "caCertificateRefs: [{group: example.com, kind: Odd, name: ca}]",
        "wellKnownCACertificates: Odd",
    ];
    for broken in broken {
        let status = server_name(80, &[policy("a", "name: one", "a.test", broken)]);
        assert_eq!(status, "500 Internal Server Error", "{broken}");
    }
}

#[test]
fn names_that_are_listed_replace_the_hostname() {
    let tls = |more: &str| {
        let objects = [AUTHORITY, &to_port(80), &policy("a", "name: one", "a.test", more)];
        match effect(&resources(HTTP, &objects), "any.test", "/", &[]) {
            Effect::Forwarded(forwarded) => forwarded.to.tls.unwrap(),
            other => panic!("{other:?}"),
        }
    };
    // BTP-16, BTP-17
    let alone = tls(CA);
    assert_eq!(alone.identities, [Identity::Hostname("a.test".to_owned())]);
    assert_eq!(alone.authorities, Authorities::Certificates(vec![CERTIFICATE.to_vec()]));
    let listed = "wellKnownCACertificates: System, \
        subjectAltNames: [{type: Hostname, hostname: b.test}, {type: URI, uri: \"spiffe://b.test/x\"}]";
    let listed = tls(listed);
    let names = [Identity::Hostname("b.test".to_owned()), Identity::Uri("spiffe://b.test/x".to_owned())];
    assert_eq!((listed.server_name.as_str(), &listed.identities[..]), ("a.test", &names[..]));
    assert_eq!(listed.authorities, Authorities::System);
}
