//! The targets of references, and the weighted choice among several backends.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use gateway_core::api::{
    BackendObjectReference, EXPERIMENTAL_GROUP, EndpointAddressType, GATEWAY_GROUP, HttpBackendRef,
    MULTICLUSTER_GROUP, Resources, Service, ServiceImportType, ServicePort, ServiceType, TransportProtocol,
};
use gateway_core::name::ObjectName;
use gateway_core::rule::BackendKind;

use super::super::Target;
use super::{backend_tls_policy, namespace, x_backend};

/// RGR-01 to RGR-03: within a namespace always, into another one if a ReferenceGrant there says so.
pub(super) fn is_granted(
    resources: &Resources,
    from_kind: &str,
    from_namespace: &str,
    to_kind: &str,
    to: &ObjectName,
) -> bool {
    let from_group = if from_kind == "XBackend" { EXPERIMENTAL_GROUP } else { GATEWAY_GROUP };
    let to_group = match to_kind {
        "ServiceImport" => MULTICLUSTER_GROUP,
        "XBackend" => EXPERIMENTAL_GROUP,
        _ => "",
    };
    *from_namespace == *to.namespace
        || resources.reference_grants.iter().any(|(key, grant)| {
            key.namespace == to.namespace
                && grant.spec.from.iter().any(|from| {
                    from.group == from_group && from.kind == from_kind && from.namespace == from_namespace
                })
                && grant.spec.to.iter().any(|target| {
                    target.group == to_group
                        && target.kind == to_kind
                        && target.name.as_ref().is_none_or(|name| **name == *to.name)
                })
        })
}

/// Who refers to a backend.
#[derive(Clone, Copy, Debug)]
pub(super) struct Referrer<'r> {
    /// The kind of the object: of a route, or of what holds a listener.
    pub(super) kind: &'static str,
    /// The object.
    pub(super) route: &'r ObjectName,
    /// The kind of the routes that send what is sent.
    pub(super) gets: &'static str,
    /// The Gateway that sends the request; none within a mesh.
    pub(super) gateway: Option<&'r ObjectName>,
    /// Whether the gateway may speak TLS with the backend. It cannot where it passes TLS through.
    pub(super) may_speak_tls: bool,
}

/// HRB-17: what a group and a kind are as a backend, if anything.
pub(super) fn kind(group: &str, kind: &str) -> Option<BackendKind> {
    match (group, kind) {
        ("", "Service") => Some(BackendKind::Service),
        (MULTICLUSTER_GROUP, "ServiceImport") => Some(BackendKind::ServiceImport),
        _ => None,
    }
}

/// HRB-17: a ServiceImport is a Service with endpoints elsewhere.
pub(super) fn service<'r>(
    resources: &'r Resources,
    kind: BackendKind,
    name: &ObjectName,
) -> Option<Cow<'r, Service>> {
    match kind {
        BackendKind::Service => return Some(Cow::Borrowed(resources.services.get(name)?)),
        BackendKind::ServiceImport => {}
        _ => return None,
    }
    let import = resources.service_imports.get(name)?;
    let ports = import.spec.ports.iter().cloned().map(|port| ServicePort {
        name: port.name,
        port: port.port,
        protocol: port.protocol,
        app_protocol: port.app_protocol,
        ..ServicePort::default()
    });
    let mut service = Service { metadata: import.metadata.clone(), ..Service::default() };
    service.spec.ports = ports.collect();
    // A headless one has no affinity, whatever it says.
    if import.spec.r#type != ServiceImportType::Headless {
        service.spec.session_affinity = import.spec.session_affinity.clone();
    }
    Some(Cow::Owned(service))
}

/// The backend that a reference of a route leads to, if it leads to one: HRB-05 to HRB-08, HRB-16, RGR-09.
pub(super) fn resolve(
    resources: &Resources,
    referrer: &Referrer<'_>,
    reference: &BackendObjectReference,
) -> Option<Target> {
    if x_backend::is_one(reference) {
        return x_backend::resolve(resources, referrer, reference);
    }
    let kind = kind(&reference.group, &reference.kind)?;
    let named = namespace(reference.namespace.as_deref(), referrer.route);
    let name = ObjectName::new(named, reference.name.as_str());
    // RGR-05, MSH-12: within a mesh no grant is asked for.
    let granted = referrer.gateway.is_none()
        || is_granted(resources, referrer.kind, &referrer.route.namespace, kind.as_str(), &name);
    if !granted {
        return None;
    }
    let found = service(resources, kind, &name)?;
    if found.spec.r#type == ServiceType::ExternalName {
        return None;
    }
    let port = port_of(&found, reference.port?, transport(referrer.gets))?;
    // BTP-14: with a policy that cannot be carried out there is no backend.
    let tls = match referrer.may_speak_tls {
        true => backend_tls_policy::of_backend(resources, referrer.gateway, (kind, &name), port).ok()?,
        false => None,
    };
    if !can_speak(referrer.gets, port.app_protocol.as_deref(), tls.is_some()) {
        return None;
    }
    Some(Target { kind, service: name, port: u16::try_from(port.port).ok()?, tls })
}

/// The same for a weighted reference.
pub(super) fn resolve_ref(
    resources: &Resources,
    referrer: &Referrer<'_>,
    reference: &HttpBackendRef,
) -> Option<Target> {
    let HttpBackendRef { group, kind, name, namespace, port, .. } = reference.clone();
    let reference = BackendObjectReference {
        group: group.into(),
        kind: kind.into(),
        name: name.into(),
        namespace: namespace.map(Into::into),
        port,
    };
    resolve(resources, referrer, &reference)
}

/// The port of a Service with this number.
fn port_of(service: &Service, number: i32, transport: TransportProtocol) -> Option<&ServicePort> {
    service.spec.ports.iter().find(|port| port.port == number && port.protocol == transport)
}

/// What the backends of a kind of routes are reached by.
pub(super) fn transport(kind: &str) -> TransportProtocol {
    if kind == "UDPRoute" { TransportProtocol::Udp } else { TransportProtocol::Tcp }
}

/// BPR-02, BPR-03: whether a kind of routes can use the protocol of a port.
fn can_speak(kind: &str, app_protocol: Option<&str>, tls: bool) -> bool {
    match (kind, app_protocol) {
        ("HTTPRoute", Some("kubernetes.io/wss")) => tls,
        ("GRPCRoute", Some("kubernetes.io/ws" | "kubernetes.io/wss")) => false,
        _ => true,
    }
}

/// The ready endpoints of a backend, sorted: HRB-02, HRB-15. HRB-17: those of a ServiceImport are of no Service.
pub(super) fn endpoints(
    resources: &Resources,
    target: &Target,
    transport: &TransportProtocol,
) -> Vec<SocketAddr> {
    if target.kind == BackendKind::XBackend {
        return x_backend::endpoints(resources, target);
    }
    let service = service(resources, target.kind, &target.service).expect("it was resolved");
    let port = port_of(&service, i32::from(target.port), transport.clone()).expect("it was resolved");
    let port_name = port.name.clone().unwrap_or_default();
    let mut endpoints = Vec::new();
    for (key, slice) in &resources.endpoint_slices {
        let labels = &slice.metadata.labels;
        let of_import = labels.get("multicluster.kubernetes.io/service-name");
        let of_service = labels.get("kubernetes.io/service-name").filter(|_| of_import.is_none());
        let label = if target.kind == BackendKind::Service { of_service } else { of_import };
        let is_of_service = key.namespace == target.service.namespace
            && label.is_some_and(|label| **label == *target.service.name);
        if !is_of_service || slice.address_type == EndpointAddressType::Fqdn {
            continue;
        }
        let number = slice
            .ports
            .iter()
            .filter(|port| port.protocol == *transport)
            .find(|port| port.name.clone().unwrap_or_default() == port_name)
            .and_then(|port| port.port);
        let Some(number) = number else { continue };
        for endpoint in slice.endpoints.iter().filter(|endpoint| endpoint.conditions.ready != Some(false)) {
            if let Some(address) = endpoint.addresses.first().and_then(|text| text.parse::<IpAddr>().ok()) {
                endpoints.push(SocketAddr::new(address, number as u16));
            }
        }
    }
    endpoints.sort();
    endpoints.dedup();
    endpoints
}

/// HRB-03, HRB-04: the reference that a random number picks, each by its share of the sum of all weights.
///
/// The numbers 0 to 2^64 are divided into as many equal parts as the sum of the weights, in the order of the list.
pub(super) fn pick<R>(refs: &[R], weight: impl Fn(&R) -> i32, random: u64) -> Option<&R> {
    let total: u128 = refs.iter().map(|reference| weight(reference) as u128).sum();
    let part = u128::from(random) * total / (1 << 64);
    let mut before = 0;
    for reference in refs {
        before += weight(reference) as u128;
        if part < before {
            return Some(reference);
        }
    }
    None
}
