//! Room for copies under way, shared out over the backends that they go to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;
use gateway_core::name::ObjectName;
use gateway_core::rule::{Backend, BackendKind};

use super::{LEAST_PER_BACKEND, MAX_MIRRORS};

/// The room of all clones of a layer.
#[derive(Clone, Debug, Default)]
pub(super) struct Room(Arc<Mutex<Taken>>);

/// Room for one copy, until this is dropped.
#[derive(Debug)]
pub(super) struct Permit {
    room: Room,
    backend: (BackendKind, ObjectName, u16),
}

/// The copies that are under way.
#[derive(Debug, Default)]
struct Taken {
    all: usize,
    backends: HashMap<(BackendKind, ObjectName, u16), usize, RandomState>,
}

// === impl Room ===

impl Room {
    /// Room for a copy to `backend`, if there is any.
    ///
    /// A backend may take as much as it leaves free, so that one which hangs takes half, and the next one half of the rest;
    /// but never is it left without a few.
    pub(super) fn take(&self, backend: &Backend) -> Option<Permit> {
        let backend = (backend.kind, backend.service.clone(), backend.port);
        let mut taken = self.taken();
        let free = MAX_MIRRORS.saturating_sub(taken.all);
        let own = taken.backends.entry(backend.clone()).or_default();
        if *own >= free.max(LEAST_PER_BACKEND) {
            return None;
        }
        *own += 1;
        taken.all += 1;
        drop(taken);
        Some(Permit { room: self.clone(), backend })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Permit ===

impl Drop for Permit {
    fn drop(&mut self) {
        let mut taken = self.room.taken();
        taken.all -= 1;
        if let Some(own) = taken.backends.get_mut(&self.backend) {
            *own -= 1;
            if *own == 0 {
                taken.backends.remove(&self.backend);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use gateway_core::rule::BackendProtocol;

    use super::*;

    fn backend(namespace: &str) -> Backend {
        let service = ObjectName::new(namespace, "mirror");
        Backend { service, port: 80, protocol: BackendProtocol::Http1, ..Backend::default() }
    }

    /// All that a backend gets.
    fn fill(room: &Room, namespace: &str) -> Vec<Permit> {
        std::iter::from_fn(|| room.take(&backend(namespace))).collect()
    }

    #[test]
    fn backends_that_hang_leave_room_for_others() {
        let room = Room::default();
        let hanging: Vec<_> = ["a", "b", "c"].iter().map(|namespace| fill(&room, namespace)).collect();
        assert_eq!(hanging.iter().map(Vec::len).collect::<Vec<_>>(), [512, 256, 128]);
        let healthy = fill(&room, "d");
        assert_eq!(healthy.len(), 64);
        drop((hanging, healthy));
        assert!(room.taken().backends.is_empty());
        assert_eq!(room.taken().all, 0);
    }

    #[test]
    fn no_backend_is_left_without_room() {
        let room = Room::default();
        let hanging: Vec<_> = (0..100).map(|i| fill(&room, &i.to_string())).collect();
        assert!(hanging.iter().all(|permits| permits.len() >= LEAST_PER_BACKEND));
    }
}
