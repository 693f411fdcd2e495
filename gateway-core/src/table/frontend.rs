//! The frontends of a table: where connections and datagrams come in.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::ListenerId;
use super::frontend_owner::FrontendOwner;
use super::hostname_map::HostnameMap;
use super::listener::{Listener, ListenerProtocol, Transport};
use crate::hostname::Host;
use crate::name::ObjectName;

/// One port of one owner: the unit that is bound, and within which listeners are isolated from each other.
///
/// # Spec
/// [HST-13](crate::spec#HST-13), [GWL-05](crate::spec#GWL-05), [GWL-16](crate::spec#GWL-16).
#[derive(Clone, Debug)]
pub struct Frontend {
    owner: FrontendOwner,
    transport: Transport,
    port: u16,
    opening: Opening,
    takes_requests: bool,
    listeners: HostnameMap<ListenerId>,
}

/// What connections to a frontend begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Opening {
    /// HTTP/1.1, or HTTP/2 by prior knowledge.
    Http,
    /// A TLS handshake, whose server name tells the listener. Some listeners may take requests there and others streams.
    Tls,
    /// Anything: nothing is read to tell the listener. Datagrams begin so, too.
    Bytes,
}

/// A frontend of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FrontendId(u32);

/// All frontends of a table, found with one hash: servers ask for each request.
///
/// Hashed with a seed of this table, so no tenant can name owners that collide.
#[derive(Clone, Debug, Default)]
pub(super) struct Frontends {
    all: Vec<Frontend>,
    by_key: HashTable<FrontendId>,
    seed: RandomState,
}

// === impl Frontend ===

impl Frontend {
    /// The owner.
    pub fn owner(&self) -> &FrontendOwner {
        &self.owner
    }

    /// What carries the traffic.
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// The number of the port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What connections begin with.
    pub fn opening(&self) -> Opening {
        self.opening
    }

    /// Whether some listener there [takes requests](ListenerProtocol::takes_requests).
    pub fn takes_requests(&self) -> bool {
        self.takes_requests
    }

    pub(super) fn best_listener(&self, host: Option<&Host<'_>>) -> Option<ListenerId> {
        let (_, listener) = self.listeners.matching(host.map_or("", Host::as_str)).next()?;
        Some(*listener)
    }

    fn is(&self, owner: FrontendOwner<&ObjectName, &str>, transport: Transport, port: u16) -> bool {
        self.port == port && self.transport == transport && self.owner.as_ref() == owner
    }
}

// === impl Frontends ===

impl Frontends {
    /// The frontends of these listeners.
    pub(super) fn new<'l>(listeners: impl IntoIterator<Item = (ListenerId, &'l Listener)>) -> Self {
        let mut frontends = Self::default();
        let mut listeners: Vec<_> = listeners.into_iter().collect();
        // So that the order does not tell in which order listeners came and went.
        listeners.sort_by(|(_, a), (_, b)| (&a.frontend, a.port).cmp(&(&b.frontend, b.port)));
        for (id, listener) in listeners {
            let frontend = frontends.find_or_add(listener);
            let (frontend, hostname) = (&mut frontends.all[frontend.0 as usize], listener.hostname.as_ref());
            frontend.takes_requests |= listener.protocol.takes_requests();
            if frontend.listeners.get(hostname).is_none() {
                frontend.listeners.change([(hostname, Some(id))]);
            }
        }
        frontends
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (FrontendId, &Frontend)> {
        self.all.iter().enumerate().map(|(position, frontend)| (FrontendId(position as u32), frontend))
    }

    pub(super) fn get(&self, id: FrontendId) -> Option<&Frontend> {
        self.all.get(id.0 as usize)
    }

    pub(super) fn find(
        &self,
        owner: FrontendOwner<&ObjectName, &str>,
        transport: Transport,
        port: u16,
    ) -> Option<FrontendId> {
        let is_it = |id: &FrontendId| self.all[id.0 as usize].is(owner, transport, port);
        self.by_key.find(self.seed.hash_one((owner, transport, port)), is_it).copied()
    }

    fn find_or_add(&mut self, listener: &Listener) -> FrontendId {
        let (owner, transport) = (listener.frontend.as_ref(), listener.protocol.transport());
        if let Some(known) = self.find(owner, transport, listener.port) {
            return known;
        }
        let id = FrontendId(self.all.len() as u32);
        self.all.push(Frontend {
            owner: listener.frontend.clone(),
            transport,
            port: listener.port,
            opening: match listener.protocol {
                ListenerProtocol::Http => Opening::Http,
                ListenerProtocol::Https(_)
                | ListenerProtocol::TlsTerminate(_)
                | ListenerProtocol::TlsPassthrough => Opening::Tls,
                ListenerProtocol::Tcp | ListenerProtocol::Udp => Opening::Bytes,
            },
            takes_requests: false,
            listeners: HostnameMap::default(),
        });
        let Self { all, by_key, seed } = self;
        let hash = |id: &FrontendId| {
            let Frontend { owner, transport, port, .. } = &all[id.0 as usize];
            seed.hash_one((owner.as_ref(), *transport, *port))
        };
        by_key.insert_unique(hash(&id), id, hash);
        id
    }
}
