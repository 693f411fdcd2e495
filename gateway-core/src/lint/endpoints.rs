//! EndpointSlices whose endpoints get no requests, whatever routes refer to.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::Lint;
use super::references::{self, Reference, Role};
use crate::api::{EndpointAddressType, EndpointSlice, Kind, Resources, ServiceType, TransportProtocol};
use crate::condition::Reason;
use crate::finding::Finding;
use crate::name::ObjectName;
use crate::resolve::{BackendName, backend_of};

/// What endpoints are of, and the names and transports of its ports, by which its slices name them.
struct Owner<'r> {
    kind: Kind,
    name: ObjectName,
    ports: Vec<(&'r str, &'r TransportProtocol)>,
}

pub(super) fn look(lint: &mut Lint<'_>) {
    let resources = lint.resources;
    for (name, slice) in &resources.endpoint_slices {
        of_slice(name, slice, lint);
    }
    without_slice(lint);
}

/// What routes lead to, and of which nothing says where the endpoints are, or that one is ready.
fn without_slice(lint: &mut Lint<'_>) {
    let resources = lint.resources;
    let mut with_slice = BTreeSet::new();
    let mut with_endpoint = BTreeSet::new();
    // A slice that belongs to nothing may be the one that is missed, and has been told.
    let mut strays = BTreeSet::new();
    for (name, slice) in &resources.endpoint_slices {
        match named(name, slice).filter(|(kind, owner)| resources.contains(*kind, owner)) {
            Some(owner) => {
                let mut conditions = slice.endpoints.iter().map(|endpoint| &endpoint.conditions);
                if conditions.any(|of_one| of_one.is_ready() || of_one.is_terminating_and_serving()) {
                    with_endpoint.insert(owner.clone());
                }
                with_slice.insert(owner);
            }
            None => _ = strays.insert(&*name.namespace),
        }
    }
    for (kind, name) in routed_to(resources) {
        let Some(owner) = Owner::find(kind, &name, resources) else { continue };
        let service = resources.services.get(&name).filter(|_| kind == Kind::Service);
        let is_external = service.is_some_and(|service| service.spec.r#type == ServiceType::ExternalName);
        let named = (kind, name);
        if with_slice.contains(&named) && !is_external && !with_endpoint.contains(&named) {
            let message = "no endpoint of its EndpointSlices is ready, so that its requests are answered with 503; write `conditions: \
                           {ready: true}` where one is";
            lint.say(kind, &owner.name, Reason::BackendNotFound, "", message);
        }
        if strays.contains(&*owner.name.namespace) || is_external || with_slice.contains(&named) {
            continue;
        }
        let selector = match service.is_some_and(|service| !service.spec.selector.is_empty()) {
            true => ", as a cluster does for the selector",
            false => "",
        };
        let message = format!(
            "no EndpointSlice has its endpoints, so that its requests are answered with 503; write one{selector}, with the \
             label {}: {}",
            owner.label(),
            owner.name.name
        );
        lint.say(kind, &owner.name, Reason::BackendNotFound, "", message);
    }
}

/// The Services and ServiceImports that HTTPRoutes and GRPCRoutes name as backends or mirrors.
fn routed_to(resources: &Resources) -> BTreeSet<(Kind, ObjectName)> {
    let gets_requests = |to: &Reference<'_>| {
        matches!(to.of, Kind::HttpRoute | Kind::GrpcRoute)
            && matches!(to.role, Role::Backend { .. } | Role::Mirror)
    };
    let all = references::of_routes(resources).into_iter().filter(gets_requests);
    let found = all.filter_map(|to| {
        let name = || ObjectName::new(to.namespace.unwrap_or(&to.by.namespace), to.name);
        BackendName::find_service(to.group, to.kind, name).map(BackendName::into_object)
    });
    found.collect()
}

/// What a slice says that its endpoints are of.
fn named(name: &ObjectName, slice: &EndpointSlice) -> Option<(Kind, ObjectName)> {
    backend_of(name, slice).map(BackendName::into_object)
}

fn of_slice(name: &ObjectName, slice: &EndpointSlice, lint: &mut Lint<'_>) {
    let mut say = |field: &str, reason: Reason, message: String| {
        lint.say(Kind::EndpointSlice, name, reason, field, message);
    };
    let Some((kind, owner)) = named(name, slice) else {
        let message = format!(
            "no label {} names the Service that the endpoints are of; write it",
            EndpointSlice::SERVICE_NAME_LABEL
        );
        return say("metadata.labels", Reason::BackendNotFound, message);
    };
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
            let message =
                format!("{address:?} is not an IP address, so that the endpoint gets no requests; write one");
            say(&format!("endpoints[{index}].addresses[0]"), Reason::UnsupportedAddress, message);
        }
    }
    let Some(owner) = Owner::find(kind, &owner, lint.resources) else {
        let message = format!(
            "there is no {kind} {owner}, so that the endpoints get no requests; write one, or name another"
        );
        let field = format!("metadata.labels[{:?}]", label(kind));
        let finding = Finding::new(field, Reason::BackendNotFound, message);
        return lint.note(Kind::EndpointSlice, name, finding.because_of(kind.as_str(), owner));
    };
    of_ports(name, slice, &owner, lint);
}

/// A port of a slice belongs to the port of its owner with the same name and transport.
fn of_ports(name: &ObjectName, slice: &EndpointSlice, owner: &Owner<'_>, lint: &mut Lint<'_>) {
    let Owner { kind, name: owner_name, ports } = owner;
    if slice.ports.is_empty() && !ports.is_empty() {
        let message = format!(
            "there are none, so that the endpoints get no requests; {kind} {owner_name} has {}",
            owner.names()
        );
        return lint.say(Kind::EndpointSlice, name, Reason::BackendNotFound, "ports", message);
    }
    for (index, port) in slice.ports.iter().enumerate() {
        let port_name = port.name.as_deref().unwrap_or("");
        let mut say = |field: String, message: String| {
            lint.say(Kind::EndpointSlice, name, Reason::BackendNotFound, field, message);
        };
        if !ports.contains(&(port_name, &port.protocol)) {
            let message = format!(
                "{kind} {owner_name} has no port {} ({}), so that the endpoints get no requests there; it has {}",
                named_port(port_name),
                port.protocol,
                owner.names()
            );
            say(format!("ports[{index}].name"), message);
        } else if port.port.is_none() {
            let message = "required to send requests to the endpoints, but missing; write it".to_owned();
            say(format!("ports[{index}].port"), message);
        }
    }
}

/// The label of a slice that names an owner of this kind.
fn label(kind: Kind) -> &'static str {
    match kind {
        Kind::ServiceImport => EndpointSlice::SERVICE_IMPORT_NAME_LABEL,
        _ => EndpointSlice::SERVICE_NAME_LABEL,
    }
}

// === impl Owner ===

impl<'r> Owner<'r> {
    /// The Service or ServiceImport of this name, if it is there.
    fn find(kind: Kind, name: &ObjectName, resources: &'r Resources) -> Option<Self> {
        let ports = match kind {
            Kind::ServiceImport => {
                let ports = resources.service_imports.get(name)?.spec.ports.iter();
                ports.map(|port| (port.name.as_deref().unwrap_or(""), &port.protocol)).collect()
            }
            _ => {
                let ports = resources.services.get(name)?.spec.ports.iter();
                ports.map(|port| (port.name.as_deref().unwrap_or(""), &port.protocol)).collect()
            }
        };
        Some(Self { kind, name: name.clone(), ports })
    }

    fn label(&self) -> &'static str {
        label(self.kind)
    }

    /// The ports by their names.
    fn names(&self) -> String {
        if self.ports.is_empty() {
            return "none".to_owned();
        }
        let one = |(name, protocol): &(&str, &TransportProtocol)| match *name {
            "" => format!("one without a name ({protocol})"),
            name => format!("{name:?} ({protocol})"),
        };
        self.ports.iter().map(one).collect::<Vec<_>>().join(", ")
    }
}

/// A port by what it is called, as what follows on "port".
fn named_port(name: &str) -> String {
    match name {
        "" => "without a name".to_owned(),
        name => format!("named {name:?}"),
    }
}
