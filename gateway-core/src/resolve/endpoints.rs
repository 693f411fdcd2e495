//! EndpointSlices by the Service that they belong to, and the addresses behind a port.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use crate::api::{EndpointAddressType, EndpointConditions, EndpointSlice, ServicePort};
use crate::name::ObjectName;
use crate::rule::{Endpoint, Locality};
use crate::validate::Valid;

/// All EndpointSlices, arranged by Service.
#[derive(Debug, Default)]
pub(crate) struct Endpoints {
    by_service: HashMap<ObjectName, BTreeMap<Arc<str>, Valid<EndpointSlice>>, RandomState>,
}

// === impl Endpoints ===

impl Endpoints {
    /// Adds a slice; one that names no Service is nobody's.
    pub(crate) fn insert(&mut self, name: &ObjectName, slice: &Valid<EndpointSlice>) {
        if let Some(service) = service_of(name, slice) {
            self.by_service.entry(service).or_default().insert(name.name.clone(), slice.clone());
        }
    }

    /// Takes a slice away.
    pub(crate) fn remove(&mut self, name: &ObjectName, slice: &EndpointSlice) {
        let Some(service) = service_of(name, slice) else { return };
        if let Some(slices) = self.by_service.get_mut(&service) {
            slices.remove(&name.name);
            if slices.is_empty() {
                self.by_service.remove(&service);
            }
        }
    }

    /// The addresses of the ready endpoints of a Service's port, each once, and where they run. If none is ready, those
    /// that still take requests while they terminate: better the last ones of a rollout than none.
    ///
    /// # Spec
    /// HRB-02, HRB-15: the port of the endpoints is the slice's, found by the name of the Service's port.
    pub(crate) fn ready(&self, service: &ObjectName, port: &ServicePort) -> Arc<[Endpoint]> {
        let ready = self.with(service, port, |conditions| conditions.ready.unwrap_or(true));
        if !ready.is_empty() {
            return ready;
        }
        self.with(service, port, |conditions| {
            conditions.terminating == Some(true) && conditions.serving == Some(true)
        })
    }

    /// The endpoints with conditions that are as they should be.
    fn with(
        &self,
        service: &ObjectName,
        port: &ServicePort,
        are_right: impl Fn(&EndpointConditions) -> bool,
    ) -> Arc<[Endpoint]> {
        let name = port.name.as_deref().unwrap_or("");
        // An address, its zone and its node.
        let mut found: Vec<(SocketAddr, Option<&str>, Option<&str>)> = Vec::new();
        for slice in self.by_service.get(service).into_iter().flat_map(BTreeMap::values) {
            if !matches!(slice.address_type, EndpointAddressType::Ipv4 | EndpointAddressType::Ipv6) {
                continue;
            }
            let of_name = slice.ports.iter().find(|listed| {
                listed.name.as_deref().unwrap_or("") == name && listed.protocol == port.protocol
            });
            let Some(number) = of_name.and_then(|port| port.port).and_then(|port| u16::try_from(port).ok())
            else {
                continue;
            };
            let right = slice.endpoints.iter().filter(|endpoint| are_right(&endpoint.conditions));
            // All addresses of one endpoint are the same endpoint: the first stands for it.
            found.extend(right.filter_map(|endpoint| {
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
            let locality = localities.entry((zone, node)).or_insert_with(|| {
                Arc::new(Locality { zone: zone.map(Into::into), node: node.map(Into::into) })
            });
            endpoint.at(Arc::clone(locality))
        });
        endpoints.collect()
    }
}

/// The Service that a slice belongs to.
pub(crate) fn service_of(name: &ObjectName, slice: &EndpointSlice) -> Option<ObjectName> {
    Some(ObjectName::new(name.namespace.clone(), slice.service_name()?))
}
