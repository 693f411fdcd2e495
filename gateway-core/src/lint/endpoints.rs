//! EndpointSlices whose endpoints get no requests, whatever routes refer to.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::Lint;
use crate::api::{EndpointAddressType, EndpointSlice, Kind, Resources, Service, ServiceType};
use crate::condition::Reason;
use crate::finding::Finding;
use crate::name::ObjectName;

pub(super) fn look(lint: &mut Lint<'_>) {
    let resources = lint.resources;
    for (name, slice) in &resources.endpoint_slices {
        of_slice(name, slice, lint);
    }
    without_slice(lint);
}

/// Services that routes lead to, and of which nothing says where their endpoints are.
fn without_slice(lint: &mut Lint<'_>) {
    let resources = lint.resources;
    let mut with_slice = BTreeSet::new();
    // A slice that belongs to no Service may be the one that is missed, and has been told.
    let mut strays = BTreeSet::new();
    for (name, slice) in &resources.endpoint_slices {
        let service = slice.service_name().map(|service| ObjectName::new(name.namespace.clone(), service));
        match service.filter(|service| resources.services.contains_key(service)) {
            Some(service) => _ = with_slice.insert(service),
            None => _ = strays.insert(&*name.namespace),
        }
    }
    for name in routed_to(resources) {
        let Some(service) = resources.services.get(&name) else { continue };
        let is_external = service.spec.r#type == ServiceType::ExternalName;
        if with_slice.contains(&name) || strays.contains(&*name.namespace) || is_external {
            continue;
        }
        let selector = match service.spec.selector.is_empty() {
            true => "",
            false => ", as a cluster does for the selector",
        };
        let message = format!(
            "no EndpointSlice has its endpoints, so that its requests are answered with 503; write one{selector}, with the \
             label {}: {}",
            EndpointSlice::SERVICE_NAME_LABEL,
            name.name
        );
        lint.say(Kind::Service, &name, Reason::BackendNotFound, "", message);
    }
}

/// The Services that HTTPRoutes and GRPCRoutes name as backends or mirrors.
fn routed_to(resources: &Resources) -> BTreeSet<ObjectName> {
    let mut found = BTreeSet::new();
    let mut add = |route: &ObjectName, group: &str, kind: &str, namespace: Option<&str>, name: &str| {
        if group.is_empty() && kind == Kind::Service.as_str() {
            found.insert(ObjectName::new(namespace.unwrap_or(&route.namespace), name));
        }
    };
    let mut mirrors = Vec::new();
    for (route, object) in &resources.http_routes {
        for rule in &object.spec.rules {
            for to in &rule.backend_refs {
                add(route, &to.group, &to.kind, to.namespace.as_deref(), &to.name);
            }
            let filters = rule.backend_refs.iter().flat_map(|to| &to.filters).chain(&rule.filters);
            mirrors.extend(filters.filter_map(|filter| Some((route, filter.request_mirror.as_ref()?))));
        }
    }
    for (route, object) in &resources.grpc_routes {
        for rule in &object.spec.rules {
            for to in &rule.backend_refs {
                add(route, &to.group, &to.kind, to.namespace.as_deref(), &to.name);
            }
            let filters = rule.backend_refs.iter().flat_map(|to| &to.filters).chain(&rule.filters);
            mirrors.extend(filters.filter_map(|filter| Some((route, filter.request_mirror.as_ref()?))));
        }
    }
    for (route, mirror) in mirrors {
        let to = &mirror.backend_ref;
        add(route, &to.group, &to.kind, to.namespace.as_deref(), &to.name);
    }
    found
}

fn of_slice(name: &ObjectName, slice: &EndpointSlice, lint: &mut Lint<'_>) {
    let mut say = |field: &str, reason: Reason, message: String| {
        lint.say(Kind::EndpointSlice, name, reason, field, message);
    };
    let Some(service_name) = slice.service_name() else {
        let message = format!(
            "no label {} names the Service that the endpoints are of",
            EndpointSlice::SERVICE_NAME_LABEL
        );
        return say("metadata.labels", Reason::BackendNotFound, message);
    };
    let service_name = ObjectName::new(name.namespace.clone(), service_name);
    match &slice.address_type {
        EndpointAddressType::Ipv4 | EndpointAddressType::Ipv6 => {}
        other => {
            let message = format!(
                "{} is not supported, so that the endpoints get no requests; use IPv4 or IPv6",
                other.as_str()
            );
            say("addressType", Reason::UnsupportedAddress, message);
        }
    }
    for (index, endpoint) in slice.endpoints.iter().enumerate() {
        let address = endpoint.addresses.first().map_or("", String::as_str);
        if slice.address_type != EndpointAddressType::Fqdn && address.parse::<IpAddr>().is_err() {
            let message = format!("{address:?} is not an IP address, so that the endpoint gets no requests");
            say(&format!("endpoints[{index}].addresses[0]"), Reason::UnsupportedAddress, message);
        }
    }
    let Some(service) = lint.resources.services.get(&service_name) else {
        let message = format!("there is no Service {service_name}, so that the endpoints get no requests");
        let field = format!("metadata.labels[{:?}]", EndpointSlice::SERVICE_NAME_LABEL);
        let finding = Finding::new(field, Reason::BackendNotFound, message);
        return lint.note(Kind::EndpointSlice, name, finding.missing(Kind::Service.as_str(), service_name));
    };
    of_ports(name, slice, &service_name, service, lint);
}

/// A port of a slice belongs to the port of the Service with the same name and transport.
fn of_ports(
    name: &ObjectName,
    slice: &EndpointSlice,
    service_name: &ObjectName,
    service: &Service,
    lint: &mut Lint<'_>,
) {
    if slice.ports.is_empty() && !service.spec.ports.is_empty() {
        let message = format!(
            "there are none, so that the endpoints get no requests; Service {service_name} has {}",
            names(service)
        );
        return lint.say(Kind::EndpointSlice, name, Reason::BackendNotFound, "ports", message);
    }
    for (index, port) in slice.ports.iter().enumerate() {
        let is_this = |of_service: &&crate::api::ServicePort| {
            of_service.name.as_deref().unwrap_or("") == port.name.as_deref().unwrap_or("")
                && of_service.protocol == port.protocol
        };
        let mut say = |field: String, message: String| {
            lint.say(Kind::EndpointSlice, name, Reason::BackendNotFound, field, message);
        };
        if !service.spec.ports.iter().any(|port| is_this(&port)) {
            let message = format!(
                "Service {service_name} has no port named {:?} ({}), so that the endpoints get no requests there; its ports are {}",
                port.name.as_deref().unwrap_or(""),
                port.protocol,
                names(service)
            );
            say(format!("ports[{index}].name"), message);
        } else if port.port.is_none() {
            let message = "required to send requests to the endpoints, but missing".to_owned();
            say(format!("ports[{index}].port"), message);
        }
    }
}

/// The ports of a Service by their names, which its slices use.
fn names(service: &Service) -> String {
    let ports = service.spec.ports.iter();
    let names = ports.map(|port| format!("{:?} ({})", port.name.as_deref().unwrap_or(""), port.protocol));
    names.collect::<Vec<_>>().join(", ")
}
