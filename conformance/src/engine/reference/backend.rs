//! What references lead to, and which of several backends a request goes to.

use std::net::{IpAddr, SocketAddr};

use gateway_core::api::{
    BackendObjectReference, EndpointAddressType, GATEWAY_GROUP, HttpBackendRef, ObjectKey, Resources,
    ServiceType, TransportProtocol,
};

use super::super::Target;
use super::namespace;

/// RGR-01 to RGR-03: within a namespace always, into another one if a ReferenceGrant there says so.
pub(super) fn is_granted(
    resources: &Resources,
    from_kind: &str,
    from_namespace: &str,
    to_kind: &str,
    to: &ObjectKey,
) -> bool {
    from_namespace == to.namespace
        || resources.reference_grants.iter().any(|(key, grant)| {
            key.namespace == to.namespace
                && grant.spec.from.iter().any(|from| {
                    from.group == GATEWAY_GROUP && from.kind == from_kind && from.namespace == from_namespace
                })
                && grant.spec.to.iter().any(|target| {
                    target.group.is_empty()
                        && target.kind == to_kind
                        && target.name.as_ref().is_none_or(|name| *name == to.name)
                })
        })
}

/// The backend that a reference of a route leads to, if it leads to one: HRB-05 to HRB-08, HRB-16, RGR-09.
pub(super) fn resolve(
    resources: &Resources,
    route: &ObjectKey,
    reference: &BackendObjectReference,
) -> Option<Target> {
    if !reference.group.is_empty() || reference.kind != "Service" {
        return None;
    }
    let named = namespace(reference.namespace.as_deref(), route);
    let service = ObjectKey::new(named, reference.name.as_str());
    if !is_granted(resources, "HTTPRoute", &route.namespace, "Service", &service) {
        return None;
    }
    let found = resources.services.get(&service)?;
    if found.spec.r#type == ServiceType::ExternalName {
        return None;
    }
    let number = reference.port?;
    let port = found
        .spec
        .ports
        .iter()
        .find(|port| port.port == number && port.protocol == TransportProtocol::Tcp)?;
    // BPR: TLS to the backend needs a policy.
    if port.app_protocol.as_deref() == Some("kubernetes.io/wss") {
        return None;
    }
    Some(Target { service, port: u16::try_from(number).ok()? })
}

/// The same for a weighted reference.
pub(super) fn resolve_ref(
    resources: &Resources,
    route: &ObjectKey,
    reference: &HttpBackendRef,
) -> Option<Target> {
    let HttpBackendRef { group, kind, name, namespace, port, .. } = reference.clone();
    resolve(resources, route, &BackendObjectReference { group, kind, name, namespace, port })
}

/// The ready endpoints of a backend, sorted: HRB-02, HRB-15.
pub(super) fn endpoints(resources: &Resources, target: &Target) -> Vec<SocketAddr> {
    let service = &resources.services[&target.service];
    let of_target = |port: &&gateway_core::api::ServicePort| {
        port.port == i32::from(target.port) && port.protocol == TransportProtocol::Tcp
    };
    let port = service.spec.ports.iter().find(of_target).expect("it was resolved");
    let port_name = port.name.clone().unwrap_or_default();
    let mut endpoints = Vec::new();
    for (key, slice) in &resources.endpoint_slices {
        let label = slice.metadata.labels.get("kubernetes.io/service-name");
        let is_of_service = key.namespace == target.service.namespace && label == Some(&target.service.name);
        if !is_of_service || slice.address_type == EndpointAddressType::Fqdn {
            continue;
        }
        let number = slice
            .ports
            .iter()
            .filter(|port| port.protocol == TransportProtocol::Tcp)
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
pub(super) fn pick(refs: &[HttpBackendRef], random: u64) -> Option<&HttpBackendRef> {
    let total: u128 = refs.iter().map(|reference| reference.weight as u128).sum();
    let part = u128::from(random) * total / (1 << 64);
    let mut before = 0;
    for reference in refs {
        before += reference.weight as u128;
        if part < before {
            return Some(reference);
        }
    }
    None
}
