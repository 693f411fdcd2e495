//! The routes for streams and datagrams in a builder: which of them stand behind each hostname of a listener.

use std::collections::BTreeSet;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashSet};

use super::slots::{SlotMap, Slots};
use super::stream_part::Contenders;
use super::{ListenerId, StreamRuleId};
use crate::hostname::Hostname;
use crate::name::Age;
use crate::rule::StreamRule;

/// The routes for streams and datagrams of a builder.
#[derive(Debug, Default)]
pub(super) struct StreamRoutes {
    rules: SlotMap<Arc<StreamRule>>,
    places: HashMap<StreamRuleId, Placed, RandomState>,
    /// The routes of each hostname of a listener, the oldest first.
    hosts: HashMap<Host, BTreeSet<(Age, StreamRuleId)>, RandomState>,
    /// The hostnames whose routes changed since the last table.
    changed: Hosts,
}

/// What becomes of the hostnames of a listener; without rules there are none any more.
pub(super) type HostChanges = Vec<(Option<Hostname>, Option<Contenders>)>;

/// A hostname of a listener; `None` for the routes without hostnames.
type Host = (ListenerId, Option<Hostname>);

pub(super) type Hosts = HashSet<Host, RandomState>;

/// Where a route stands.
#[derive(Debug)]
struct Placed {
    age: Age,
    hosts: Hosts,
}

/// How many routes of one hostname the table knows: the one that serves, and some to be shown beside it.
const SHOWN: usize = 8;

// === impl StreamRoutes ===

impl StreamRoutes {
    pub(super) fn rules(&self) -> &Slots<Arc<StreamRule>> {
        self.rules.slots()
    }

    pub(super) fn insert(&mut self, age: Age, rule: StreamRule) -> StreamRuleId {
        let id = StreamRuleId(self.rules.insert(Arc::new(rule)));
        self.places.insert(id, Placed { age, hosts: Hosts::default() });
        id
    }

    /// # Panics
    /// When the route is not one of these.
    pub(super) fn replace(&mut self, id: StreamRuleId, age: Age, rule: StreamRule) {
        if self.rules.slots().get(id.0).is_none_or(|known| **known != rule) {
            self.rules.replace(id.0, Arc::new(rule));
        }
        let placed = self.places.get_mut(&id).expect("the route is of this builder");
        if placed.age != age {
            let hosts = std::mem::take(&mut placed.hosts);
            let before = std::mem::replace(&mut placed.age, age);
            hosts.iter().for_each(|host| self.leave(host, &(before.clone(), id)));
            self.place(id, hosts);
        }
    }

    /// # Panics
    /// When the route is not one of these.
    pub(super) fn remove(&mut self, id: StreamRuleId) {
        self.place(id, Hosts::default());
        self.places.remove(&id);
        self.rules.remove(id.0);
    }

    /// Attaches a route for these hostnames of listeners, and no others.
    ///
    /// # Panics
    /// When the route is not one of these.
    pub(super) fn place(&mut self, id: StreamRuleId, hosts: Hosts) {
        let placed = self.places.get_mut(&id).expect("the route is of this builder");
        let entry = (placed.age.clone(), id);
        let before = std::mem::replace(&mut placed.hosts, hosts.clone());
        before.difference(&hosts).for_each(|host| self.leave(host, &entry));
        for host in hosts.difference(&before) {
            self.hosts.entry(host.clone()).or_default().insert(entry.clone());
            self.note(host);
        }
    }

    fn leave(&mut self, host: &Host, entry: &(Age, StreamRuleId)) {
        if let Some(routes) = self.hosts.get_mut(host) {
            routes.remove(entry);
            if routes.is_empty() {
                self.hosts.remove(host);
            }
        }
        self.note(host);
    }

    fn note(&mut self, host: &Host) {
        self.changed.insert(host.clone());
    }

    /// A listener is there no more, and its number may be given to another.
    pub(super) fn forget_listener(&mut self, id: ListenerId) {
        self.hosts.retain(|(listener, _), _| *listener != id);
        self.places.values_mut().for_each(|placed| placed.hosts.retain(|(listener, _)| *listener != id));
        self.changed.retain(|(listener, _)| *listener != id);
    }

    /// What became of hostnames since this was asked, by listener.
    pub(super) fn take_changes(&mut self) -> HashMap<ListenerId, HostChanges, RandomState> {
        let mut of_listener: HashMap<ListenerId, HostChanges, RandomState> = HashMap::default();
        for host in std::mem::take(&mut self.changed) {
            let routes = self.hosts.get(&host);
            let rules = routes.map(|routes| routes.iter().take(SHOWN).map(|(_, id)| *id).collect());
            of_listener.entry(host.0).or_default().push((host.1, rules));
        }
        of_listener
    }
}
