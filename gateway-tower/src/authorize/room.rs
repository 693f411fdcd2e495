//! Room for held bodies, in bytes, shared out over the services that are asked and over their clients.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;
use gateway_core::name::ObjectName;
use gateway_core::rule::BackendKind;

use super::MAX_HELD;

type Map<K, V> = HashMap<K, V, RandomState>;

/// The room of all clones of an authorizer.
#[derive(Clone, Debug, Default)]
pub(super) struct Room(Arc<Mutex<Taken>>);

/// For whom a body is held: the service that is asked, and the client that it is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) service: (BackendKind, ObjectName, u16),
    pub(super) client: Option<IpAddr>,
}

/// Room for one body, until this is dropped.
#[derive(Debug)]
pub(super) struct Permit {
    room: Room,
    holder: Holder,
    bytes: usize,
}

/// What is held, in bytes.
#[derive(Debug, Default)]
struct Taken {
    all: usize,
    services: Map<(BackendKind, ObjectName, u16), OfService>,
}

#[derive(Debug, Default)]
struct OfService {
    all: usize,
    clients: Map<Option<IpAddr>, usize>,
}

// === impl Room ===

impl Room {
    /// Room for a body, without any bytes yet.
    pub(super) fn permit(&self, holder: Holder) -> Permit {
        Permit { room: self.clone(), holder, bytes: 0 }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Permit ===

impl Permit {
    /// Takes room for so many bytes in all; says whether there was.
    ///
    /// What a service may hold is as much as it leaves free for others, and what a client may is as much as it leaves free of that.
    /// So one that takes all that there is takes half, and the next half of the rest.
    pub(super) fn grow_to(&mut self, bytes: usize) -> bool {
        let Some(more) = bytes.checked_sub(self.bytes) else { return true };
        let mut taken = self.room.taken();
        let free = MAX_HELD.saturating_sub(taken.all);
        let service = taken.services.entry(self.holder.service.clone()).or_default();
        let of_service = (free + service.all) / 2;
        let client = service.clients.entry(self.holder.client).or_default();
        let of_client = (of_service.saturating_sub(service.all) + *client) / 2;
        if *client + more > of_client {
            taken.forget_empty(&self.holder);
            return false;
        }
        *client += more;
        service.all += more;
        taken.all += more;
        self.bytes = bytes;
        true
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut taken = self.room.taken();
        taken.all -= self.bytes;
        if let Some(service) = taken.services.get_mut(&self.holder.service) {
            service.all -= self.bytes;
            if let Some(client) = service.clients.get_mut(&self.holder.client) {
                *client -= self.bytes;
            }
        }
        taken.forget_empty(&self.holder);
    }
}

// === impl Taken ===

impl Taken {
    fn forget_empty(&mut self, Holder { service, client }: &Holder) {
        let Some(of_service) = self.services.get_mut(service) else { return };
        if of_service.clients.get(client).is_some_and(|bytes| *bytes == 0) {
            of_service.clients.remove(client);
        }
        if of_service.clients.is_empty() {
            self.services.remove(service);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(service: &str, client: u8) -> Holder {
        let service = (BackendKind::Service, ObjectName::new("default", service), 80);
        Holder { service, client: Some([192, 0, 2, client].into()) }
    }

    /// Takes room in pieces until there is no more.
    fn fill(room: &Room, holder: &Holder) -> Vec<Permit> {
        let mut all = Vec::new();
        loop {
            let mut permit = room.permit(holder.clone());
            if !permit.grow_to(64 << 10) {
                return all;
            }
            all.push(permit);
        }
    }

    // FEA-08
    #[test]
    fn nobody_takes_the_room_of_others() {
        let room = Room::default();
        let mut held = Vec::new();
        let mut in_all = 0;
        // One client after the other asks one service after the other for all that there is.
        for service in ["a", "b", "c"] {
            for client in 1..=3 {
                let own = fill(&room, &holder(service, client));
                assert!(own.len() >= 4, "{service} {client}: there is room for {} bodies", own.len());
                in_all += own.len() << 16;
                held.extend(own);
            }
        }
        assert!(in_all <= MAX_HELD, "{in_all}");
        assert!(fill(&room, &holder("a", 1)).len() <= 1, "who has much gets no more");
        drop(held);
        assert_eq!(room.taken().all, 0);
        assert!(room.taken().services.is_empty());
    }

    #[test]
    fn a_body_that_is_held_grows() {
        let room = Room::default();
        let mut permit = room.permit(holder("a", 1));
        assert!(permit.grow_to(100) && permit.grow_to(50) && permit.grow_to(200));
        assert_eq!(room.taken().all, 200);
        assert!(!permit.grow_to(MAX_HELD));
        assert_eq!(room.taken().all, 200);
        drop(permit);
        assert!(room.taken().services.is_empty());
    }
}
