//! EndpointSlices whose endpoints get no requests, whatever routes refer to.

use std::net::IpAddr;

use super::Lint;
use crate::api::{EndpointAddressType, EndpointSlice, Kind, Service};
use crate::condition::Reason;
use crate::name::ObjectName;

pub(super) fn look(lint: &mut Lint<'_>) {
    let resources = lint.resources;
    for (name, slice) in &resources.endpoint_slices {
        of_slice(name, slice, lint);
    }
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
        let field = format!("metadata.labels[{}]", EndpointSlice::SERVICE_NAME_LABEL);
        return lint.say(Kind::EndpointSlice, name, Reason::BackendNotFound, field, message);
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
    for (index, port) in slice.ports.iter().enumerate() {
        let is_this = |of_service: &&crate::api::ServicePort| {
            of_service.name.as_deref().unwrap_or("") == port.name.as_deref().unwrap_or("")
                && of_service.protocol == port.protocol
        };
        let mut say = |field: String, message: String| {
            lint.say(Kind::EndpointSlice, name, Reason::BackendNotFound, field, message);
        };
        if !service.spec.ports.iter().any(|port| is_this(&port)) {
            let names = service
                .spec
                .ports
                .iter()
                .map(|port| format!("{:?} ({})", port.name.as_deref().unwrap_or(""), port.protocol));
            let message = format!(
                "Service {service_name} has no port named {:?} ({}), so that the endpoints get no requests there; its ports are {}",
                port.name.as_deref().unwrap_or(""),
                port.protocol,
                names.collect::<Vec<_>>().join(", ")
            );
            say(format!("ports[{index}].name"), message);
        } else if port.port.is_none() {
            let message = "required to send requests to the endpoints, but missing".to_owned();
            say(format!("ports[{index}].port"), message);
        }
    }
}
