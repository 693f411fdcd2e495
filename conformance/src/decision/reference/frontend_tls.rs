//! TLS between a listener and its clients.

use gateway_core::api::{
    CERTIFICATES_GROUP, ConfigMap, FrontendValidationModeType, ObjectReference, Resources, TlsConfig,
};
use gateway_core::name::ObjectName;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::super::{ClientValidation, Handshake};
use super::gateway::{self, Listener, Protocol};
use super::{backend, namespace};

/// No client can be checked as it has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoAuthority;

/// HST-09, HST-22, GWT-10: what the listener that a server name belongs to shows and asks for; nothing if it belongs to
/// none that ends TLS.
pub(super) fn handshake(
    resources: &Resources,
    listeners: &[Listener<'_>],
    server_name: Option<&str>,
) -> Option<Handshake> {
    let listener = gateway::most_specific(listeners, server_name.unwrap_or(""))?;
    let clients = validation(resources, listener).ok()?;
    listener
        .protocol
        .ends_tls()
        .then(|| Handshake { certificates: gateway::certificates(resources, listener), clients })
}

/// GWF-01 to GWF-09: how the clients of a listener are checked, if they are.
pub(super) fn validation(
    resources: &Resources,
    listener: &Listener<'_>,
) -> Result<Option<ClientValidation>, NoAuthority> {
    // GWF-02: HTTPS only.
    if listener.protocol != Protocol::Https {
        return Ok(None);
    }
    let Some(config) = config(resources, listener) else { return Ok(None) };
    let Some(validation) = &config.validation else { return Ok(None) };
    let known = |reference: &ObjectReference| authority(resources, listener.gateway, reference);
    let authorities: Vec<Vec<u8>> =
        validation.ca_certificate_refs.iter().filter_map(known).flatten().collect();
    match validation.mode {
        FrontendValidationModeType::AllowValidOnly if authorities.is_empty() => Err(NoAuthority),
        FrontendValidationModeType::AllowInsecureFallback if authorities.is_empty() => Err(NoAuthority),
        FrontendValidationModeType::AllowValidOnly => {
            Ok(Some(ClientValidation { authorities, any_client: false }))
        }
        FrontendValidationModeType::AllowInsecureFallback => {
            Ok(Some(ClientValidation { authorities, any_client: true }))
        }
        FrontendValidationModeType::Unknown(_) => Err(NoAuthority),
    }
}

/// GWF-02, GWF-08: what is said for the port is said instead of what is said for all. GWF-12: also for the listeners of
/// ListenerSets.
fn config<'r>(resources: &'r Resources, listener: &Listener<'_>) -> Option<&'r TlsConfig> {
    let frontend = resources.gateways[listener.gateway].spec.tls.as_ref()?.frontend.as_ref()?;
    let of_port = frontend.per_port.iter().find(|port| port.port == i32::from(listener.port));
    Some(of_port.map_or(&frontend.default, |port| &port.tls))
}

/// GWF-03 to GWF-06: the certificates of an authority.
fn authority(
    resources: &Resources,
    gateway: &ObjectName,
    reference: &ObjectReference,
) -> Option<Vec<Vec<u8>>> {
    if (&*reference.group, &*reference.kind) == (CERTIFICATES_GROUP, "ClusterTrustBundle") {
        return bundle(resources, &reference.name);
    }
    let to = ObjectName::new(namespace(reference.namespace.as_deref(), gateway), reference.name.as_str());
    let is_config_map = reference.group.is_empty() && reference.kind == "ConfigMap";
    let granted = backend::is_granted(resources, "Gateway", &gateway.namespace, "ConfigMap", &to);
    if !is_config_map || !granted {
        return None;
    }
    certificates_of(resources.config_maps.get(&to)?)
}

/// CTB-01, CTB-02: what a ClusterTrustBundle has, whichever namespace asks.
pub(super) fn bundle(resources: &Resources, name: &str) -> Option<Vec<Vec<u8>>> {
    let bundle = resources.cluster_trust_bundles.get(&ObjectName::cluster(name))?;
    read(bundle.spec.trust_bundle.as_bytes())
}

/// GWF-04, BTP-12: what a ConfigMap has under `ca.crt`, if that is a certificate, or several.
pub(super) fn certificates_of(map: &ConfigMap) -> Option<Vec<Vec<u8>>> {
    read(map.data.get("ca.crt")?.as_bytes())
}

/// The certificates in a text in DER; at least one, and nothing else may call itself so.
pub(super) fn read(pem: &[u8]) -> Option<Vec<Vec<u8>>> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let all: Vec<Vec<u8>> = all.ok()?.into_iter().map(|certificate| certificate.to_vec()).collect();
    (!all.is_empty()).then_some(all)
}
