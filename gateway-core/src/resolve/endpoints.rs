//! EndpointSlices by the Service or ServiceImport that they belong to, and the addresses behind a port.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::service::{BackendName, FoundPort};
use crate::api::{EndpointAddressType, EndpointConditions, EndpointSlice};
use crate::name::ObjectName;
use crate::rule::{BackendKind, Endpoint, Locality};
use crate::validate::Valid;

/// All EndpointSlices, arranged by what they are of.
#[derive(Debug, Default)]
pub(crate) struct Endpoints {
    by_backend: HashMap<BackendName, BTreeMap<Arc<str>, Valid<EndpointSlice>>, RandomState>,
}

// === impl Endpoints ===

impl Endpoints {
    /// Adds a slice; one that does not name its owner is passed over.
    pub(crate) fn insert(&mut self, name: &ObjectName, slice: &Valid<EndpointSlice>) {
        if let Some(backend) = backend_of(name, slice) {
            self.by_backend.entry(backend).or_default().insert(name.name.clone(), slice.clone());
        }
    }

    /// Takes a slice away.
    pub(crate) fn remove(&mut self, name: &ObjectName, slice: &EndpointSlice) {
        let Some(backend) = backend_of(name, slice) else { return };
        if let Some(slices) = self.by_backend.get_mut(&backend) {
            slices.remove(&name.name);
            if slices.is_empty() {
                self.by_backend.remove(&backend);
            }
        }
    }

    /// The addresses of the ready endpoints of a port, each once, and where they run. If none is ready, those that still take
    /// requests while they terminate: better the last ones of a rollout than none.
    ///
    /// # Spec
    /// HRB-02, HRB-15: the port of the endpoints is the slice's, found by the name of the Service's port. HRB-17: those of all
    /// clusters are alike.
    pub(crate) fn ready(&self, backend: &BackendName, port: FoundPort<'_>) -> Arc<[Endpoint]> {
        let ready = self.with(backend, port, EndpointConditions::is_ready);
        if !ready.is_empty() {
            return ready;
        }
        self.with(backend, port, EndpointConditions::is_terminating_and_serving)
    }

    /// The endpoints with conditions that are as they should be.
    fn with(
        &self,
        backend: &BackendName,
        port: FoundPort<'_>,
        are_right: impl Fn(&EndpointConditions) -> bool,
    ) -> Arc<[Endpoint]> {
        // An address, with its cluster, its zone and its node.
        let mut found: Vec<(SocketAddr, [Option<&str>; 3])> = Vec::new();
        for slice in self.by_backend.get(backend).into_iter().flat_map(BTreeMap::values) {
            if !matches!(slice.address_type, EndpointAddressType::Ipv4 | EndpointAddressType::Ipv6) {
                continue;
            }
            let of_name = slice.ports.iter().find(|listed| {
                listed.name.as_deref().unwrap_or("") == port.name && listed.protocol == *port.protocol
            });
            let Some(number) = of_name.and_then(|port| port.port).and_then(|port| u16::try_from(port).ok())
            else {
                continue;
            };
            let right = slice.endpoints.iter().filter(|endpoint| are_right(&endpoint.conditions));
            // All addresses of one endpoint are the same endpoint: the first stands for it.
            found.extend(right.filter_map(|endpoint| {
                let ip = endpoint.addresses.first()?.parse::<IpAddr>().ok()?;
                let place = [slice.source_cluster(), endpoint.zone.as_deref(), endpoint.node_name.as_deref()];
                Some((SocketAddr::new(ip, number), place))
            }));
        }
        endpoints(found)
    }
}

/// Endpoints at these addresses, each once, with the cluster, the zone and the node that they run in.
pub(super) fn endpoints(mut found: Vec<(SocketAddr, [Option<&str>; 3])>) -> Arc<[Endpoint]> {
    found.sort_unstable();
    found.dedup_by_key(|(address, _)| *address);
    let mut localities: HashMap<_, Arc<Locality>, RandomState> = HashMap::default();
    let endpoints = found.into_iter().map(|(address, place)| {
        let endpoint = Endpoint::new(address);
        if place == [None; 3] {
            return endpoint;
        }
        let locality = localities.entry(place).or_insert_with(|| {
            let [cluster, zone, node] = place.map(|text| text.map(Box::from));
            Arc::new(Locality { cluster, zone, node })
        });
        endpoint.at(Arc::clone(locality))
    });
    endpoints.collect()
}

/// What a slice belongs to.
///
/// # Spec
/// HRB-17: a Service has endpoints of this cluster alone.
pub(crate) fn backend_of(name: &ObjectName, slice: &EndpointSlice) -> Option<BackendName> {
    let import = slice.service_import_name().map(|import| (BackendKind::ServiceImport, import));
    let service = || slice.service_name().map(|service| (BackendKind::Service, service));
    let (kind, named) = import.or_else(service)?;
    Some(BackendName { kind, object: ObjectName::new(name.namespace.clone(), named) })
}
