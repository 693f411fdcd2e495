//! All Gateways of this controller, with their classes and ListenerSets.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::gateway::AttachedGateway;
use super::gateway_class::AttachedGatewayClass;
use super::listener::AttachedListener;
use super::listener_filters::FindServices;
use super::listener_set::AttachedListenerSet;
use crate::name::{ObjectName, RouteKind};
use crate::table::{Certificate, Unbound};

/// Everything of ours that holds listeners.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gateways {
    /// The GatewayClasses of this controller.
    pub(crate) classes: BTreeMap<ObjectName, AttachedGatewayClass>,
    /// The Gateways of these classes.
    pub(crate) gateways: BTreeMap<ObjectName, AttachedGateway>,
    /// The ListenerSets of these Gateways.
    pub(crate) listener_sets: BTreeMap<ObjectName, AttachedListenerSet>,
    /// The Gateways of classes that are not there, with the names of these.
    pub(crate) without_class: Vec<(ObjectName, String)>,
    /// The kinds of Routes that the data plane has.
    pub(super) route_kinds: Vec<RouteKind>,
    pub(super) listener_count: usize,
}

// === impl Gateways ===

impl Gateways {
    /// How many listeners there are; every [`ListenerKey`] is below.
    pub(crate) fn listener_count(&self) -> usize {
        self.listener_count
    }

    /// Whether the data plane has Routes of this kind.
    pub(crate) fn serves(&self, kind: RouteKind) -> bool {
        self.route_kinds.contains(&kind)
    }

    /// Whether Routes attach here as they attach there.
    pub(crate) fn is_same_for_routes(&self, other: &Self) -> bool {
        let controllers = |gateways: &Self| -> Vec<_> {
            gateways.gateways.iter().map(|(key, gateway)| (key.clone(), gateway.controller.clone())).collect()
        };
        let sets = |gateways: &Self| -> Vec<_> {
            gateways.listener_sets.iter().map(|(key, set)| (key.clone(), set.is_allowed())).collect()
        };
        controllers(self) == controllers(other)
            && self.route_kinds == other.route_kinds
            && sets(self) == sets(other)
            && self
                .listeners()
                .map(AttachedListener::for_routes)
                .eq(other.listeners().map(AttachedListener::for_routes))
    }

    /// The IP addresses of Gateways that have some, to be bound.
    pub(crate) fn addresses(&self) -> BTreeMap<ObjectName, Vec<IpAddr>> {
        let all = self.gateways.iter().map(|(key, gateway)| {
            let addresses: Vec<_> = gateway.addresses.to_bind().collect();
            (key.clone(), addresses)
        });
        all.filter(|(_, addresses)| !addresses.is_empty()).collect()
    }

    /// The certificates of Gateways that show one to backends.
    pub(crate) fn client_certificates(&self) -> BTreeMap<ObjectName, Certificate> {
        let all = self.gateways.iter().map(|(key, gateway)| (key, gateway.client_certificate.as_ref()));
        all.filter_map(|(key, shown)| Some((key.clone(), shown.ok()?.clone()?))).collect()
    }

    /// Notes what the data plane could not bind, in the place of what was noted before.
    ///
    /// # Spec
    /// GWL-13, GWL-16, GWA-03.
    pub(crate) fn note_unbound(&mut self, unbound: &[Unbound]) {
        let mut by_gateway: BTreeMap<&ObjectName, Vec<&Unbound>> = BTreeMap::new();
        for unbound in unbound {
            by_gateway.entry(&unbound.gateway).or_default().push(unbound);
        }
        let of = |gateway: &ObjectName| by_gateway.get(gateway).map_or(&[][..], Vec::as_slice);
        for (key, gateway) in &mut self.gateways {
            gateway.addresses.note_missing(&gateway.object.spec.addresses, of(key));
            gateway.listeners.iter_mut().for_each(|listener| listener.note_unbound(of(key)));
        }
        let of_sets = self.listener_sets.values_mut().flat_map(|set| &mut set.listeners);
        of_sets.for_each(|listener| listener.note_unbound(of(&listener.gateway.clone())));
        self.note_lost_addresses();
    }

    /// Notes at which addresses a Gateway has none of its ports because others hold them.
    pub(super) fn note_lost_addresses(&mut self) {
        let mut lost: BTreeMap<ObjectName, Vec<IpAddr>> = BTreeMap::new();
        for (key, gateway) in &self.gateways {
            let own = gateway.listeners.iter();
            let addresses = gateway.addresses.to_bind();
            let some = |address: &IpAddr| own.clone().any(|listener| listener.lost_port_at(*address));
            let addresses: Vec<_> = addresses.filter(some).collect();
            if !addresses.is_empty() {
                lost.insert(key.clone(), addresses);
            }
        }
        for listener in self.listeners().filter(|listener| listener.state.is_accepted()) {
            if let Some(addresses) = lost.get_mut(&listener.gateway) {
                addresses.retain(|address| listener.lost_port_at(*address));
            }
        }
        for (key, gateway) in &mut self.gateways {
            gateway.addresses.lost = lost.remove(key).unwrap_or_default();
        }
    }

    /// Finds the authorization services that filters of listeners ask.
    pub(crate) fn find_services(&mut self, services: &mut impl FindServices) {
        let own = self.gateways.values_mut().flat_map(|gateway| &mut gateway.listeners);
        let of_sets = self.listener_sets.values_mut().flat_map(|set| &mut set.listeners);
        own.chain(of_sets).for_each(|listener| listener.find_services(services));
    }

    /// Every listener: of each Gateway its own ones, then those of the ListenerSets.
    pub(crate) fn listeners(&self) -> impl Iterator<Item = &AttachedListener> {
        let own = self.gateways.values().flat_map(|gateway| &gateway.listeners);
        own.chain(self.listener_sets.values().flat_map(|set| &set.listeners))
    }
}
