//! What is counted at the places of a table, found without a lock.
//!
//! Series belong to names: what a rule has counted is still there when the table is swapped, or the rule is compiled anew.
//! Requests know numbers, those of their table. So there is an index from numbers to cells, which is immutable and
//! swapped whole like a table, and which is not to be trusted: a number may be another's in another table. What it finds
//! is compared with the names in the request's own table, once for each table, and if it is another, or nothing, the series
//! are looked up by name, behind a lock. The index takes such finds in, all together, once there were as many of them as it has
//! entries: a table of ten thousand rules is learned at the cost of a few copies.
//!
//! Where requests go to ten thousand rules in turn, what they cost is memory that is not at hand. So each shard of the connections
//! has an index of its own, whose entries lead to the cells at once, those of a request and those of its attempts at a backend: one
//! cache line there, and one or two of either cells.
//!
//! A series goes when what it names is in no table any more: at the next reading, or when there are twice as many as there
//! were after the last.

use std::collections::HashMap;
use std::fmt;
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use foldhash::fast::RandomState;
use gateway_core::table::RouteTable;

use super::cells::{AttemptCells, RequestCells};
use super::labels::{Known, Labels, Parts, Place};
use super::series::{AllSeries, Series};
use crate::handle::TableHandle;

/// The cells of all places, and the series that they are of.
pub(super) struct Places {
    /// For each shard.
    indexes: Box<[ArcSwap<Index>]>,
    rest: Mutex<Rest>,
    /// The table in use decides what is forgotten.
    tables: TableHandle,
}

/// Clones are for a change, which is rare.
type Index = HashMap<Place, Entry, RandomState>;

/// The cells of a place for one shard.
#[derive(Debug)]
struct Entry {
    requests: Arc<RequestCells>,
    /// Where the place has a backend.
    attempts: Option<Arc<AttemptCells>>,
    /// The last table that was seen to have the series at this place, by its number.
    generation: AtomicU64,
    series: SeriesOfPlace,
}

/// The series of a place.
#[derive(Clone, Debug)]
struct SeriesOfPlace {
    /// Of its listener and rule.
    requests: Arc<Series<RequestCells>>,
    /// Of its backend, too.
    attempts: Option<Arc<Series<AttemptCells>>>,
}

/// What is behind the lock.
struct Rest {
    requests: AllSeries<RequestCells>,
    attempts: AllSeries<AttemptCells>,
    /// Those that the series share.
    parts: Parts,
    /// What the index of each shard is to take in.
    found: Box<[Found]>,
    /// The table that the series were last compared with, by its number, and how many were left.
    compared: (u64, usize),
    /// How many there may be before those are looked for that are in no table any more.
    limit: usize,
}

/// What was found behind the lock.
#[derive(Default)]
struct Found {
    entries: Index,
    /// How often something was looked up here since the index took in what was found.
    lookups: usize,
}

const LEAST_LIMIT: usize = 1_024;

// === impl Places ===

impl Places {
    pub(super) fn new(tables: TableHandle, shards: usize) -> Self {
        let rest = Rest {
            requests: AllSeries::default(),
            attempts: AllSeries::default(),
            parts: Parts::default(),
            found: (0..shards).map(|_| Found::default()).collect(),
            compared: (0, 0),
            limit: LEAST_LIMIT,
        };
        let indexes = (0..shards).map(|_| ArcSwap::default()).collect();
        Self { indexes, rest: Mutex::new(rest), tables }
    }

    /// Where requests are counted of a place in `table`, which is one of the tables of this handle.
    #[inline]
    pub(super) fn requests(&self, table: &RouteTable, place: Place, shard: usize) -> Arc<RequestCells> {
        self.cells(table, place, shard, |entry| Arc::clone(&entry.requests))
    }

    /// Where attempts are counted at the backend of such a place; nowhere without a backend.
    #[inline]
    pub(super) fn attempts(
        &self,
        table: &RouteTable,
        place: Place,
        shard: usize,
    ) -> Option<Arc<AttemptCells>> {
        self.cells(table, place, shard, |entry| entry.attempts.clone())
    }

    #[inline]
    fn cells<R>(&self, table: &RouteTable, place: Place, shard: usize, take: impl Fn(&Entry) -> R) -> R {
        let shard = shard % self.indexes.len();
        match self.indexes[shard].load().get(&place) {
            Some(entry) if entry.is_of(table, place) => take(entry),
            Some(_) | None => self.find(table, place, shard, take),
        }
    }

    #[cold]
    fn find<R>(&self, table: &RouteTable, place: Place, shard: usize, take: impl Fn(&Entry) -> R) -> R {
        let mut rest = self.rest();
        rest.found[shard].lookups += 1;
        let known = rest.found[shard].entries.get(&place).filter(|entry| entry.is_of(table, place));
        let taken = known.map(&take).unwrap_or_else(|| {
            let entry = Entry::new(rest.series_of(table, place), table, shard);
            let taken = take(&entry);
            rest.found[shard].entries.insert(place, entry);
            taken
        });
        let index = self.indexes[shard].load();
        let Found { entries, lookups } = &mut rest.found[shard];
        if *lookups > index.len() {
            let known = index.iter().map(|(place, entry)| (*place, entry.clone()));
            self.indexes[shard].store(Arc::new(known.chain(mem::take(entries)).collect()));
            *lookups = 0;
        }
        if rest.count() > rest.limit {
            self.forget(&mut rest, &self.tables.load());
        }
        taken
    }

    /// The series of requests with these labels, for those who keep it.
    pub(super) fn named(&self, labels: Labels) -> Arc<Series<RequestCells>> {
        self.rest().series_of_requests(labels)
    }

    /// All series of requests to what is in the table in use, in the order of their labels. The others are forgotten.
    pub(super) fn all_of_requests(&self) -> Vec<Arc<Series<RequestCells>>> {
        self.known().requests.sorted()
    }

    /// The same of attempts.
    pub(super) fn all_of_attempts(&self) -> Vec<Arc<Series<AttemptCells>>> {
        self.known().attempts.sorted()
    }

    /// Series of what is in the table in use alone.
    fn known(&self) -> MutexGuard<'_, Rest> {
        let mut rest = self.rest();
        let table = self.tables.load();
        if rest.compared != (table.generation(), rest.count()) {
            self.forget(&mut rest, &table);
        }
        rest
    }

    /// Forgets what is not in `table`, and the numbers that led to it.
    fn forget(&self, rest: &mut Rest, table: &RouteTable) {
        let known = Known::new(table);
        let before = rest.count();
        rest.requests.forget_unknown(&known);
        rest.attempts.forget_unknown(&known);
        rest.limit = LEAST_LIMIT.max(2 * rest.count());
        rest.compared = (table.generation(), rest.count());
        if rest.count() == before {
            return;
        }
        rest.parts.forget_unused();
        for (index, Found { entries, .. }) in self.indexes.iter().zip(&mut rest.found) {
            entries.retain(|_, entry| known.contains(entry.series.labels()));
            let index_now = index.load();
            let kept = index_now.iter().filter(|(_, entry)| known.contains(entry.series.labels()));
            index.store(Arc::new(kept.map(|(place, entry)| (*place, entry.clone())).collect()));
        }
    }

    fn rest(&self) -> MutexGuard<'_, Rest> {
        // A panic in here leaves counters that are behind, and nothing that is half done.
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let indexed: usize = self.indexes.iter().map(|index| index.load().len()).sum();
        f.debug_struct("Places").field("indexed", &indexed).finish_non_exhaustive()
    }
}

// === impl Rest ===

impl Rest {
    /// How many series there are.
    fn count(&self) -> usize {
        self.requests.len() + self.attempts.len()
    }

    fn series_of(&mut self, table: &RouteTable, place: Place) -> SeriesOfPlace {
        let requests = self.series_of_requests(Labels::new(table, place.of_request()));
        let attempts = place.backend.map(|_| {
            let labels = Labels::new(table, place);
            self.attempts.find_or_add(labels, &mut self.parts, self.found.len())
        });
        SeriesOfPlace { requests, attempts }
    }

    fn series_of_requests(&mut self, labels: Labels) -> Arc<Series<RequestCells>> {
        self.requests.find_or_add(labels, &mut self.parts, self.found.len())
    }
}

// === impl Entry ===

impl Entry {
    /// The entry for series that `table` has at the place.
    fn new(series: SeriesOfPlace, table: &RouteTable, shard: usize) -> Self {
        Self {
            requests: series.requests.cells(shard),
            attempts: series.attempts.as_ref().map(|attempts| attempts.cells(shard)),
            generation: table.generation().into(),
            series,
        }
    }

    /// Whether these are the series of a place in `table`.
    #[inline]
    fn is_of(&self, table: &RouteTable, place: Place) -> bool {
        self.generation.load(Ordering::Relaxed) == table.generation() || self.is_also_of(table, place)
    }

    /// The same, by name: once a table.
    #[cold]
    fn is_also_of(&self, table: &RouteTable, place: Place) -> bool {
        let is_same = self.series.labels().are_of(table, place);
        if is_same {
            self.generation.store(table.generation(), Ordering::Relaxed);
        }
        is_same
    }
}

impl Clone for Entry {
    fn clone(&self) -> Self {
        Self {
            requests: Arc::clone(&self.requests),
            attempts: self.attempts.clone(),
            generation: self.generation.load(Ordering::Relaxed).into(),
            series: self.series.clone(),
        }
    }
}

// === impl SeriesOfPlace ===

impl SeriesOfPlace {
    /// What names the place.
    fn labels(&self) -> &Labels {
        self.attempts.as_ref().map_or_else(|| self.requests.labels(), |attempts| attempts.labels())
    }
}

#[cfg(test)]
mod tests {
    use gateway_core::matching::{HttpMatch, RequestHead};
    use gateway_core::name::{Age, ListenerOwnerKind, ObjectName, RouteKey, RouteKind};
    use gateway_core::rule::{
        Backend, BackendProtocol, BackendRef, BackendTarget, Backends, HttpRule, RuleName,
    };
    use gateway_core::table::{FrontendOwner, Listener, ListenerProtocol, Transport};

    use super::*;

    /// A table with one rule, and its place there.
    fn table(route: &str) -> (RouteTable, Place) {
        table_of(route, &["shop"], "shop")
    }

    /// A table with these backends and one rule for one of them, and the place of what it sends there.
    fn table_of(route: &str, backends: &[&str], chosen: &str) -> (RouteTable, Place) {
        let gateway = ObjectName::new("default", "gateway");
        let mut table = RouteTable::builder(1);
        let listener = table.listener(Listener {
            frontend: FrontendOwner::Gateway(gateway.clone()),
            owner_kind: ListenerOwnerKind::Gateway,
            owner: gateway.clone(),
            name: "http".into(),
            port: 80,
            protocol: ListenerProtocol::Http,
            hostname: None,
        });
        let name = ObjectName::new("default", route);
        let key = RouteKey::new(RouteKind::Http, name.clone());
        let mut rule = HttpRule::new(RuleName { route: Arc::new(key), index: 0, name: None });
        let mut chosen_id = None;
        for backend in backends {
            let id = table.backend(Backend {
                service: ObjectName::new("default", *backend),
                port: 80,
                protocol: BackendProtocol::default(),
                ..Backend::default()
            });
            if *backend == chosen {
                chosen_id = Some(id);
                rule.backends = Backends::new([BackendRef { target: BackendTarget::Backend(id), weight: 1 }]);
            }
        }
        let route = table.http_route(Age::new(None, &name), [([HttpMatch::default()].into(), rule)]);
        table.attach(route, listener, &[]);
        let table = table.build();
        let frontend = table.frontend(FrontendOwner::Gateway(&gateway), Transport::Tcp, 80).unwrap();
        let request = http::Request::get("http://a/").body(()).unwrap();
        let head = RequestHead::new(request.method(), request.uri(), request.headers()).unwrap();
        let matched = table.find(frontend, None, &head).unwrap();
        (table, Place { listener, rule: Some(matched.rule), backend: chosen_id })
    }

    #[test]
    fn series_of_a_rule_whose_backend_changes_do_not_pile_up_while_the_backends_are_there() {
        let tables = TableHandle::new(RouteTable::default());
        let places = Places::new(tables.clone(), 1);
        let backends: Vec<_> = (0..50).map(|number| number.to_string()).collect();
        let backends: Vec<_> = backends.iter().map(String::as_str).collect();
        for chosen in &backends {
            let (table, place) = table_of("route", &backends, chosen);
            tables.store(table);
            places.attempts(&tables.load(), place, 0);
        }
        assert_eq!(places.all_of_attempts().len(), 1, "the backend that the rule has");
        assert_eq!(places.all_of_requests().len(), 1, "the rule");
    }

    #[test]
    fn series_of_routes_that_come_and_go_do_not_pile_up_while_nobody_reads_them() {
        let tables = TableHandle::new(RouteTable::default());
        let places = Places::new(tables.clone(), 1);
        for number in 0..3 * LEAST_LIMIT {
            let (table, place) = table(&number.to_string());
            tables.store(table);
            places.attempts(&tables.load(), place, 0);
        }
        let known = places.rest().count();
        assert!(known <= LEAST_LIMIT, "{known}");
        assert_eq!(places.all_of_attempts().len(), 1, "the route that is there");
        assert_eq!(places.rest().count(), 2, "of its requests and of its attempts");
    }
}
