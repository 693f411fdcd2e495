//! Room for look-ups under way, shared out over the namespaces that the names are from.

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
    /// The number of the next turn.
    turns: u64,
    namespaces: BTreeMap<Arc<str>, Share>,
}

/// What a namespace has of the room. The lowest has its turn first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Share {
    under_way: usize,
    last_turn: u64,
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

    /// Room for a look-up of one of these names, of which each is given by the namespaces that have it, and which of them that is. A name
    /// counts for the namespace that has its turn first.
    ///
    /// A namespace may take as much as it leaves free. However many namespaces share the room by that: what becomes free goes to
    /// the one with the fewest look-ups under way, and of those to the one whose last turn is the longest ago. So one that has none
    /// under way waits for one turn of each other at most, whatever else these have to look up.
    pub(super) fn take<'n>(
        &self,
        names: impl IntoIterator<Item = &'n [Arc<str>]>,
    ) -> Option<(usize, Permit)> {
        let mut taken = self.taken();
        let free = self.0.most.saturating_sub(taken.all);
        let share = |namespace: &Arc<str>| taken.namespaces.get(namespace).copied().unwrap_or_default();
        let turns = names.into_iter().enumerate().filter_map(|(index, namespaces)| {
            let (share, namespace) =
                namespaces.iter().map(|namespace| (share(namespace), namespace)).min()?;
            (share.under_way < free).then_some((share, index, namespace))
        });
        let (_, index, namespace) = turns.min_by_key(|(share, index, _)| (*share, *index))?;
        taken.all += 1;
        taken.turns += 1;
        let last_turn = taken.turns;
        let share = taken.namespaces.entry(Arc::clone(namespace)).or_default();
        *share = Share { under_way: share.under_way + 1, last_turn };
        drop(taken);
        Some((index, Permit { room: self.clone(), namespace: Arc::clone(namespace) }))
    }

    /// Forgets the namespaces that have no names any more.
    pub(super) fn retain(&self, has_names: impl Fn(&str) -> bool) {
        self.taken().namespaces.retain(|namespace, share| share.under_way > 0 || has_names(namespace));
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
            own.under_way -= 1;
        }
        drop(taken);
        self.room.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn namespaces(names: &[&str]) -> Vec<Arc<str>> {
        names.iter().map(|name| Arc::from(*name)).collect()
    }

    fn take(room: &Room, names: &[&str]) -> Option<Permit> {
        let namespaces = namespaces(names);
        room.take([&*namespaces]).map(|(_, permit)| permit)
    }

    #[test]
    fn namespaces_whose_names_hang_leave_room_for_others() {
        let room = Room::new(16);
        let fill = |name: &str| std::iter::from_fn(|| take(&room, &[name])).collect::<Vec<_>>();
        let hanging = [fill("a"), fill("b")];
        assert_eq!(hanging.each_ref().map(Vec::len), [8, 4]);
        assert!(take(&room, &["a", "victim"]).is_some(), "one of its namespaces has room");
        drop(hanging);
        assert_eq!(room.taken().all, 0);
        room.retain(|name| name == "victim");
        assert!(room.taken().namespaces.keys().eq(&[Arc::from("victim")]));
    }

    #[test]
    fn what_several_namespaces_have_taken_goes_to_another_before_it_goes_to_them_again() {
        let room = Room::new(4);
        let attackers = ["a", "b", "c"];
        let mut hanging = Vec::new();
        for name in attackers {
            hanging.extend(std::iter::from_fn(|| take(&room, &[name])));
        }
        assert!(take(&room, &["victim"]).is_none(), "there is no room");
        // Those of b and of c are over, one after the other, and each attacker has more names, which have all been due for longer.
        let names: Vec<_> = attackers.iter().chain(&["victim"]).map(|name| namespaces(&[name])).collect();
        let mut turns = Vec::new();
        for ends in ["b", "c"] {
            hanging.retain(|permit| *permit.namespace != *ends);
            let (index, permit) = room.take(names.iter().map(Vec::as_slice)).expect("there is room for one");
            turns.push(index);
            hanging.push(permit);
        }
        assert_eq!(turns, [3, 1], "the victim, then the one that has waited the longest");
    }
}
