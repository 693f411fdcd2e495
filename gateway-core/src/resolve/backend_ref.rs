//! References to backends: from a name in a route to a backend of the table.
//!
//! Each port of a Service becomes one backend, however many rules refer to it. A reference that leads nowhere says why,
//! and its share of the requests fails; the route stays accepted.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashSet};

use super::reference_grant::{Grants, Referrer, Target};
use crate::api::{
    BackendTlsPolicy, EndpointAddressType, EndpointSlice, GATEWAY_GROUP, Service, ServicePort, ServiceType,
    TransportProtocol,
};
use crate::condition::Reason;
use crate::name::{BackendId, ObjectName, RouteKind};
use crate::rule::{Backend, BackendProtocol, Endpoint, Locality};
use crate::validate::Valid;

/// Why a reference leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefProblem {
    /// The reason that the route's `ResolvedRefs` gets.
    pub reason: Reason,
    /// What is wrong, and the way out.
    pub message: String,
}

/// A reference to a backend, as any of the fields that hold one writes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BackendReference<'a> {
    pub(crate) group: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) namespace: Option<&'a str>,
    pub(crate) name: &'a str,
    pub(crate) port: Option<i32>,
}

/// Resolves references, and keeps the backends that they lead to.
pub(crate) struct Backends<'r> {
    services: &'r BTreeMap<ObjectName, Valid<Service>>,
    grants: &'r Grants<'r>,
    slices: HashMap<(&'r str, &'r str), Vec<&'r EndpointSlice>, RandomState>,
    /// The Services that a BackendTLSPolicy targets, each with the name of the port where the policy is for one only.
    with_tls: HashSet<(&'r str, &'r str, Option<&'r str>), RandomState>,
    resolved: HashMap<(&'r str, &'r str, i32), Result<BackendId, RefProblem>, RandomState>,
    backends: Vec<Backend>,
}

// === impl Backends ===

impl<'r> Backends<'r> {
    pub(crate) fn new(
        services: &'r BTreeMap<ObjectName, Valid<Service>>,
        slices: &'r BTreeMap<ObjectName, Valid<EndpointSlice>>,
        policies: &'r BTreeMap<ObjectName, Valid<BackendTlsPolicy>>,
        grants: &'r Grants<'r>,
    ) -> Self {
        let mut by_service: HashMap<_, Vec<_>, _> = HashMap::default();
        for (key, slice) in slices {
            if let Some(service) = slice.service_name() {
                by_service.entry((&*key.namespace, service)).or_default().push(&**slice);
            }
        }
        let targets = policies.iter().flat_map(|(key, policy)| {
            let services = policy
                .spec
                .target_refs
                .iter()
                .filter(|target| target.group.is_empty() && target.kind == "Service");
            services.map(|target| {
                let port = target.section_name.as_deref().filter(|name| !name.is_empty());
                (&*key.namespace, target.name.as_str(), port)
            })
        });
        let with_tls = targets.collect();
        Self {
            services,
            grants,
            slices: by_service,
            with_tls,
            resolved: HashMap::default(),
            backends: Vec::new(),
        }
    }

    /// The backend that a reference from a route leads to.
    ///
    /// # Spec
    /// HRB-01 to HRB-09, RGR-04, RGR-08: without permission nothing else is looked at.
    pub(crate) fn resolve(
        &mut self,
        route: RouteKind,
        route_namespace: &'r str,
        reference: BackendReference<'r>,
    ) -> Result<BackendId, RefProblem> {
        let BackendReference { group, kind, namespace, name, port } = reference;
        let namespace = namespace.unwrap_or(route_namespace);
        let problem = |reason, message| Err(RefProblem { reason, message });
        let from = Referrer { group: GATEWAY_GROUP, kind: route.as_str(), namespace: route_namespace };
        if self.grants.check(from, Target { group, kind, namespace, name }).is_none() {
            return problem(
                Reason::RefNotPermitted,
                format!(
                    "{kind} {namespace}/{name} is in another namespace and no ReferenceGrant there permits references \
                     from {route} in {route_namespace}"
                ),
            );
        }
        if !group.is_empty() || kind != "Service" {
            return problem(
                Reason::InvalidKind,
                format!("{kind} of group {group:?} is not supported as a backend; refer to a Service"),
            );
        }
        let Some(port) = port else {
            return problem(
                Reason::BackendNotFound,
                format!("the reference to Service {namespace}/{name} names no port"),
            );
        };
        match self.resolved.get(&(namespace, name, port)) {
            Some(known) => known.clone(),
            None => {
                let resolved = self.service_port(namespace, name, port);
                self.resolved.insert((namespace, name, port), resolved.clone());
                resolved
            }
        }
    }

    fn service_port(&mut self, namespace: &str, name: &str, number: i32) -> Result<BackendId, RefProblem> {
        let problem = |reason, message| Err(RefProblem { reason, message });
        let Some(service) = self.services.get(&ObjectName::new(namespace, name)) else {
            return problem(Reason::BackendNotFound, format!("there is no Service {namespace}/{name}"));
        };
        if service.spec.r#type == ServiceType::ExternalName {
            return problem(
                Reason::InvalidKind,
                format!(
                    "Service {namespace}/{name} is of type ExternalName, which is not supported: it could lead anywhere"
                ),
            );
        }
        let of_number = || service.spec.ports.iter().filter(|port| port.port == number);
        let Some(port) =
            of_number().find(|port| port.protocol == TransportProtocol::Tcp).or(of_number().next())
        else {
            let ports: Vec<_> = service.spec.ports.iter().map(|port| port.port.to_string()).collect();
            return problem(
                Reason::BackendNotFound,
                format!("Service {namespace}/{name} has no port {number}; it has {}", ports.join(", ")),
            );
        };
        if port.protocol != TransportProtocol::Tcp {
            return problem(
                Reason::UnsupportedProtocol,
                format!("port {number} of Service {namespace}/{name} is {}, HTTP needs TCP", port.protocol),
            );
        }
        let port_name = port.name.as_deref().filter(|name| !name.is_empty());
        if [None, port_name].iter().any(|section| self.with_tls.contains(&(namespace, name, *section))) {
            return problem(
                Reason::UnsupportedProtocol,
                format!(
                    "a BackendTLSPolicy asks for TLS to port {number} of Service {namespace}/{name}, which is not supported yet; \
                     requests to it fail rather than go in plain text"
                ),
            );
        }
        let protocol = match port.app_protocol.as_deref() {
            Some("kubernetes.io/h2c") => BackendProtocol::H2c,
            Some("kubernetes.io/ws") => BackendProtocol::WebSocket,
            Some("kubernetes.io/wss") => {
                return problem(
                    Reason::UnsupportedProtocol,
                    format!(
                        "port {number} of Service {namespace}/{name} has appProtocol kubernetes.io/wss, which needs a \
                         BackendTLSPolicy"
                    ),
                );
            }
            // Others are hints for somebody else: BPR-06.
            Some(_) | None => BackendProtocol::Http1,
        };
        let slices = self.slices.get(&(namespace, name)).map_or(&[][..], Vec::as_slice);
        self.backends.push(Backend {
            service: ObjectName::new(namespace, name),
            port: number as u16,
            protocol,
            endpoints: endpoints(port, slices),
        });
        Ok(BackendId(self.backends.len() as u32 - 1))
    }

    /// The backends that references led to, by id.
    pub(crate) fn into_backends(self) -> Vec<Backend> {
        self.backends
    }
}

/// The addresses of the ready endpoints of a Service's port, each once, and where they run.
///
/// # Spec
/// HRB-02, HRB-15: the port of the endpoints is the slice's, found by the name of the Service's port.
fn endpoints(port: &ServicePort, slices: &[&EndpointSlice]) -> Arc<[Endpoint]> {
    let name = port.name.as_deref().unwrap_or("");
    // An address, its zone and its node.
    let mut found: Vec<(SocketAddr, Option<&str>, Option<&str>)> = Vec::new();
    for slice in slices {
        if !matches!(slice.address_type, EndpointAddressType::Ipv4 | EndpointAddressType::Ipv6) {
            continue;
        }
        let of_name = slice.ports.iter().find(|port| {
            port.name.as_deref().unwrap_or("") == name && port.protocol == TransportProtocol::Tcp
        });
        let Some(number) = of_name.and_then(|port| port.port).and_then(|port| u16::try_from(port).ok())
        else {
            continue;
        };
        let ready = slice.endpoints.iter().filter(|endpoint| endpoint.conditions.ready.unwrap_or(true));
        // All addresses of one endpoint are the same endpoint: the first stands for it.
        found.extend(ready.filter_map(|endpoint| {
            let ip = endpoint.addresses.first()?.parse::<IpAddr>().ok()?;
            Some((SocketAddr::new(ip, number), endpoint.zone.as_deref(), endpoint.node_name.as_deref()))
        }));
    }
    found.sort_unstable();
    found.dedup_by_key(|(address, ..)| *address);
    let mut localities: HashMap<_, Arc<Locality>, RandomState> = HashMap::default();
    let endpoints = found.into_iter().map(|(address, zone, node)| {
        let endpoint = Endpoint::new(address);
        if zone.is_none() && node.is_none() {
            return endpoint;
        }
        let locality = localities
            .entry((zone, node))
            .or_insert_with(|| Arc::new(Locality { zone: zone.map(Into::into), node: node.map(Into::into) }));
        endpoint.at(Arc::clone(locality))
    });
    endpoints.collect()
}
