//! XBackends that select pods. Names outside the cluster lead nowhere here: there is no resolver to look them up.

use std::net::{IpAddr, SocketAddr};

use gateway_core::api::{
    BackendObjectReference, BackendProtocol, BackendTlsMode, ConditionStatus, EXPERIMENTAL_GROUP, Pod,
    PodPhase, Resources, SessionPersistence, XBackend,
};
use gateway_core::name::ObjectName;
use gateway_core::rule::BackendKind;

use super::super::{BackendTls, Target};
use super::backend::{self, Referrer};
use super::{backend_tls_policy, namespace};

/// Whether a reference is to an XBackend.
pub(super) fn is_one(reference: &BackendObjectReference) -> bool {
    (&*reference.group, &*reference.kind) == (EXPERIMENTAL_GROUP, "XBackend")
}

/// The XBackend that a reference leads to, if it leads to one that can be used: XBK-02 to XBK-04, XBK-07.
pub(super) fn resolve(
    resources: &Resources,
    referrer: &Referrer<'_>,
    reference: &BackendObjectReference,
) -> Option<Target> {
    let named = namespace(reference.namespace.as_deref(), referrer.route);
    let name = ObjectName::new(named, reference.name.as_str());
    // XBK-02, MSH-12: in a mesh, too.
    let granted = backend::is_granted(resources, referrer.kind, &referrer.route.namespace, "XBackend", &name);
    let found = resources.backends.get(&name).filter(|_| granted)?;
    found.spec.endpoint_selector.as_ref()?;
    let is_plain = found.spec.tls.mode == BackendTlsMode::None;
    if !can_speak(referrer, found.spec.protocol.as_ref(), is_plain) {
        return None;
    }
    let tls = if is_plain { None } else { Some(Box::new(tls(resources, &name, found)?)) };
    let port = u16::try_from(found.spec.port.number?).ok()?;
    Some(Target { kind: BackendKind::XBackend, service: name, port, tls })
}

/// XBK-03: whether what a route sends can be said in a protocol.
fn can_speak(referrer: &Referrer<'_>, protocol: Option<&BackendProtocol>, is_plain: bool) -> bool {
    use BackendProtocol::{Grpc, H2c, Http, Http2, Http11, Mcp, Wss};
    match (referrer.gets, protocol) {
        ("HTTPRoute", Some(Http | Http2 | Http11 | H2c | Mcp | Grpc | Wss)) => true,
        ("GRPCRoute", Some(Http | Http2 | H2c | Grpc)) => true,
        ("HTTPRoute" | "GRPCRoute", given) => given.is_none(),
        ("UDPRoute", _) => false,
        (_, _) => is_plain || referrer.may_speak_tls,
    }
}

/// XBK-04: with the certificate of its own, or with none.
fn tls(resources: &Resources, name: &ObjectName, backend: &XBackend) -> Option<BackendTls> {
    let validation = backend.spec.tls.validation.as_ref()?;
    let client_certificate = match &backend.spec.tls.client_certificate_ref {
        None => None,
        Some(reference) => Some(backend_tls_policy::certificate(resources, ("XBackend", name), reference)?),
    };
    Some(BackendTls {
        server_name: validation.hostname.clone(),
        identities: backend_tls_policy::identities(validation).ok()?,
        authorities: backend_tls_policy::authorities(resources, name, validation).ok()?,
        client_certificate,
    })
}

/// XBK-07: the ready pods of its namespace with all of the labels, at its port; sorted.
pub(super) fn endpoints(resources: &Resources, target: &Target) -> Vec<SocketAddr> {
    let selector = &resources.backends[&target.service].spec.endpoint_selector;
    let labels = &selector.as_ref().expect("it was resolved").match_labels;
    let selected = resources.pods.iter().filter(|(key, pod)| {
        key.namespace == target.service.namespace
            && labels.iter().all(|(label, value)| pod.metadata.labels.get(label) == Some(value))
            && is_ready(pod)
    });
    let address = |pod: &Pod| pod.status.pod_ips.first()?.ip.parse::<IpAddr>().ok();
    let stays = |pod: &&Pod| pod.metadata.deletion_timestamp.is_none();
    let (staying, leaving): (Vec<_>, Vec<_>) = selected.map(|(_, pod)| &**pod).partition(stays);
    let at = |pods: Vec<&Pod>| {
        let addresses = pods.into_iter().filter_map(address);
        addresses.map(|ip| SocketAddr::new(ip, target.port)).collect::<Vec<_>>()
    };
    let mut endpoints = at(staying);
    if endpoints.is_empty() {
        endpoints = at(leaving);
    }
    endpoints.sort();
    endpoints.dedup();
    endpoints
}

fn is_ready(pod: &Pod) -> bool {
    let conditions = &pod.status.conditions;
    !matches!(pod.status.phase, Some(PodPhase::Succeeded | PodPhase::Failed))
        && conditions.iter().any(|it| it.r#type == "Ready" && it.status == ConditionStatus::True)
}

/// SES-01: the sessions with an XBackend, and whose they are.
pub(super) fn sessions<'r>(
    resources: &'r Resources,
    name: &ObjectName,
) -> Option<(String, &'r SessionPersistence)> {
    let written = resources.backends.get(name)?.spec.session_persistence.as_ref()?;
    Some((format!("XBackend/{name}"), written))
}
