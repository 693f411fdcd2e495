//! Building tables: listeners, backends and routes, and which route is attached to which listener.
//!
//! A builder can be changed after it has built a table, and build another: the cost is that of what changed, and the tables
//! share the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::frontend::Frontends;
use super::host_routes::HostRoutes;
use super::http_part::HttpPart;
use super::route::{AnyEntries, Route, RouteId, Traffic};
use super::route_set::{Index, Member, RouteSet, RouteSets};
use super::shared_map::SharedMap;
use super::slots::{SlotMap, Slots};
use super::stream_part::StreamPart;
use super::stream_routes::StreamRoutes;
use super::{Certificate, Listener, ListenerId, Part, RouteTable, Served, StreamRuleId, Tracing};
use crate::filter::ListenerFilter;
use crate::hostname::Hostname;
use crate::matching::{GrpcMatch, HttpMatch};
use crate::name::{Age, BackendId, ObjectName};
use crate::rule::{Backend, HttpRule, StreamRule};

/// Collects what a [`RouteTable`] is made of. Order does not matter: equal contents give tables that decide equally.
#[derive(Debug)]
pub struct RouteTableBuilder {
    generation: u64,
    fall_through: bool,
    addresses: Arc<BTreeMap<ObjectName, Vec<IpAddr>>>,
    services: Arc<BTreeMap<IpAddr, ObjectName>>,
    workloads: SharedMap<Arc<str>>,
    client_certificates: Arc<BTreeMap<ObjectName, Certificate>>,
    tracing: Arc<BTreeMap<ObjectName, Arc<Tracing>>>,
    backend_certificates: Arc<BTreeMap<ObjectName, Certificate>>,
    listeners: SlotMap<Served>,
    frontends: Option<Arc<Frontends>>,
    backends: SlotMap<Backend>,
    /// The numbers of those that are names.
    named: Arc<BTreeSet<u32>>,
    routes: SlotMap<Arc<Route>>,
    drafts: Drafts,
    streams: StreamRoutes,
    /// How many versions of drafts there were.
    versions: u32,
    /// The routes of each hostname of a listener, as of the last table.
    hosts: HashMap<(Traffic, Host), Arc<RouteSet>, RandomState>,
    sets: RouteSets,
    /// The hostnames whose routes changed since the last table, with the routes that came or went; the last word on a route
    /// counts.
    changed: HashMap<(Traffic, Host), Vec<(RouteId, Attached)>, RandomState>,
}

/// A hostname of a listener; `None` for the routes without hostnames.
type Host = (ListenerId, Option<Hostname>);

/// The hostnames of a route at each listener that it is attached to; none for a route without hostnames.
type Attachments = Vec<(ListenerId, Arc<[Hostname]>)>;

/// The routes that a hostname of a listener has from now on, of those that take the same.
type Change = (Traffic, Option<Hostname>, Option<Arc<RouteSet>>);

/// What the indexes need of each route.
type Drafts = HashMap<RouteId, Draft, RandomState>;

#[derive(Debug)]
struct Draft {
    entries: AnyEntries,
    /// Another whenever the entries or the age of the route are.
    version: u32,
    attachments: Attachments,
}

/// Whether a route came to a hostname, or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attached {
    Yes,
    No,
}

// === impl RouteTableBuilder ===

impl RouteTableBuilder {
    pub(super) fn new(generation: u64) -> Self {
        Self {
            generation,
            fall_through: true,
            addresses: Arc::default(),
            services: Arc::default(),
            workloads: SharedMap::default(),
            client_certificates: Arc::default(),
            tracing: Arc::default(),
            backend_certificates: Arc::default(),
            listeners: SlotMap::default(),
            frontends: None,
            backends: SlotMap::default(),
            named: Arc::default(),
            routes: SlotMap::default(),
            drafts: HashMap::default(),
            streams: StreamRoutes::default(),
            versions: 0,
            hosts: HashMap::default(),
            sets: RouteSets::default(),
            changed: HashMap::default(),
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
    /// [HRM-29](crate::spec#HRM-29); the choice is [AMB-12](crate::choices#AMB-12).
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

    /// The addresses of the Services that have listeners: what clients of a mesh dial.
    pub fn services(&mut self, services: BTreeMap<IpAddr, ObjectName>) -> &mut Self {
        if *self.services != services {
            self.services = Arc::new(services);
        }
        self
    }

    /// The certificates that Gateways show to backends within TLS.
    pub fn client_certificates(&mut self, certificates: BTreeMap<ObjectName, Certificate>) -> &mut Self {
        if *self.client_certificates != certificates {
            self.client_certificates = Arc::new(certificates);
        }
        self
    }

    /// What policies say of the traces of Gateways.
    pub fn tracing(&mut self, tracing: BTreeMap<ObjectName, Arc<Tracing>>) -> &mut Self {
        if *self.tracing != tracing {
            self.tracing = Arc::new(tracing);
        }
        self
    }

    /// The certificates that XBackends are shown within TLS.
    pub fn backend_certificates(&mut self, certificates: BTreeMap<ObjectName, Certificate>) -> &mut Self {
        if *self.backend_certificates != certificates {
            self.backend_certificates = Arc::new(certificates);
        }
        self
    }

    /// Gives workloads their namespaces, or takes them away; each may be there once.
    pub fn workloads(&mut self, changes: impl IntoIterator<Item = (IpAddr, Option<Arc<str>>)>) -> &mut Self {
        let changes: Vec<_> =
            changes.into_iter().map(|(address, namespace)| (address.to_string(), namespace)).collect();
        self.workloads.change(changes.iter().map(|(address, namespace)| (&**address, namespace.clone())));
        self
    }

    /// Takes all workloads away.
    pub fn clear_workloads(&mut self) -> &mut Self {
        self.workloads = SharedMap::default();
        self
    }

    /// Adds a listener. Listeners of one port must differ in hostname; of several that do not, one serves.
    pub fn listener(&mut self, listener: Listener) -> ListenerId {
        self.frontends = None;
        let part = part(&listener);
        let (listener, filters) = (Arc::new(listener), Arc::default());
        ListenerId(self.listeners.insert(Served { listener, filters, part }))
    }

    /// Gives a listener the filters that run on its requests before a rule is looked for, in the place of those that it has;
    /// a new listener has none.
    ///
    /// # Spec
    /// [PRF-01](crate::spec#PRF-01)
    pub fn listener_filters(&mut self, id: ListenerId, filters: impl Into<Arc<[ListenerFilter]>>) {
        if let Some(served) = self.listeners.get_mut(id.0) {
            served.filters = filters.into();
        }
    }

    /// Puts a listener in the place of another, with the same routes and filters.
    ///
    /// # Panics
    /// When one of the two takes requests and the other does not: no Route fits both.
    pub fn replace_listener(&mut self, id: ListenerId, listener: Listener) {
        self.frontends = None;
        if let Some(served) = self.listeners.get_mut(id.0) {
            let before = &served.listener.protocol;
            assert_eq!(before.takes_requests(), listener.protocol.takes_requests(), "the same routes fit");
            served.listener = Arc::new(listener);
        }
    }

    /// Takes a listener away. Routes that are attached to it serve nothing there.
    pub fn remove_listener(&mut self, id: ListenerId) {
        self.frontends = None;
        self.listeners.remove(id.0);
        // Its number may be given to another listener, to which they are not attached.
        self.drafts.values_mut().for_each(|draft| draft.attachments.retain(|(listener, _)| *listener != id));
        for (_, set) in self.hosts.extract_if(|(_, (listener, _)), _| *listener == id) {
            self.sets.release(set);
        }
        self.changed.retain(|(_, (listener, _)), _| *listener != id);
        self.streams.forget_listener(id);
    }

    /// Adds a backend, for rules and mirrors to refer to.
    pub fn backend(&mut self, backend: Backend) -> BackendId {
        let is_named = backend.hostname.is_some();
        let id = self.backends.insert(backend);
        self.note_named(id, is_named);
        BackendId(id)
    }

    /// Puts a backend in the place of another, for the rules that refer to it.
    pub fn replace_backend(&mut self, id: BackendId, backend: Backend) {
        self.note_named(id.0, backend.hostname.is_some());
        self.backends.replace(id.0, backend);
    }

    /// Takes a backend away, to which no rule may refer any more.
    pub fn remove_backend(&mut self, id: BackendId) {
        self.note_named(id.0, false);
        self.backends.remove(id.0);
    }

    fn note_named(&mut self, backend: u32, is_named: bool) {
        if self.named.contains(&backend) == is_named {
            return;
        }
        let named = Arc::make_mut(&mut self.named);
        if is_named {
            named.insert(backend)
        } else {
            named.remove(&backend)
        };
    }

    /// Adds a route for requests with its rules, each with its matches. A rule without matches serves nothing.
    pub fn http_route(
        &mut self,
        age: Age,
        rules: impl IntoIterator<Item = (Box<[HttpMatch]>, HttpRule)>,
    ) -> RouteId {
        let (matches, rules): (Vec<_>, Vec<_>) = rules.into_iter().unzip();
        self.add(Route { age, rules: rules.into() }, matches.into())
    }

    /// Adds a route for calls of gRPC. These go to such routes first, and nothing else does.
    ///
    /// # Spec
    /// [GRP-08](crate::spec#GRP-08), [AMB-40](crate::choices#AMB-40).
    pub fn grpc_route(
        &mut self,
        age: Age,
        rules: impl IntoIterator<Item = (Box<[GrpcMatch]>, HttpRule)>,
    ) -> RouteId {
        let (matches, rules): (Vec<_>, Vec<_>) = rules.into_iter().unzip();
        self.add(Route { age, rules: rules.into() }, matches.into())
    }

    /// Gives a route for requests other rules. It stays attached where it is.
    ///
    /// # Panics
    /// When the route is not one of this builder, was taken away, or is one for calls.
    pub fn replace_http_route(
        &mut self,
        id: RouteId,
        age: Age,
        rules: impl IntoIterator<Item = (Box<[HttpMatch]>, HttpRule)>,
    ) {
        let (matches, rules): (Vec<_>, Vec<_>) = rules.into_iter().unzip();
        self.replace(id, Route { age, rules: rules.into() }, matches.into());
    }

    /// Gives a route for calls other rules. It stays attached where it is.
    ///
    /// # Panics
    /// When the route is not one of this builder, was taken away, or is one for requests.
    pub fn replace_grpc_route(
        &mut self,
        id: RouteId,
        age: Age,
        rules: impl IntoIterator<Item = (Box<[GrpcMatch]>, HttpRule)>,
    ) {
        let (matches, rules): (Vec<_>, Vec<_>) = rules.into_iter().unzip();
        self.replace(id, Route { age, rules: rules.into() }, matches.into());
    }

    fn add(&mut self, route: Route, entries: AnyEntries) -> RouteId {
        let id = RouteId(self.routes.insert(Arc::new(route)));
        let version = self.next_version();
        self.drafts.insert(id, Draft { entries, version, attachments: Vec::new() });
        id
    }

    fn replace(&mut self, id: RouteId, route: Route, entries: AnyEntries) {
        let known = self.routes.slots().get(id.0);
        let same_age = known.is_some_and(|known| known.age == route.age);
        if known.is_none_or(|known| **known != route) {
            self.routes.replace(id.0, Arc::new(route));
        }
        let version = self.next_version();
        let draft = self.drafts.get_mut(&id).expect("the route is of this builder");
        let traffic = draft.entries.traffic();
        assert_eq!(traffic, entries.traffic(), "a route stays of its kind");
        if !same_age || draft.entries != entries {
            (draft.entries, draft.version) = (entries, version);
            for host in hosts(&draft.attachments) {
                self.changed.entry((traffic, host)).or_default();
            }
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
    /// [HST-04](crate::spec#HST-04), [HST-05](crate::spec#HST-05), [AMB-38](crate::choices#AMB-38).
    pub fn attach(&mut self, route: RouteId, listener: ListenerId, hostnames: &[Hostname]) {
        let draft = self.drafts.get(&route).expect("the route is of this builder");
        let attached = draft.attachments.iter();
        let mut attachments: Vec<_> =
            attached.map(|(listener, hostnames)| (*listener, hostnames.to_vec())).collect();
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
        let merged = merged(attachments);
        let draft = self.drafts.get_mut(&route).expect("the route is of this builder");
        if draft.attachments == merged {
            return;
        }
        let before = std::mem::replace(&mut draft.attachments, merged);
        let traffic = draft.entries.traffic();
        for host in hosts(&before) {
            self.changed.entry((traffic, host)).or_default().push((route, Attached::No));
        }
        for host in hosts(&draft.attachments) {
            self.changed.entry((traffic, host)).or_default().push((route, Attached::Yes));
        }
    }

    /// Adds a route for streams or datagrams.
    pub fn stream_route(&mut self, age: Age, rule: StreamRule) -> StreamRuleId {
        self.streams.insert(age, rule)
    }

    /// Gives a route for streams or datagrams another rule. It stays attached where it is.
    ///
    /// # Panics
    /// When the route is not one of this builder, or was taken away.
    pub fn replace_stream_route(&mut self, id: StreamRuleId, age: Age, rule: StreamRule) {
        self.streams.replace(id, age, rule);
    }

    /// Takes a route for streams or datagrams away.
    ///
    /// # Panics
    /// When the route is not one of this builder, or was taken away.
    pub fn remove_stream_route(&mut self, id: StreamRuleId) {
        self.streams.remove(id);
    }

    /// Attaches a route for streams or datagrams to these listeners and to no others: for those of its hostnames that
    /// intersect with the listener's, none of them meaning that the route has no hostnames.
    ///
    /// Of several routes with one hostname the oldest serves. A listener that takes requests serves none of them.
    ///
    /// # Panics
    /// When the route is not one of this builder, or was taken away.
    ///
    /// # Spec
    /// [TLR-05](crate::spec#TLR-05), [TCR-03](crate::spec#TCR-03), [UDR-03](crate::spec#UDR-03).
    pub fn attach_stream_to(
        &mut self,
        id: StreamRuleId,
        attachments: impl IntoIterator<Item = (ListenerId, Vec<Hostname>)>,
    ) {
        self.streams.place(id, hosts(&merged(attachments)).collect());
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
            services: self.services.clone(),
            workloads: self.workloads.clone(),
            client_certificates: self.client_certificates.clone(),
            tracing: self.tracing.clone(),
            backend_certificates: self.backend_certificates.clone(),
            frontends: frontends.clone(),
            listeners: listeners.clone(),
            routes: self.routes.slots().clone(),
            streams: self.streams.rules().clone(),
            backends: self.backends.slots().clone(),
            named: self.named.clone(),
        }
    }

    /// The table, where no other is to follow.
    pub fn build(mut self) -> RouteTable {
        self.table()
    }

    /// Gives the hostnames whose routes changed the indexes of those that they have now.
    fn index_changed(&mut self) {
        let mut of_listener: HashMap<ListenerId, Vec<Change>, RandomState> = HashMap::default();
        let mut released = Vec::new();
        let Self { drafts, hosts, sets, routes, .. } = self;
        for (place, changes) in std::mem::take(&mut self.changed) {
            let (traffic, (listener, _)) = place;
            let before = hosts.get(&place);
            let is_served = self.listeners.slots().get(listener.0).is_some();
            let members = if is_served { members(before, changes, drafts) } else { Vec::new() };
            if members.is_empty() {
                released.extend(hosts.remove(&place));
                let (_, (_, hostname)) = place;
                of_listener.entry(listener).or_default().push((traffic, hostname, None));
                continue;
            }
            let set = sets.find_or_add(members, |members| index(traffic, members, drafts, routes.slots()));
            if before.is_some_and(|before| Arc::ptr_eq(before, &set)) {
                continue;
            }
            let (_, (_, hostname)) = &place;
            of_listener.entry(listener).or_default().push((traffic, hostname.clone(), Some(set.clone())));
            released.extend(hosts.insert(place, set));
        }
        for (listener, changes) in of_listener {
            if let Some(Served { part: Part::Http(part), .. }) = self.listeners.get_mut(listener.0) {
                change(Arc::make_mut(part), &changes);
            }
        }
        // Only now, so that a set that goes from one hostname to another stays.
        released.into_iter().for_each(|set| sets.release(set));
        shrink(&mut self.hosts);
        shrink(&mut self.drafts);
        for (listener, changes) in self.streams.take_changes() {
            if let Some(Served { part: Part::Stream(part), .. }) = self.listeners.get_mut(listener.0) {
                let (hostnames, rules): (Vec<_>, Vec<_>) = changes.into_iter().unzip();
                Arc::make_mut(part).change(hostnames.iter().map(Option::as_ref).zip(rules));
            }
        }
    }

    fn next_version(&mut self) -> u32 {
        self.versions = self.versions.wrapping_add(1);
        self.versions
    }
}

/// What is behind a listener without routes.
fn part(listener: &Listener) -> Part {
    match listener.protocol.takes_requests() {
        true => Part::Http(Arc::default()),
        false => Part::Stream(Arc::new(StreamPart::default())),
    }
}

/// The routes of a hostname now, ascending: those that it had, and what became of some.
fn members(
    before: Option<&Arc<RouteSet>>,
    mut changes: Vec<(RouteId, Attached)>,
    drafts: &Drafts,
) -> Vec<Member> {
    // In the order in which they were made, for each route.
    changes.sort_by_key(|(route, _)| *route);
    let before = before.iter().flat_map(|set| set.members()).map(|member| member.route);
    let stays = |route: &RouteId| changes.binary_search_by_key(route, |(route, _)| *route).is_err();
    let mut routes: Vec<RouteId> = before.filter(stays).collect();
    let last = changes.chunk_by(|(a, _), (b, _)| a == b).filter_map(|of_route| of_route.last());
    routes.extend(last.filter(|(_, attached)| *attached == Attached::Yes).map(|(route, _)| route));
    routes.sort_unstable();
    routes.into_iter().map(|route| Member { route, version: drafts[&route].version }).collect()
}

/// The index of routes that take the same, if they serve anything.
fn index(traffic: Traffic, members: &[Member], drafts: &Drafts, routes: &Slots<Arc<Route>>) -> Option<Index> {
    let age = |route: &RouteId| routes.get(route.0).map(|route| &route.age);
    let mut attached: Vec<_> = members.iter().map(|member| member.route).collect();
    attached.sort_by(|a, b| age(a).cmp(&age(b)));
    let ranked = || attached.iter().zip(0..).map(|(route, rank)| (&drafts[route].entries, route.0, rank));
    // RTE-20: rules that are dropped are as if they were not there, and so is a hostname that only such rules have.
    match traffic {
        Traffic::Requests => {
            let entries = ranked().filter_map(|(all, route, rank)| Some((all.requests()?, route, rank)));
            let mut placed =
                entries.flat_map(|(all, route, rank)| all.placed::<HttpMatch>(route, rank)).peekable();
            placed.peek().is_some().then(|| Index::Requests(HostRoutes::build(placed)))
        }
        Traffic::Calls => {
            let entries = ranked().filter_map(|(all, route, rank)| Some((all.calls()?, route, rank)));
            let mut placed =
                entries.flat_map(|(all, route, rank)| all.placed::<GrpcMatch>(route, rank)).peekable();
            placed.peek().is_some().then(|| Index::Calls(HostRoutes::build(placed)))
        }
    }
}

/// Gives hostnames of a listener other routes.
fn change(part: &mut HttpPart, changes: &[Change]) {
    let of = |traffic| changes.iter().filter(move |(of, ..)| *of == traffic);
    let requests = |set: &Option<Arc<RouteSet>>| set.as_ref().and_then(|set| set.requests());
    part.change_requests(of(Traffic::Requests).map(|(_, hostname, set)| (hostname.as_ref(), requests(set))));
    let calls = |set: &Option<Arc<RouteSet>>| set.as_ref().and_then(|set| set.calls());
    part.change_calls(of(Traffic::Calls).map(|(_, hostname, set)| (hostname.as_ref(), calls(set))));
}

/// Each listener once, with equal lists of hostnames shared.
fn merged(attachments: impl IntoIterator<Item = (ListenerId, Vec<Hostname>)>) -> Attachments {
    let mut merged: Vec<(ListenerId, Vec<Hostname>)> = Vec::new();
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
    let mut shared = Attachments::with_capacity(merged.len());
    for (listener, hostnames) in merged {
        let hostnames = match shared.last() {
            Some((_, last)) if **last == *hostnames => last.clone(),
            Some(_) | None => hostnames.into(),
        };
        shared.push((listener, hostnames));
    }
    shared
}

/// Gives back the room of a map of which most has gone.
fn shrink<K: Eq + std::hash::Hash, V>(map: &mut HashMap<K, V, RandomState>) {
    if map.len() * 8 < map.capacity() {
        map.shrink_to(map.len() * 2);
    }
}

fn hosts(attachments: &Attachments) -> impl Iterator<Item = Host> {
    attachments.iter().flat_map(|(listener, hostnames)| {
        let none = hostnames.is_empty().then_some(None);
        hostnames.iter().cloned().map(Some).chain(none).map(|hostname| (*listener, hostname))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matching::{Conditions, HeaderMatch, PathMatch, ValueMatch};
    use crate::name::{RouteKey, RouteKind};
    use crate::rule::RuleName;
    use crate::table::ListenerProtocol;

    fn listener(builder: &mut RouteTableBuilder, port: u16) -> ListenerId {
        let gateway = ObjectName::new("default", "gateway");
        builder.listener(Listener::new(gateway, port.to_string(), port, ListenerProtocol::Http))
    }

    type Rule = (Box<[HttpMatch]>, HttpRule);

    fn rules(name: &str, path: &str) -> (Age, [Rule; 1]) {
        let name = ObjectName::new("default", name);
        let header = HeaderMatch { name: http::header::ACCEPT, value: ValueMatch::exact("a") };
        let matches = [Conditions::default(), Conditions::new(None, [header], [])]
            .map(|conditions| HttpMatch { path: PathMatch::prefix(path), conditions });
        let rule = HttpRule::new(RuleName {
            route: RouteKey::new(RouteKind::Http, name.clone()).into(),
            index: 0,
            name: None,
        });
        (Age::new(None, &name), [(matches.into(), rule)])
    }

    #[test]
    fn hostnames_and_listeners_with_the_same_routes_share_one_index() {
        let mut builder = RouteTable::builder(1);
        let listeners: Vec<_> = (1..=8).map(|port| listener(&mut builder, port)).collect();
        let hostnames: Vec<Hostname> = (0..4).map(|i| format!("h{i}.example").parse().unwrap()).collect();
        let add = |builder: &mut RouteTableBuilder, name: &str, to: &[ListenerId], hostnames: &[Hostname]| {
            let (age, rules) = rules(name, "/a");
            let route = builder.http_route(age, rules);
            builder.attach_to(route, to.iter().map(|listener| (*listener, hostnames.to_vec())));
            route
        };
        let one = add(&mut builder, "one", &listeners, &hostnames);
        let two = add(&mut builder, "two", &listeners, &hostnames);
        builder.table();
        assert_eq!(builder.sets.len(), 1);
        let three = add(&mut builder, "three", &listeners[..1], &hostnames[..1]);
        builder.table();
        assert_eq!(builder.sets.len(), 2, "one and two, and at one place three besides");
        let (age, changed) = rules("two", "/b");
        builder.replace_http_route(two, age, changed);
        builder.table();
        assert_eq!(builder.sets.len(), 2, "what they were is forgotten");
        let before: Vec<_> = builder.hosts.values().map(Arc::as_ptr).collect();
        // What goes and comes back in one step was never away.
        builder.attach_to(three, []);
        builder.attach_to(three, [(listeners[0], hostnames[..1].to_vec())]);
        builder.table();
        assert!(builder.hosts.values().map(Arc::as_ptr).eq(before));
        builder.remove_route(three);
        builder.table();
        assert_eq!(builder.sets.len(), 1);
        [one, two].into_iter().for_each(|route| builder.remove_route(route));
        builder.table();
        assert_eq!((builder.sets.len(), builder.hosts.len()), (0, 0));
    }

    #[test]
    fn a_route_that_changes_while_it_is_attached_nowhere_is_not_taken_for_what_it_was() {
        let mut builder = RouteTable::builder(1);
        let (a, b) = (listener(&mut builder, 1), listener(&mut builder, 2));
        let (age, before) = rules("one", "/a");
        let route = builder.http_route(age, before);
        builder.attach_to(route, [(a, Vec::new())]);
        builder.table();
        builder.attach_to(route, []);
        let (age, now) = rules("one", "/b");
        builder.replace_http_route(route, age, now);
        builder.attach_to(route, [(b, Vec::new())]);
        let table = builder.table();
        let found = |path: &str| {
            let request = http::Request::get(format!("http://x{path}")).body(()).unwrap();
            let head = crate::matching::RequestHead::new(request.method(), request.uri(), request.headers());
            table.find_in(b, &head.unwrap(), &mut ()).is_ok()
        };
        assert_eq!((found("/a"), found("/b")), (false, true));
    }
}
