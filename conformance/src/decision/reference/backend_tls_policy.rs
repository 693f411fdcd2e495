//! The BackendTLSPolicy that holds for a port of a Service or ServiceImport, and its settings.

use gateway_core::api::{
    BackendTlsPolicy, BackendTlsPolicyValidation, CERTIFICATES_GROUP, LocalObjectReference, Resources,
    SecretObjectReference, ServicePort, SubjectAltName, SubjectAltNameType, WellKnownCaCertificatesType,
};
use gateway_core::name::ObjectName;
use gateway_core::rule::BackendKind;

use super::super::{Authorities, BackendTls, Identity};
use super::{age, backend, frontend_tls, namespace};

/// A policy holds, and cannot be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct InvalidPolicy;

/// BTP-01: how TLS is spoken with a port of a Service; not at all without a policy. BTP-21: in a mesh, too.
pub(super) fn of_backend(
    resources: &Resources,
    gateway: Option<&ObjectName>,
    service: (BackendKind, &ObjectName),
    port: &ServicePort,
) -> Result<Option<Box<BackendTls>>, InvalidPolicy> {
    // BTP-05: a policy for the port goes before one for the Service.
    let of_port = port.name.as_deref().and_then(|name| oldest(resources, service, Some(name)));
    let Some((key, policy)) = of_port.or_else(|| oldest(resources, service, None)) else { return Ok(None) };
    Ok(Some(Box::new(BackendTls {
        // BTP-16: the hostname is the server name, whatever the certificate has to have.
        server_name: policy.spec.validation.hostname.clone(),
        identities: identities(&policy.spec.validation)?,
        authorities: authorities(resources, key, &policy.spec.validation)?,
        client_certificate: gateway.and_then(|gateway| client_certificate(resources, gateway)),
    })))
}

/// BTP-02, BTP-04, BTP-06: of the policies for this Service, and this port name or none, the oldest.
fn oldest<'r>(
    resources: &'r Resources,
    (kind, service): (BackendKind, &ObjectName),
    section: Option<&str>,
) -> Option<(&'r ObjectName, &'r BackendTlsPolicy)> {
    let policies = resources.backend_tls_policies.iter().map(|(key, policy)| (key, &**policy));
    policies
        .filter(|(key, policy)| {
            key.namespace == service.namespace
                && policy.spec.target_refs.iter().any(|target| {
                    backend::kind(&target.group, &target.kind) == Some(kind)
                        && *target.name == *service.name
                        && target.section_name.as_deref() == section
                })
        })
        .min_by_key(|(key, policy)| age::of(&policy.metadata, key))
}

/// BTP-17, BTP-18: one of the names that are listed; the hostname if none is.
pub(super) fn identities(validation: &BackendTlsPolicyValidation) -> Result<Vec<Identity>, InvalidPolicy> {
    if validation.subject_alt_names.is_empty() {
        return Ok(vec![Identity::Hostname(validation.hostname.clone())]);
    }
    let identity = |name: &SubjectAltName| match (&name.r#type, &name.hostname, &name.uri) {
        (SubjectAltNameType::Hostname, Some(hostname), _) => Ok(Identity::Hostname(hostname.clone())),
        (SubjectAltNameType::Uri, _, Some(uri)) => Ok(Identity::Uri(uri.clone())),
        _ => Err(InvalidPolicy),
    };
    validation.subject_alt_names.iter().map(identity).collect()
}

/// BTP-11 to BTP-13, BTP-15: at least one authority must be known.
pub(super) fn authorities(
    resources: &Resources,
    key: &ObjectName,
    validation: &BackendTlsPolicyValidation,
) -> Result<Authorities, InvalidPolicy> {
    match &validation.well_known_ca_certificates {
        Some(WellKnownCaCertificatesType::System) => return Ok(Authorities::System),
        Some(WellKnownCaCertificatesType::Unknown(_)) => return Err(InvalidPolicy),
        None => {}
    }
    let authority = |reference: &LocalObjectReference| {
        if (&*reference.group, &*reference.kind) == (CERTIFICATES_GROUP, "ClusterTrustBundle") {
            return frontend_tls::bundle(resources, &reference.name);
        }
        let is_config_map = reference.group.is_empty() && reference.kind == "ConfigMap";
        let map = ObjectName::new(&*key.namespace, reference.name.as_str());
        let map = resources.config_maps.get(&map).filter(|_| is_config_map);
        map.and_then(|map| frontend_tls::certificates_of(map))
    };
    let known: Vec<Vec<u8>> =
        validation.ca_certificate_refs.iter().flatten().filter_map(authority).flatten().collect();
    if known.is_empty() { Err(InvalidPolicy) } else { Ok(Authorities::Certificates(known)) }
}

/// GWB-01 to GWB-05, BTP-23: what the Gateway shows to its backends. One that cannot be had is not shown.
fn client_certificate(resources: &Resources, gateway: &ObjectName) -> Option<Vec<u8>> {
    let tls = resources.gateways.get(gateway)?.spec.tls.as_ref()?;
    certificate(resources, ("Gateway", gateway), tls.backend.as_ref()?.client_certificate_ref.as_ref()?)
}

/// The certificate that a reference of an object, a kind and a name, leads to.
pub(super) fn certificate(
    resources: &Resources,
    (kind, name): (&str, &ObjectName),
    reference: &SecretObjectReference,
) -> Option<Vec<u8>> {
    let to = ObjectName::new(namespace(reference.namespace.as_deref(), name), reference.name.as_str());
    let granted = backend::is_granted(resources, kind, &name.namespace, "Secret", &to);
    if !reference.group.is_empty() || reference.kind != "Secret" || !granted {
        return None;
    }
    // GWB-05: what is in a Secret without key cannot be shown.
    let secret = resources.secrets.get(&to)?;
    let is_complete = secret.r#type == "kubernetes.io/tls" && secret.data.contains_key("tls.key");
    let certificate = secret.data.get("tls.crt").filter(|_| is_complete)?;
    frontend_tls::read(&certificate.0)?.into_iter().next()
}
