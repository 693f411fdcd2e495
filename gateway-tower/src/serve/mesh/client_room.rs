//! Room for the connections of each client.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;

use crate::body::guard::{Guard, Release};

/// How many connections each client has: one that opens any number must leave room to the others that are served here.
#[derive(Debug)]
pub(super) struct ClientRoom {
    most: usize,
    /// Whether it was said that a client has as many as it may have.
    said: AtomicBool,
    taken: Mutex<HashMap<IpAddr, usize, RandomState>>,
}

/// A client has as many connections as it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{client} has {most} connections already, the most that one client may have")]
pub(super) struct NoRoom {
    client: IpAddr,
    most: usize,
}

/// A connection of a client.
#[derive(Debug)]
struct Taken {
    room: Arc<ClientRoom>,
    client: IpAddr,
}

// === impl ClientRoom ===

impl ClientRoom {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, said: AtomicBool::new(false), taken: Mutex::default() })
    }

    /// Room for one more connection of this client, until what is returned is dropped.
    ///
    /// # Errors
    /// When it has as many as it may have.
    pub(super) fn take(self: &Arc<Self>, client: IpAddr) -> Result<Guard, NoRoom> {
        let mut taken = self.taken();
        let connections = taken.get(&client).copied().unwrap_or_default();
        if connections >= self.most {
            drop(taken);
            let error = NoRoom { client, most: self.most };
            // Loudly once: that there is such a client is to be known, and it may go on for ever.
            if !self.said.swap(true, Ordering::Relaxed) {
                tracing::warn!(%error, "connections to the mesh are reset");
            }
            return Err(error);
        }
        taken.insert(client, connections + 1);
        Ok(Guard::new(Arc::new(Taken { room: Arc::clone(self), client })))
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<IpAddr, usize, RandomState>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Taken ===

impl Release for Taken {
    fn release(&self) {
        let mut taken = self.room.taken();
        if let Some(connections) = taken.get_mut(&self.client) {
            *connections -= 1;
            if *connections == 0 {
                taken.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_back_can_be_taken_again_and_nothing_is_kept_of_who_is_gone() {
        let room = ClientRoom::new(2);
        let [one, other] = [[10, 0, 0, 1], [10, 0, 0, 2]].map(IpAddr::from);
        let mut held = vec![room.take(one).unwrap(), room.take(one).unwrap()];
        assert_eq!(room.take(one).unwrap_err(), NoRoom { client: one, most: 2 });
        held.push(room.take(other).unwrap());
        drop(held.swap_remove(0));
        held.push(room.take(one).unwrap());
        room.take(one).unwrap_err();
        drop(held);
        assert!(room.taken().is_empty());
        let none = ClientRoom::new(0);
        none.take(one).unwrap_err();
        assert!(none.taken().is_empty());
    }
}
