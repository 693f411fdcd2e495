//! The series of a metric, found by a place in a table without a lock.
//!
//! Series belong to names: what a rule has counted is still there when the table is swapped, or the rule is compiled anew.
//! Requests know numbers, those of their table. So there is an index from numbers to cells, which is immutable and
//! swapped whole like a table, and which is not to be trusted: a number may be another's in another table. What it finds
//! is compared with the names in the request's own table, once for each table, and if it is another, or nothing, the series
//! is looked up by name, behind a lock. The index takes such finds in, all together, once there were as many of them as it has
//! entries: a table of ten thousand rules is learned at the cost of a few copies.
//!
//! Where requests go to ten thousand rules in turn, what they cost is memory that is not at hand. So each shard of the connections
//! has an index of its own, whose entries lead to the cells at once: one cache line there, and one or two of the cells.
//!
//! A series goes when what it names is in no table any more: at the next reading, or when there are twice as many as there
//! were after the last.

use std::collections::HashMap;
use std::fmt;
use std::hash::BuildHasher;
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use arc_swap::ArcSwap;
use foldhash::fast::RandomState;
use gateway_core::table::RouteTable;
use hashbrown::HashTable;

use super::labels::{Known, Labels, Parts, Place};
use crate::handle::TableHandle;

/// The series of places, each with cells of type `C`.
pub(super) struct Family<C> {
    /// For each shard.
    indexes: Box<[ArcSwap<Index<C>>]>,
    rest: Mutex<Rest<C>>,
    /// The table in use decides what is forgotten.
    tables: TableHandle,
}

/// Clones are for a change, which is rare.
type Index<C> = HashMap<Place, Entry<C>, RandomState>;

/// The cells of a place for one shard.
#[derive(Debug)]
struct Entry<C> {
    cells: Arc<C>,
    /// The last table that was seen to have the series at this place, by its number.
    generation: AtomicU64,
    series: Arc<Series<C>>,
}

/// What is behind the lock.
struct Rest<C> {
    /// By their labels.
    series: HashTable<Arc<Series<C>>>,
    seed: RandomState,
    /// Those that the series share.
    parts: Parts,
    /// What the index of each shard is to take in.
    found: Box<[Found<C>]>,
    /// The table that the series were last compared with, by its number.
    generation: u64,
    /// Whether there were new ones since.
    has_new: bool,
    /// How many there may be before those are looked for that are in no table any more.
    limit: usize,
}

/// What was found behind the lock.
struct Found<C> {
    entries: Index<C>,
    /// How often something was looked up here since the index took in what was found.
    lookups: usize,
}

/// A series, and its cells for each shard of the connections.
#[derive(Debug)]
pub(super) struct Series<C> {
    labels: Labels,
    shards: Box<[OnceLock<Arc<C>>]>,
}

const LEAST_LIMIT: usize = 1_024;

// === impl Family ===

impl<C: Default> Family<C> {
    pub(super) fn new(tables: TableHandle, shards: usize) -> Self {
        let rest = Rest {
            series: HashTable::new(),
            seed: RandomState::default(),
            parts: Parts::default(),
            found: (0..shards).map(|_| Found { entries: Index::default(), lookups: 0 }).collect(),
            generation: 0,
            has_new: false,
            limit: LEAST_LIMIT,
        };
        let indexes = (0..shards).map(|_| ArcSwap::default()).collect();
        Self { indexes, rest: Mutex::new(rest), tables }
    }

    /// The cells of a place in `table`, which is one of the tables of this family's handle.
    #[inline]
    pub(super) fn cells(&self, table: &RouteTable, place: Place, shard: usize) -> Arc<C> {
        let shard = shard % self.indexes.len();
        match self.indexes[shard].load().get(&place) {
            Some(entry) if entry.is_of(table, place) => Arc::clone(&entry.cells),
            Some(_) | None => self.find(table, place, shard),
        }
    }

    #[cold]
    fn find(&self, table: &RouteTable, place: Place, shard: usize) -> Arc<C> {
        let mut rest = self.rest();
        rest.found[shard].lookups += 1;
        let known = rest.found[shard].entries.get(&place).filter(|entry| entry.is_of(table, place));
        let cells = known.map(|entry| Arc::clone(&entry.cells)).unwrap_or_else(|| {
            let series = rest.series(Labels::new(table, place));
            let entry = Entry::new(series, table, shard);
            let cells = Arc::clone(&entry.cells);
            rest.found[shard].entries.insert(place, entry);
            cells
        });
        let index = self.indexes[shard].load();
        let Found { entries, lookups } = &mut rest.found[shard];
        if *lookups > index.len() {
            let known = index.iter().map(|(place, entry)| (*place, entry.clone()));
            self.indexes[shard].store(Arc::new(known.chain(mem::take(entries)).collect()));
            *lookups = 0;
        }
        if rest.series.len() > rest.limit {
            self.forget(&mut rest, &self.tables.load());
        }
        cells
    }

    /// The series with these labels, for those who keep it.
    pub(super) fn named(&self, labels: Labels) -> Arc<Series<C>> {
        self.rest().series(labels)
    }

    /// All series of what is in the table in use, in the order of their labels. The others are forgotten.
    pub(super) fn all(&self) -> Vec<Arc<Series<C>>> {
        let mut rest = self.rest();
        let table = self.tables.load();
        if rest.generation != table.generation() || rest.has_new {
            self.forget(&mut rest, &table);
        }
        let mut series: Vec<_> = rest.series.iter().cloned().collect();
        drop(rest);
        series.sort_by(|a, b| a.labels.cmp(&b.labels));
        series
    }

    /// Forgets what is not in `table`, and the numbers that led to it.
    fn forget(&self, rest: &mut Rest<C>, table: &RouteTable) {
        let known = Known::new(table);
        let before = rest.series.len();
        rest.series.retain(|series| known.contains(&series.labels));
        rest.limit = LEAST_LIMIT.max(2 * rest.series.len());
        (rest.generation, rest.has_new) = (table.generation(), false);
        if rest.series.len() == before {
            return;
        }
        rest.parts.forget_unused();
        for (index, Found { entries, .. }) in self.indexes.iter().zip(&mut rest.found) {
            entries.retain(|_, entry| known.contains(&entry.series.labels));
            let index_now = index.load();
            let kept = index_now.iter().filter(|(_, entry)| known.contains(&entry.series.labels));
            index.store(Arc::new(kept.map(|(place, entry)| (*place, entry.clone())).collect()));
        }
    }

    fn rest(&self) -> MutexGuard<'_, Rest<C>> {
        // A panic in here leaves counters that are behind, and nothing that is half done.
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C> fmt::Debug for Family<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let indexed: usize = self.indexes.iter().map(|index| index.load().len()).sum();
        f.debug_struct("Family").field("indexed", &indexed).finish_non_exhaustive()
    }
}

// === impl Rest ===

impl<C: Default> Rest<C> {
    fn series(&mut self, labels: Labels) -> Arc<Series<C>> {
        let Self { series, seed, parts, found, has_new, .. } = self;
        let hash = |labels: &Labels| seed.hash_one(labels);
        let entry = series.entry(hash(&labels), |known| known.labels == labels, |known| hash(&known.labels));
        let series = entry.or_insert_with(|| {
            *has_new = true;
            Arc::new(Series::new(parts.share(labels), found.len()))
        });
        Arc::clone(series.get())
    }
}

// === impl Entry ===

impl<C: Default> Entry<C> {
    /// The entry for a series that `table` has at the place.
    fn new(series: Arc<Series<C>>, table: &RouteTable, shard: usize) -> Self {
        Self { cells: series.cells(shard), generation: table.generation().into(), series }
    }

    /// Whether this is the series of a place in `table`.
    #[inline]
    fn is_of(&self, table: &RouteTable, place: Place) -> bool {
        let generation = table.generation();
        if self.generation.load(Ordering::Relaxed) == generation {
            return true;
        }
        let is_same = self.series.labels.are_of(table, place);
        if is_same {
            self.generation.store(generation, Ordering::Relaxed);
        }
        is_same
    }
}

impl<C> Clone for Entry<C> {
    fn clone(&self) -> Self {
        Self {
            cells: Arc::clone(&self.cells),
            generation: self.generation.load(Ordering::Relaxed).into(),
            series: Arc::clone(&self.series),
        }
    }
}

// === impl Series ===

impl<C: Default> Series<C> {
    fn new(labels: Labels, shards: usize) -> Self {
        Self { labels, shards: (0..shards).map(|_| OnceLock::new()).collect() }
    }

    /// What names it.
    pub(super) fn labels(&self) -> &Labels {
        &self.labels
    }

    /// The cells for a shard.
    pub(super) fn cells(&self, shard: usize) -> Arc<C> {
        Arc::clone(self.shards[shard % self.shards.len()].get_or_init(Arc::default))
    }

    /// The cells of all shards that have counted something.
    pub(super) fn all(&self) -> impl Iterator<Item = &C> {
        self.shards.iter().filter_map(|shard| shard.get().map(|cells| &**cells))
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
        let family: Family<()> = Family::new(tables.clone(), 1);
        let backends: Vec<_> = (0..50).map(|number| number.to_string()).collect();
        let backends: Vec<_> = backends.iter().map(String::as_str).collect();
        for chosen in &backends {
            let (table, place) = table_of("route", &backends, chosen);
            tables.store(table);
            family.cells(&tables.load(), place, 0);
        }
        assert_eq!(family.all().len(), 1, "the backend that the rule has");
    }

    #[test]
    fn series_of_routes_that_come_and_go_do_not_pile_up_while_nobody_reads_them() {
        let tables = TableHandle::new(RouteTable::default());
        let family: Family<()> = Family::new(tables.clone(), 1);
        for number in 0..3 * LEAST_LIMIT {
            let (table, place) = table(&number.to_string());
            tables.store(table);
            family.cells(&tables.load(), place, 0);
        }
        let known = family.rest().series.len();
        assert!(known <= LEAST_LIMIT, "{known}");
        assert_eq!(family.all().len(), 1, "the route that is there");
        assert_eq!(family.rest().series.len(), 1);
    }
}
