//! The ports of a table: where connections come in.

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

use super::hostname_map::HostnameMap;
use super::{Listener, ListenerId, ListenerProtocol};
use crate::hostname::Host;
use crate::name::ObjectName;

/// One port of one Gateway: the unit that is bound, and within which listeners are isolated from each other.
///
/// # Spec
/// HST-13, GWL-16.
#[derive(Clone, Debug)]
pub struct Port {
    gateway: ObjectName,
    number: u16,
    secure: bool,
    listeners: HostnameMap<ListenerId>,
}

/// What carries a protocol; each has ports of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    /// TCP, with TLS or without.
    Tcp,
    /// UDP
    Udp,
}

/// A port of a table: its position there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PortId(pub u32);

/// All ports of a table, found by Gateway and number with one hash: servers ask for each request.
///
/// Hashed with a seed of this table, so nobody can name Gateways that collide.
#[derive(Clone, Debug, Default)]
pub(super) struct Ports {
    all: Vec<Port>,
    by_number: HashTable<PortId>,
    seed: RandomState,
}

// === impl Port ===

impl Port {
    /// The Gateway.
    pub fn gateway(&self) -> &ObjectName {
        &self.gateway
    }

    /// The number of the port.
    pub fn number(&self) -> u16 {
        self.number
    }

    /// Whether connections to it start with a TLS handshake.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    pub(super) fn best_listener(&self, host: Option<&Host<'_>>) -> Option<ListenerId> {
        self.listeners.matching(host.map_or("", Host::as_str)).next()
    }
}

// === impl Ports ===

impl Ports {
    /// The ports of these listeners.
    pub(super) fn of(listeners: &[Listener]) -> Self {
        let mut ports = Self::default();
        for (position, listener) in listeners.iter().enumerate() {
            let port = ports.find_or_add(listener);
            let id = ListenerId(position as u32);
            ports.all[port.0 as usize].listeners.entry(listener.hostname.as_ref(), || id);
        }
        ports
    }

    pub(super) fn all(&self) -> &[Port] {
        &self.all
    }

    pub(super) fn get(&self, id: PortId) -> Option<&Port> {
        self.all.get(id.0 as usize)
    }

    pub(super) fn find(&self, gateway: &ObjectName, number: u16) -> Option<PortId> {
        let is_it = |id: &PortId| {
            let port = &self.all[id.0 as usize];
            port.number == number && port.gateway == *gateway
        };
        self.by_number.find(hash(&self.seed, gateway, number), is_it).copied()
    }

    fn find_or_add(&mut self, listener: &Listener) -> PortId {
        if let Some(known) = self.find(&listener.gateway, listener.port) {
            return known;
        }
        let id = PortId(self.all.len() as u32);
        self.all.push(Port {
            gateway: listener.gateway.clone(),
            number: listener.port,
            secure: match listener.protocol {
                ListenerProtocol::Http => false,
                ListenerProtocol::Https(_) => true,
            },
            listeners: HostnameMap::default(),
        });
        let Self { all, by_number, seed } = self;
        let hash_of = |id: &PortId| hash(seed, &all[id.0 as usize].gateway, all[id.0 as usize].number);
        by_number.insert_unique(hash_of(&id), id, hash_of);
        id
    }
}

fn hash(seed: &RandomState, gateway: &ObjectName, number: u16) -> u64 {
    seed.hash_one((gateway, number))
}
