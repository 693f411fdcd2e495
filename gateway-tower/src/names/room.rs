//! How many look-ups may be under way, shared out over the namespaces that the names are from.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The room for look-ups. Clones are the same.
#[derive(Clone, Debug)]
pub(super) struct Room(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    most: usize,
    taken: Mutex<Taken>,
    freed: Notify,
}

/// The look-ups that are under way.
#[derive(Debug, Default)]
struct Taken {
    all: usize,
    namespaces: BTreeMap<Arc<str>, usize>,
}

/// Room for one look-up, until this is dropped.
#[derive(Debug)]
pub(super) struct Permit {
    room: Room,
    namespace: Arc<str>,
}

// === impl Room ===

impl Room {
    pub(super) fn new(most: usize) -> Self {
        Self(Arc::new(Shared { most: most.max(1), taken: Mutex::default(), freed: Notify::new() }))
    }

    /// Room for a look-up of a name that these namespaces have, if there is any: it counts for the one that has the fewest.
    ///
    /// A namespace may take as much as it leaves free, so that one whose names hang takes half, and the next one half of the rest.
    pub(super) fn take(&self, namespaces: &[Arc<str>]) -> Option<Permit> {
        let mut taken = self.taken();
        let own = |namespace: &Arc<str>| taken.namespaces.get(namespace).copied().unwrap_or_default();
        let namespace = namespaces.iter().min_by_key(|namespace| own(namespace))?;
        if own(namespace) >= self.0.most.saturating_sub(taken.all) {
            return None;
        }
        *taken.namespaces.entry(Arc::clone(namespace)).or_default() += 1;
        taken.all += 1;
        drop(taken);
        Some(Permit { room: self.clone(), namespace: Arc::clone(namespace) })
    }

    /// Waits until a look-up is over, if none has been since the last time.
    pub(super) async fn freed(&self) {
        self.0.freed.notified().await;
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Permit ===

impl Drop for Permit {
    fn drop(&mut self) {
        let mut taken = self.room.taken();
        taken.all -= 1;
        if let Some(own) = taken.namespaces.get_mut(&self.namespace) {
            *own -= 1;
            if *own == 0 {
                taken.namespaces.remove(&self.namespace);
            }
        }
        drop(taken);
        self.room.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_whose_names_hang_leave_room_for_others() {
        let room = Room::new(16);
        let namespaces = |names: &[&str]| names.iter().map(|name| Arc::from(*name)).collect::<Vec<_>>();
        let fill = |names: &[&str]| {
            let namespaces = namespaces(names);
            std::iter::from_fn(|| room.take(&namespaces)).collect::<Vec<_>>()
        };
        let hanging = [fill(&["a"]), fill(&["b"])];
        assert_eq!(hanging.each_ref().map(Vec::len), [8, 4]);
        assert!(room.take(&namespaces(&["a", "victim"])).is_some(), "one of its namespaces has room");
        drop(hanging);
        assert_eq!(room.taken().all, 0);
        assert!(room.taken().namespaces.is_empty());
    }
}
