//! The addresses that Gateways get: those of the pool, and the cluster IPs of Services.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use gateway_core::api::{self, Gateway, Kind};
use gateway_core::infrastructure::GATEWAY_CLASS_NAME;
use gateway_core::name::ObjectName;
use gateway_core::options::{AddressPolicy, CLUSTER, Options as TranslateOptions, addresses_to_assign};

use super::Running;
use crate::address_pool::Claim;
use crate::infrastructure::{endpoints_of, services_of};
use crate::object::StoredStatus;

impl Running {
    /// Takes the addresses of Gateways as they are now: those of the pool, and the cluster IPs of Services.
    pub(super) fn take_addresses(&mut self) {
        let before = &self.translator.options().addresses;
        let assigned = self.assigned().unwrap_or_else(|| before.assigned.clone());
        let cluster = self.cluster_ips();
        if assigned != before.assigned || cluster != before.cluster {
            let options = self.translator.options().clone();
            let addresses = AddressPolicy { assigned, cluster, ..options.addresses };
            self.translator.set_options(TranslateOptions { addresses, ..options });
        }
    }

    /// Addresses from the pool for each Gateway of ours that leaves the choice to us, the oldest first. What others ask for is no matter
    /// of ours.
    fn assigned(&self) -> Option<BTreeMap<ObjectName, Vec<IpAddr>>> {
        let pool = self.options.pool.as_ref()?;
        let before = &self.translator.options().addresses.assigned;
        let resources = self.store.resources();
        let mut claims = Vec::new();
        let ours = resources
            .gateways
            .iter()
            .filter(|(_, gateway)| self.is_our_class(&gateway.spec.gateway_class_name));
        for (name, gateway) in ours {
            let wanted = &gateway.spec.addresses;
            let count = addresses_to_assign(wanted);
            let asked = wanted.iter().filter_map(|wanted| wanted.value.as_ref()?.parse().ok()).collect();
            let shown = match self.store.stored(Kind::Gateway, name).map(|stored| &stored.status) {
                Some(StoredStatus::Gateway(status)) => &status.addresses[..],
                _ => &[],
            };
            let mut held: Vec<_> = shown.iter().filter_map(|address| address.value.parse().ok()).collect();
            // What stands behind a cluster IP is not shown.
            if asks_for_cluster_ip(gateway) {
                held.extend(endpoints_of(name, resources));
            }
            // It may not have been written yet.
            held.extend(before.get(name).into_iter().flatten());
            claims.push((gateway.metadata.age(name), Claim { gateway: name.clone(), count, held, asked }));
        }
        claims.sort_by(|(age, _), (other, _)| age.cmp(other));
        let claims: Vec<_> = claims.into_iter().map(|(_, claim)| claim).collect();
        Some(pool.assign(&claims))
    }

    /// The cluster IPs of the Services that are made for Gateways which ask for one; nothing where none are made.
    fn cluster_ips(&self) -> Option<BTreeMap<ObjectName, Vec<IpAddr>>> {
        if !self.options.translate.infrastructure {
            return None;
        }
        let resources = self.store.resources();
        let mut all = BTreeMap::new();
        for (name, gateway) in resources.gateways.iter().filter(|(_, gateway)| asks_for_cluster_ip(gateway)) {
            let class = gateway.spec.gateway_class_name.as_str();
            let is_it = |service: &&Arc<api::Service>| {
                service.metadata.labels.get(GATEWAY_CLASS_NAME).is_none_or(|of| of == class)
            };
            if self.is_our_class(class)
                && let Some(service) = services_of(name, resources).map(|(_, service)| service).find(is_it)
            {
                let ips = service.spec.cluster_ips.iter().filter_map(|ip| ip.parse().ok());
                all.insert(name.clone(), ips.collect());
            }
        }
        Some(all)
    }
}

fn asks_for_cluster_ip(gateway: &Gateway) -> bool {
    gateway.spec.addresses.iter().any(|wanted| wanted.routability.as_deref() == Some(CLUSTER))
}
