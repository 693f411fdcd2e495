//! Building tables: listeners, backends and routes, and which route is attached to which listener.
//!
//! A builder can be changed after it has built a table, and build another: the cost is that of what changed, and the tables
//! share the rest.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

use super::frontend::Frontends;
use super::http_part::HostRoutes;
use super::route::{Entries, Route};
use super::slots::SlotMap;
use super::{Listener, ListenerId, Part, RouteTable, Served};
use crate::hostname::Hostname;
use crate::matching::HttpMatch;
use crate::name::{Age, BackendId, ObjectName};
use crate::rule::{Backend, HttpRule};

/// Collects what a [`RouteTable`] is made of. Order does not matter: equal contents give tables that decide equally.
#[derive(Debug)]
pub struct RouteTableBuilder {
    generation: u64,
    fall_through: bool,
    addresses: Arc<BTreeMap<ObjectName, Vec<IpAddr>>>,
    listeners: SlotMap<Served>,
    frontends: Option<Arc<Frontends>>,
    backends: SlotMap<Backend>,
    routes: SlotMap<Arc<Route>>,
    /// What the indexes need of each route.
    drafts: HashMap<RouteId, Draft>,
    /// The routes of each hostname of a listener.
    hosts: HashMap<Host, HashSet<RouteId>>,
    /// The hostnames whose routes changed since the last table.
    changed: HashSet<Host>,
}

/// A route of a builder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RouteId(u32);

/// A hostname of a listener; `None` for the routes without hostnames.
type Host = (ListenerId, Option<Hostname>);

/// The hostnames of a route at each listener that it is attached to; none for a route without hostnames.
type Attachments = Vec<(ListenerId, Vec<Hostname>)>;

#[derive(Debug)]
struct Draft {
    entries: Entries,
    attachments: Attachments,
}

// === impl RouteTableBuilder ===

impl RouteTableBuilder {
    pub(super) fn new(generation: u64) -> Self {
        Self {
            generation,
            fall_through: true,
            addresses: Arc::default(),
            listeners: SlotMap::default(),
            frontends: None,
            backends: SlotMap::default(),
            routes: SlotMap::default(),
            drafts: HashMap::new(),
            hosts: HashMap::new(),
            changed: HashSet::new(),
        }
    }

    /// The number of the tables that are built from now on.
    pub fn generation(&mut self, generation: u64) -> &mut Self {
        self.generation = generation;
        self
    }

    /// Whether a request that no rule of the most specific hostname matches is tried with the less specific hostnames
    /// of the same listener. It is by default; Envoy and nginx do not.
    ///
    /// # Spec
    /// HRM-29; the choice is AMB-12.
    pub fn hostname_fall_through(&mut self, fall_through: bool) -> &mut Self {
        self.fall_through = fall_through;
        self
    }

    /// The IP addresses that Gateways are to be bound to; the data plane chooses for those that are missing.
    pub fn addresses(&mut self, addresses: BTreeMap<ObjectName, Vec<IpAddr>>) -> &mut Self {
        if *self.addresses != addresses {
            self.addresses = Arc::new(addresses);
        }
        self
    }

    /// Adds a listener. Listeners of one port must differ in hostname; of several that do not, one serves.
    pub fn listener(&mut self, listener: Listener) -> ListenerId {
        self.frontends = None;
        let part = Part::Http(Arc::default());
        ListenerId(self.listeners.insert(Served { listener: Arc::new(listener), part }))
    }

    /// Puts a listener in the place of another, with the same routes.
    pub fn replace_listener(&mut self, id: ListenerId, listener: Listener) {
        self.frontends = None;
        if let Some(served) = self.listeners.get_mut(id.0) {
            served.listener = Arc::new(listener);
        }
    }

    /// Takes a listener away. Routes that are attached to it serve nothing there.
    pub fn remove_listener(&mut self, id: ListenerId) {
        self.frontends = None;
        self.listeners.remove(id.0);
        // Its number may be given to another listener, to which they are not attached.
        self.drafts.values_mut().for_each(|draft| draft.attachments.retain(|(listener, _)| *listener != id));
        self.hosts.retain(|(listener, _), _| *listener != id);
        self.changed.retain(|(listener, _)| *listener != id);
    }

    /// Adds a backend, for rules and mirrors to refer to.
    pub fn backend(&mut self, backend: Backend) -> BackendId {
        BackendId(self.backends.insert(backend))
    }

    /// Puts a backend in the place of another, for the rules that refer to it.
    pub fn replace_backend(&mut self, id: BackendId, backend: Backend) {
        self.backends.replace(id.0, backend);
    }

    /// Takes a backend away, to which no rule may refer any more.
    pub fn remove_backend(&mut self, id: BackendId) {
        self.backends.remove(id.0);
    }

    /// Adds a route with its rules, each with its matches. A rule without matches serves nothing.
    pub fn http_route(
        &mut self,
        age: Age,
        rules: impl IntoIterator<Item = (Box<[HttpMatch]>, HttpRule)>,
    ) -> RouteId {
        let (route, entries) = compiled(age, rules);
        let id = RouteId(self.routes.insert(Arc::new(route)));
        self.drafts.insert(id, Draft { entries, attachments: Vec::new() });
        id
    }

    /// Gives a route other rules. It stays attached where it is.
    ///
    /// # Panics
    /// When the route is not one of this builder, or was taken away.
    pub fn replace_route(
        &mut self,
        id: RouteId,
        age: Age,
        rules: impl IntoIterator<Item = (Box<[HttpMatch]>, HttpRule)>,
    ) {
        let (route, entries) = compiled(age, rules);
        let known = self.routes.slots().get(id.0);
        let same_age = known.is_some_and(|known| known.age == route.age);
        if known.is_none_or(|known| **known != route) {
            self.routes.replace(id.0, Arc::new(route));
        }
        let draft = self.drafts.get_mut(&id).expect("the route is of this builder");
        if !same_age || draft.entries != entries {
            draft.entries = entries;
            self.changed.extend(hosts(&draft.attachments));
        }
    }

    /// Takes a route away.
    ///
    /// # Panics
    /// When the route is not one of this builder, or was taken away.
    pub fn remove_route(&mut self, id: RouteId) {
        self.attach_to(id, Vec::new());
        self.drafts.remove(&id);
        self.routes.remove(id.0);
    }

    /// Attaches a route to a listener, for those of its hostnames that intersect with the listener's; none of them
    /// means that the route has no hostnames.
    ///
    /// A route that is attached to a listener more than once is served once.
    ///
    /// # Panics
    /// When the route is not one of this builder, or was taken away.
    ///
    /// # Spec
    /// HST-04, HST-05, AMB-38.
    pub fn attach(&mut self, route: RouteId, listener: ListenerId, hostnames: &[Hostname]) {
        let draft = self.drafts.get(&route).expect("the route is of this builder");
        let mut attachments = draft.attachments.clone();
        attachments.push((listener, hostnames.to_vec()));
        self.attach_to(route, attachments);
    }

    /// Attaches a route to these listeners and to no others.
    ///
    /// # Panics
    /// When the route is not one of this builder, or was taken away.
    pub fn attach_to(
        &mut self,
        route: RouteId,
        attachments: impl IntoIterator<Item = (ListenerId, Vec<Hostname>)>,
    ) {
        let mut merged: Attachments = Vec::new();
        for (listener, hostnames) in attachments {
            match merged.iter_mut().find(|(known, _)| *known == listener) {
                // Without hostnames it serves all that the listener serves.
                Some((_, known)) if known.is_empty() || hostnames.is_empty() => known.clear(),
                Some((_, known)) => {
                    let added: Vec<_> =
                        hostnames.into_iter().filter(|hostname| !known.contains(hostname)).collect();
                    known.extend(added);
                }
                None => merged.push((listener, hostnames)),
            }
        }
        let draft = self.drafts.get_mut(&route).expect("the route is of this builder");
        if draft.attachments == merged {
            return;
        }
        let before = std::mem::replace(&mut draft.attachments, merged);
        let draft = &self.drafts[&route];
        for host in hosts(&before) {
            if let Some(routes) = self.hosts.get_mut(&host) {
                routes.remove(&route);
            }
            self.changed.insert(host);
        }
        for host in hosts(&draft.attachments) {
            self.hosts.entry(host.clone()).or_default().insert(route);
            self.changed.insert(host);
        }
    }

    /// The table of what is there now.
    pub fn table(&mut self) -> RouteTable {
        self.index_changed();
        let listeners = self.listeners.slots();
        let frontends = self.frontends.get_or_insert_with(|| {
            let numbered = listeners.iter().map(|(number, served)| (ListenerId(number), &*served.listener));
            Arc::new(Frontends::new(numbered))
        });
        RouteTable {
            generation: self.generation,
            fall_through: self.fall_through,
            addresses: self.addresses.clone(),
            frontends: frontends.clone(),
            listeners: listeners.clone(),
            routes: self.routes.slots().clone(),
            backends: self.backends.slots().clone(),
        }
    }

    /// The table, where no other is to follow.
    pub fn build(mut self) -> RouteTable {
        self.table()
    }

    /// Builds the indexes anew of the hostnames whose routes changed.
    fn index_changed(&mut self) {
        let mut of_listener: HashMap<ListenerId, Vec<Option<Hostname>>> = HashMap::new();
        for (listener, hostname) in std::mem::take(&mut self.changed) {
            of_listener.entry(listener).or_default().push(hostname);
        }
        for (listener, hostnames) in of_listener {
            if self.listeners.slots().get(listener.0).is_none() {
                self.hosts.retain(|(known, _), _| *known != listener);
                continue;
            }
            let routes: Vec<_> =
                hostnames.iter().map(|hostname| self.host_routes(listener, hostname.as_ref())).collect();
            if let Some(Served { part: Part::Http(part), .. }) = self.listeners.get_mut(listener.0) {
                Arc::make_mut(part).change(hostnames.iter().map(Option::as_ref).zip(routes));
            }
        }
    }

    /// The index of a hostname of a listener, if it serves anything.
    fn host_routes(&mut self, listener: ListenerId, hostname: Option<&Hostname>) -> Option<HostRoutes> {
        let host = (listener, hostname.cloned());
        let attached = self.hosts.get(&host)?;
        if attached.is_empty() {
            self.hosts.remove(&host);
            return None;
        }
        let routes = self.routes.slots();
        let age = |route: &RouteId| routes.get(route.0).map(|route| &route.age);
        let mut attached: Vec<_> = attached.iter().copied().collect();
        attached.sort_by(|a, b| age(a).cmp(&age(b)));
        let entries = attached
            .iter()
            .enumerate()
            .flat_map(|(rank, route)| self.drafts[route].entries.placed(route.0, rank as u32, hostname));
        let mut entries = entries.peekable();
        // RTE-20: rules that are dropped are as if they were not there, and so is a hostname that only such rules have.
        entries.peek()?;
        Some(HostRoutes::build(host.1, entries))
    }
}

fn compiled(age: Age, rules: impl IntoIterator<Item = (Box<[HttpMatch]>, HttpRule)>) -> (Route, Entries) {
    let (matches, rules): (Vec<_>, Vec<_>) = rules.into_iter().unzip();
    (Route { age, rules: rules.into() }, Entries::new(matches))
}

fn hosts(attachments: &Attachments) -> impl Iterator<Item = Host> {
    attachments.iter().flat_map(|(listener, hostnames)| {
        let none = hostnames.is_empty().then_some(None);
        hostnames.iter().cloned().map(Some).chain(none).map(|hostname| (*listener, hostname))
    })
}
