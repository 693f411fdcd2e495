//! BackendTLSPolicies, and what is looked at beside them.

use std::collections::BTreeMap;
use std::sync::Arc;

use gateway_core::api::{
    BackendObjectReference, BackendTlsPolicy, BackendTlsPolicySpec, BackendTlsPolicyValidation,
    BackendTrafficPolicySpec, BudgetDetails, CERTIFICATES_GROUP, ClusterTrustBundle, ClusterTrustBundleSpec,
    ConfigMap, GATEWAY_GROUP, GatewayBackendTls, GatewayTlsConfig, LocalObjectReference,
    LocalPolicyTargetReference, LocalPolicyTargetReferenceWithSectionName as TargetReference,
    MULTICLUSTER_GROUP, ObjectMeta, RequestRate, Resources, RetryConstraint, SecretObjectReference,
    SubjectAltName, SubjectAltNameType, TelemetryAttribute, TelemetryMode, TelemetryPolicySpec,
    TracingConfig, TracingProvider, WellKnownCaCertificatesType, XBackendTrafficPolicy, XTelemetryPolicy,
};

use super::source::Source;
use super::words::{NAMESPACES, SERVICES};
use super::{created, metadata, routes};

/// A few policies in some of the worlds, for the Services that most refer to.
pub(super) fn insert(source: &mut Source<'_>, resources: &mut Resources) {
    if source.chance(25) {
        for _ in 0..1 + source.below(3) {
            resources.insert(traffic_policy(source).into());
        }
    }
    if !source.chance(30) {
        return;
    }
    for number in 0..1 + source.below(4) {
        let mut policy = policy(source);
        policy.metadata.name = format!("policy-{number}");
        resources.insert(policy.into());
    }
    resources.insert(authority(source).into());
    if source.chance(50) {
        resources.insert(bundle(source).into());
    }
    for gateway in resources.gateways.values_mut() {
        if !source.chance(30) {
            continue;
        }
        let tls = GatewayTlsConfig { backend: Some(client_certificate(source)), frontend: None };
        Arc::make_mut(gateway).spec.tls.get_or_insert(tls);
    }
}

/// A policy for the traffic to Services.
pub(super) fn traffic_policy(source: &mut Source<'_>) -> XBackendTrafficPolicy {
    let mut names: Vec<&str> = source.list(1, 3, |source| source.one(&SERVICES));
    names.sort_unstable();
    names.dedup();
    let targets = names.iter().map(|name| {
        let (group, kind) = target_kind(source);
        LocalPolicyTargetReference { group, kind, name: (*name).to_owned() }
    });
    let target_refs = targets.collect();
    let budget =
        BudgetDetails { percent: source.one(&[0, 20, 100]), interval: source.one(&["1s", "10s"]).to_owned() };
    let min_retry_rate = RequestRate {
        count: source.some(60, |source| source.one(&[1, 10])),
        interval: source.some(60, |source| source.one(&["500ms", "1h"]).to_owned()),
    };
    let spec = BackendTrafficPolicySpec {
        target_refs,
        retry_constraint: source.some(70, |_| RetryConstraint { budget, min_retry_rate }),
        session_persistence: source.some(50, routes::session),
    };
    let mut metadata = metadata(source.one(&NAMESPACES), source.one(&["policy", "policy-b"]));
    metadata.creation_timestamp = source.one(&[created(1), created(1), created(2), None]);
    XBackendTrafficPolicy { metadata, spec, ..XBackendTrafficPolicy::default() }
}

/// A policy for the traces of Gateways.
pub(super) fn telemetry_policy(source: &mut Source<'_>) -> XTelemetryPolicy {
    let target = |source: &mut Source<'_>| LocalObjectReference {
        group: GATEWAY_GROUP.to_owned(),
        kind: source.one(&["Gateway", "Gateway", "Gateway", "HTTPRoute"]).to_owned(),
        name: source.one(&["gw", "gw", "gw-b", "missing"]).to_owned(),
    };
    let attribute = TelemetryAttribute::attribute("key", source.one(&["url.path", "unknown"]));
    let tracing = match source.one(&[TelemetryMode::Enabled, TelemetryMode::Enabled, TelemetryMode::Disabled])
    {
        TelemetryMode::Enabled => TracingConfig {
            mode: TelemetryMode::Enabled,
            provider: Some(TracingProvider {
                backend_ref: BackendObjectReference {
                    group: String::new(),
                    kind: "Service".to_owned(),
                    name: source.one(&SERVICES).to_owned(),
                    namespace: source.some(40, |source| source.one(&NAMESPACES).to_owned()),
                    port: Some(source.one(&[8080, 8080, 80])),
                },
                headers: Vec::new(),
            }),
            attributes: source.some(30, |_| vec![attribute]).unwrap_or_default(),
            ..TracingConfig::default()
        },
        mode => TracingConfig { mode, ..TracingConfig::default() },
    };
    let target_refs = source.list(1, 3, target);
    let mut metadata = metadata(source.one(&["infra", "app"]), source.one(&["policy", "policy-b"]));
    metadata.creation_timestamp = source.one(&[created(1), created(1), created(2), None]);
    let spec = TelemetryPolicySpec { target_refs, tracing: Some(tracing) };
    XTelemetryPolicy { metadata, spec, ..XTelemetryPolicy::default() }
}

/// What a Gateway shows to backends.
pub(super) fn client_certificate(source: &mut Source<'_>) -> GatewayBackendTls {
    let reference = SecretObjectReference {
        group: String::new(),
        kind: source.one(&["Secret", "Secret", "Secret", "ConfigMap"]).to_owned(),
        name: source.one(&["certificate", "certificate", "missing"]).to_owned(),
        namespace: source.some(40, |source| source.one(&NAMESPACES).to_owned()),
    };
    GatewayBackendTls { client_certificate_ref: Some(reference) }
}

const PEM: &str = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";

/// The same for the whole cluster.
pub(super) fn bundle(source: &mut Source<'_>) -> ClusterTrustBundle {
    let trust_bundle = source.one(&[PEM, PEM, "no certificate"]).to_owned();
    let metadata = ObjectMeta { name: "authority".to_owned(), ..ObjectMeta::default() };
    ClusterTrustBundle { metadata, spec: ClusterTrustBundleSpec { signer_name: None, trust_bundle } }
}

/// An authority as far as translation looks at it, or a text that is none.
pub(super) fn authority(source: &mut Source<'_>) -> ConfigMap {
    let text = source.one(&[PEM, PEM, "no certificate"]);
    ConfigMap {
        metadata: metadata(source.one(&["infra", "app"]), "authority"),
        data: BTreeMap::from([("ca.crt".to_owned(), text.to_owned())]),
        ..ConfigMap::default()
    }
}

pub(super) fn policy(source: &mut Source<'_>) -> BackendTlsPolicy {
    let section = source.below(3);
    let mut targets = vec![target(source, section)];
    if source.chance(20) {
        let other = target(source, section);
        // One object is named twice by different sections only.
        if targets[0].name != other.name {
            targets.push(other);
        }
    }
    let validation = validation(source);
    let spec = BackendTlsPolicySpec { target_refs: targets, validation, ..BackendTlsPolicySpec::default() };
    let mut metadata = metadata(source.one(&NAMESPACES), source.one(&["policy", "policy-b"]));
    metadata.creation_timestamp = source.one(&[created(1), created(1), created(2), None]);
    BackendTlsPolicy { metadata, spec, ..BackendTlsPolicy::default() }
}

/// By what a backend is known.
pub(super) fn validation(source: &mut Source<'_>) -> BackendTlsPolicyValidation {
    let (ca_certificate_refs, well_known_ca_certificates) = match source.below(6) {
        0..3 => (None, Some(WellKnownCaCertificatesType::System)),
        3 => (None, Some(WellKnownCaCertificatesType::from("example.com/odd"))),
        _ => {
            let (group, kind) = source.one(&[
                ("", "ConfigMap"),
                ("", "ConfigMap"),
                ("", "Secret"),
                (CERTIFICATES_GROUP, "ClusterTrustBundle"),
            ]);
            let (group, kind) = (group.to_owned(), kind.to_owned());
            let reference = LocalObjectReference { group, kind, name: "authority".to_owned() };
            (Some(vec![reference]), None)
        }
    };
    let names = [
        (SubjectAltNameType::Hostname, Some("b.test"), None),
        (SubjectAltNameType::Uri, None, Some("spiffe://b.test/x")),
    ];
    let subject_alt_names = source.list(0, 2, |source| {
        let (r#type, hostname, uri) = source.one(&names);
        SubjectAltName { r#type, hostname: hostname.map(str::to_owned), uri: uri.map(str::to_owned) }
    });
    BackendTlsPolicyValidation {
        ca_certificate_refs,
        well_known_ca_certificates,
        hostname: source.one(&["backend.test", "other.test"]).to_owned(),
        subject_alt_names: if source.chance(30) { subject_alt_names } else { Vec::new() },
    }
}

fn target(source: &mut Source<'_>, section: usize) -> TargetReference {
    let (group, kind) = target_kind(source);
    TargetReference {
        group,
        kind,
        name: source.one(&SERVICES).to_owned(),
        section_name: [None, Some("http"), Some("other")][section].map(str::to_owned),
    }
}

/// The group and the kind of what a policy is for.
fn target_kind(source: &mut Source<'_>) -> (String, String) {
    let (group, kind) = match source.chance(15) {
        true => (MULTICLUSTER_GROUP, "ServiceImport"),
        false => ("", "Service"),
    };
    (group.to_owned(), kind.to_owned())
}
