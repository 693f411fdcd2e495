//! Building a table: listeners, backends and routes, and which route is attached to which listener.

use std::cmp::Reverse;
use std::sync::Arc;

use super::candidate::Candidate;
use super::http::{HttpTable, Placed, hostname_specificity};
use super::port::Ports;
use super::{Listener, ListenerId, RouteTable, RuleId};
use crate::hostname::Hostname;
use crate::matching::{Conditions, HttpMatch, Match, PathMatch, Precedence, Specificity};
use crate::name::{Age, BackendId};
use crate::rule::{Backend, HttpRule};

/// Collects what a [`RouteTable`] is made of. Order does not matter: equal contents give tables that decide equally.
#[derive(Debug)]
pub struct RouteTableBuilder {
    generation: u64,
    fall_through: bool,
    listeners: Vec<Listener>,
    backends: Vec<Backend>,
    routes: Vec<Route>,
    rules: Vec<HttpRule>,
    /// The matches of each rule.
    matches: Vec<Box<[Entry]>>,
    attachments: Vec<Attachment>,
}

/// A route of a builder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteId(u32);

#[derive(Debug)]
struct Route {
    age: Age,
    rules: std::ops::Range<usize>,
}

/// One match of a rule, as all hostnames and listeners of its route share it.
#[derive(Debug)]
struct Entry {
    path: PathMatch,
    specificity: Specificity,
    conditions: Option<Arc<Conditions>>,
}

#[derive(Debug)]
struct Attachment {
    listener: ListenerId,
    route: RouteId,
    hostnames: Box<[Hostname]>,
}

// === impl RouteTableBuilder ===

impl RouteTableBuilder {
    pub(super) fn new(generation: u64) -> Self {
        Self {
            generation,
            fall_through: true,
            listeners: Vec::new(),
            backends: Vec::new(),
            routes: Vec::new(),
            rules: Vec::new(),
            matches: Vec::new(),
            attachments: Vec::new(),
        }
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

    /// Adds a listener. Listeners of one port must differ in hostname; of several that do not, the first serves.
    pub fn listener(&mut self, listener: Listener) -> ListenerId {
        self.listeners.push(listener);
        ListenerId(self.listeners.len() as u32 - 1)
    }

    /// Adds a backend, for rules and mirrors to refer to.
    pub fn backend(&mut self, backend: Backend) -> BackendId {
        self.backends.push(backend);
        BackendId(self.backends.len() as u32 - 1)
    }

    /// Adds a route with its rules, each with its matches. A rule without matches serves nothing.
    pub fn http_route(
        &mut self,
        age: Age,
        rules: impl IntoIterator<Item = (Box<[HttpMatch]>, HttpRule)>,
    ) -> RouteId {
        let start = self.rules.len();
        for (matches, rule) in rules {
            self.matches.push(matches.into_iter().map(Entry::new).collect());
            self.rules.push(rule);
        }
        self.routes.push(Route { age, rules: start..self.rules.len() });
        RouteId(self.routes.len() as u32 - 1)
    }

    /// Attaches a route to a listener, for those of its hostnames that intersect with the listener's; none of them
    /// means that the route has no hostnames.
    ///
    /// A route that is attached to a listener more than once is served once.
    ///
    /// # Spec
    /// HST-04, HST-05, AMB-38.
    pub fn attach(&mut self, route: RouteId, listener: ListenerId, hostnames: &[Hostname]) {
        let attachment = Attachment { listener, route, hostnames: hostnames.into() };
        let same = |known: &Attachment| known.listener == listener && known.route == route;
        // Attachments of one route are made one after the other, so the same one is near the end.
        let recent = self.attachments.iter_mut().rev().take_while(|known| known.route == route);
        match recent.into_iter().find(|known| same(known)) {
            // Without hostnames it serves all that the listener serves.
            Some(known) if known.hostnames.is_empty() || hostnames.is_empty() => {
                known.hostnames = Box::default()
            }
            Some(known) => {
                let added = hostnames.iter().filter(|hostname| !known.hostnames.contains(hostname));
                known.hostnames = known.hostnames.iter().chain(added).cloned().collect();
            }
            None => self.attachments.push(attachment),
        }
    }

    /// The table.
    pub fn build(self) -> RouteTable {
        let ranks = ranks(&self.routes);
        let mut ages = vec![0; self.rules.len()];
        for (route, rank) in self.routes.iter().zip(&ranks) {
            ages[route.rules.clone()].fill(*rank);
        }
        let mut attached: Vec<Vec<&Attachment>> = self.listeners.iter().map(|_| Vec::new()).collect();
        for attachment in &self.attachments {
            attached[attachment.listener.0 as usize].push(attachment);
        }
        let http = attached
            .into_iter()
            .map(|attachments| {
                HttpTable::build(
                    attachments.into_iter().flat_map(|attachment| self.entries(attachment, &ranks)),
                )
            })
            .collect();
        RouteTable {
            generation: self.generation,
            fall_through: self.fall_through,
            ports: Ports::of(&self.listeners),
            http,
            listeners: self.listeners.into(),
            rules: self.rules.into(),
            ages: ages.into(),
            backends: self.backends.into(),
        }
    }

    /// The match entries by which an attached route serves a listener: one for each hostname and match.
    fn entries<'b>(
        &'b self,
        attachment: &'b Attachment,
        ranks: &'b [u32],
    ) -> impl Iterator<Item = (Option<&'b Hostname>, Placed<'b>)> + 'b {
        let Attachment { route, hostnames, .. } = attachment;
        let rules = self.routes[route.0 as usize].rules.clone();
        let route = ranks[route.0 as usize];
        let none = hostnames.is_empty().then_some(None);
        hostnames.iter().map(Some).chain(none).flat_map(move |hostname| {
            rules.clone().flat_map(move |position| {
                let rule = self.rules[position].id.index;
                self.matches[position].iter().enumerate().map(move |(i, entry)| {
                    let Entry { path, specificity, conditions } = entry;
                    let precedence = Precedence {
                        hostname: Reverse(hostname_specificity(hostname)),
                        specificity: Reverse(*specificity),
                        route,
                        rule,
                        entry: i as u16,
                    };
                    let conditions = conditions.clone();
                    let candidate = Candidate { rule: RuleId(position as u32), entry: i as u16, conditions };
                    let placed = Placed { path, precedence, candidate };
                    (hostname, placed)
                })
            })
        })
    }
}

// === impl Entry ===

impl Entry {
    fn new(of: HttpMatch) -> Self {
        let specificity = of.specificity();
        let HttpMatch { path, conditions } = of;
        Self { path, specificity, conditions: (!conditions.is_empty()).then(|| Arc::new(conditions)) }
    }
}

/// The position of each route in the order of age.
fn ranks(routes: &[Route]) -> Vec<u32> {
    let mut by_age: Vec<usize> = (0..routes.len()).collect();
    by_age.sort_by(|a, b| routes[*a].age.cmp(&routes[*b].age));
    let mut ranks = vec![0; routes.len()];
    for (rank, route) in by_age.into_iter().enumerate() {
        ranks[route] = rank as u32;
    }
    ranks
}
