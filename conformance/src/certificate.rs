//! Certificates: made when the harness starts, as Secrets and ConfigMaps that cases name.

use gateway_core::api::Kind;

/// The objects that are made: kind, namespace and name.
///
/// All authorities have the same subject, so that a verifier has to look at signatures.
pub const GENERATED: &[(Kind, &str, &str)] = &[
    // Self-signed, for every host.
    (Kind::Secret, "gateway-conformance-web-backend", "certificate"),
    // Self-signed, for *.org and *.wildcard.org: that of HTTPS listeners.
    (Kind::Secret, "gateway-conformance-infra", "tls-validity-checks-certificate"),
    (Kind::ConfigMap, "gateway-conformance-web-backend", "web-backend-cm"),
    // Authority A and a client of it.
    (Kind::ConfigMap, "gateway-conformance-infra", "tls-validity-checks-ca-certificate"),
    (Kind::Secret, "gateway-conformance-infra", "tls-validity-checks-client-certificate"),
    // Authority B and a client of it.
    (Kind::ConfigMap, "gateway-conformance-infra", "tls-validity-checks-per-port-ca-certificate"),
    (Kind::Secret, "gateway-conformance-infra", "tls-validity-checks-per-port-client-certificate"),
    // Authority C, with servers and a client of it.
    (Kind::ConfigMap, "gateway-conformance-infra", "tls-checks-ca-certificate"),
    (Kind::Secret, "gateway-conformance-infra", "tls-checks-certificate"),
    (Kind::Secret, "gateway-conformance-infra", "tls-passthrough-checks-certificate"),
    (Kind::Secret, "gateway-conformance-app-backend", "tls-passthrough-checks-certificate"),
    (Kind::Secret, "gateway-conformance-infra", "tls-terminate-checks-certificate"),
    (Kind::Secret, "gateway-conformance-infra", "tls-checks-client-certificate"),
    // Authority D, which signed nothing.
    (Kind::ConfigMap, "gateway-conformance-infra", "mismatch-ca-certificate"),
];
