//! The namespaces of workloads, by their addresses: whose clients a request in a mesh comes from.
//!
//! They are read from EndpointSlices, which stand in the namespace of the pods that they list. A pod behind no Service is in none of
//! them, and not known. Nor is one whose address another namespace has too, as the pods of a node's own network have. The slices of a
//! ServiceImport are left out: they list pods of other clusters, whose addresses may be those of others here.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use crate::api::{EndpointAddressType, EndpointSlice};
use crate::name::ObjectName;
use crate::validate::Valid;

/// The addresses in all EndpointSlices, each with how often it is in those of each namespace.
#[derive(Debug, Default)]
pub(crate) struct Workloads {
    by_address: HashMap<IpAddr, BTreeMap<Arc<str>, usize>, RandomState>,
    /// The addresses that came or went since they were asked for.
    changed: BTreeSet<IpAddr>,
}

// === impl Workloads ===

impl Workloads {
    /// Those of all these slices.
    pub(crate) fn new(slices: &BTreeMap<ObjectName, Valid<EndpointSlice>>) -> Self {
        let mut workloads = Self::default();
        slices.iter().for_each(|(name, slice)| workloads.insert(name, slice));
        workloads
    }

    /// Adds those of a slice.
    pub(crate) fn insert(&mut self, name: &ObjectName, slice: &EndpointSlice) {
        for address in addresses(slice) {
            *self.by_address.entry(address).or_default().entry(name.namespace.clone()).or_default() += 1;
            self.changed.insert(address);
        }
    }

    /// Takes those of a slice away.
    pub(crate) fn remove(&mut self, name: &ObjectName, slice: &EndpointSlice) {
        for address in addresses(slice) {
            let Some(namespaces) = self.by_address.get_mut(&address) else { continue };
            if let Some(count) = namespaces.get_mut(&name.namespace) {
                *count -= 1;
                if *count == 0 {
                    namespaces.remove(&name.namespace);
                }
            }
            if namespaces.is_empty() {
                self.by_address.remove(&address);
            }
            self.changed.insert(address);
        }
    }

    /// The addresses that may be another workload's than before, with the namespace of each where it is known.
    pub(crate) fn take_changed(&mut self) -> Vec<(IpAddr, Option<Arc<str>>)> {
        let changed = std::mem::take(&mut self.changed).into_iter();
        changed.map(|address| (address, self.namespace(address))).collect()
    }

    fn namespace(&self, address: IpAddr) -> Option<Arc<str>> {
        let namespaces = self.by_address.get(&address)?;
        namespaces.first_key_value().filter(|_| namespaces.len() == 1).map(|(namespace, _)| namespace.clone())
    }
}

/// All addresses of all endpoints, whatever state they are in: one that is not ready is a client nevertheless.
fn addresses(slice: &EndpointSlice) -> impl Iterator<Item = IpAddr> {
    let of_ip = matches!(slice.address_type, EndpointAddressType::Ipv4 | EndpointAddressType::Ipv6);
    let is_local = slice.service_import_name().is_none();
    let endpoints = slice.endpoints.iter().filter(move |_| of_ip && is_local);
    endpoints.flat_map(|endpoint| &endpoint.addresses).filter_map(|address| address.parse().ok())
}
