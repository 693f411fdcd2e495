//! The series of a metric, found by a place in a table without a lock.
//!
//! Series belong to names: what a rule has counted is still there when the table is swapped, or the rule is compiled anew.
//! Requests know numbers, those of their table. So there is an index from numbers to series, which is immutable and
//! swapped whole like a table, and which is not to be trusted: a number may be another's in another table. What it finds
//! is compared with the names in the request's own table, in most cases by a few pointers, and if it is another, or
//! nothing, the series is looked up by name, behind a lock. The index takes such finds in, all together, once there were
//! as many of them as it has entries: a table of ten thousand rules is learned at the cost of a few copies.
//!
//! A series goes when what it names is in no table any more: at the next reading, or when there are twice as many as there
//! were after the last.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use arc_swap::ArcSwap;
use foldhash::fast::RandomState;
use gateway_core::table::RouteTable;

use super::labels::{Known, Labels, Place};
use crate::handle::TableHandle;

/// The series of places, each with cells of type `C`.
pub(super) struct Family<C> {
    index: ArcSwap<Index<C>>,
    rest: Mutex<Rest<C>>,
    /// The table in use decides what is forgotten.
    tables: TableHandle,
    shards: usize,
}

type Map<K, V> = HashMap<K, V, RandomState>;

/// Clones are for a change, which is rare.
type Index<C> = Map<Place, Arc<Series<C>>>;

/// What is behind the lock.
struct Rest<C> {
    series: Map<Labels, Arc<Series<C>>>,
    /// What the index is to take in.
    found: Index<C>,
    /// How often something was looked up here since the index took in what was found.
    lookups: usize,
    /// The table that the series were last compared with, by its number.
    generation: u64,
    /// Whether there were new ones since.
    has_new: bool,
    /// How many there may be before those are looked for that are in no table any more.
    limit: usize,
}

/// A series, and its cells for each shard of the connections.
pub(super) struct Series<C> {
    labels: Labels,
    shards: Box<[OnceLock<Arc<C>>]>,
}

const LEAST_LIMIT: usize = 1_024;

// === impl Family ===

impl<C: Default> Family<C> {
    pub(super) fn new(tables: TableHandle, shards: usize) -> Self {
        let rest = Rest {
            series: Map::default(),
            found: Map::default(),
            lookups: 0,
            generation: 0,
            has_new: false,
            limit: LEAST_LIMIT,
        };
        Self { index: ArcSwap::default(), rest: Mutex::new(rest), tables, shards }
    }

    /// The cells of a place in `table`.
    #[inline]
    pub(super) fn cells(&self, table: &RouteTable, place: Place, shard: usize) -> Arc<C> {
        let index = self.index.load();
        match index.get(&place) {
            Some(series) if series.labels.are_of(table, place) => series.cells(shard),
            Some(_) | None => self.find(table, place).cells(shard),
        }
    }

    #[cold]
    fn find(&self, table: &RouteTable, place: Place) -> Arc<Series<C>> {
        let mut rest = self.rest();
        rest.lookups += 1;
        let known = rest.found.get(&place).filter(|series| series.labels.are_of(table, place)).cloned();
        let series = known.unwrap_or_else(|| {
            let series = rest.series(Labels::new(table, place), self.shards);
            rest.found.insert(place, Arc::clone(&series));
            series
        });
        let index = self.index.load_full();
        if rest.lookups > index.len() {
            let mut index = (*index).clone();
            index.extend(rest.found.drain());
            self.index.store(Arc::new(index));
            rest.lookups = 0;
        }
        if rest.series.len() > rest.limit {
            self.forget(&mut rest, &self.tables.load());
        }
        series
    }

    /// The series with these labels, for those who keep it.
    pub(super) fn named(&self, labels: Labels) -> Arc<Series<C>> {
        self.rest().series(labels, self.shards)
    }

    /// All series of what is in the table in use, in the order of their labels. The others are forgotten.
    pub(super) fn all(&self) -> Vec<Arc<Series<C>>> {
        let mut rest = self.rest();
        let table = self.tables.load();
        if rest.generation != table.generation() || rest.has_new {
            self.forget(&mut rest, &table);
        }
        let mut series: Vec<_> = rest.series.values().cloned().collect();
        drop(rest);
        series.sort_by(|a, b| a.labels.cmp(&b.labels));
        series
    }

    /// Forgets what is not in `table`, and what numbers led to.
    fn forget(&self, rest: &mut Rest<C>, table: &RouteTable) {
        let known = Known::new(table);
        rest.series.retain(|labels, _| known.contains(labels));
        rest.limit = LEAST_LIMIT.max(2 * rest.series.len());
        rest.found.clear();
        self.index.store(Arc::default());
        rest.lookups = 0;
        (rest.generation, rest.has_new) = (table.generation(), false);
    }

    fn rest(&self) -> MutexGuard<'_, Rest<C>> {
        // A panic in here leaves counters that are behind, and nothing that is half done.
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C> fmt::Debug for Family<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Family").field("indexed", &self.index.load().len()).finish_non_exhaustive()
    }
}

// === impl Rest ===

impl<C: Default> Rest<C> {
    fn series(&mut self, labels: Labels, shards: usize) -> Arc<Series<C>> {
        let series = self.series.entry(labels).or_insert_with_key(|labels| {
            self.has_new = true;
            Arc::new(Series::new(labels.clone(), shards))
        });
        Arc::clone(series)
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
    use gateway_core::rule::{HttpRule, RuleName};
    use gateway_core::table::{FrontendOwner, Listener, ListenerProtocol, Transport};

    use super::*;

    /// A table with one rule, and its place there.
    fn table(route: &str) -> (RouteTable, Place) {
        let gateway = ObjectName::new("default", "gateway");
        let mut table = RouteTable::builder(1);
        let listener = table.listener(Listener {
            gateway: gateway.clone(),
            owner_kind: ListenerOwnerKind::Gateway,
            owner: gateway.clone(),
            name: "http".into(),
            port: 80,
            protocol: ListenerProtocol::Http,
            hostname: None,
        });
        let name = ObjectName::new("default", route);
        let key = RouteKey::new(RouteKind::Http, name.clone());
        let rule = HttpRule::new(RuleName { route: Arc::new(key), index: 0, name: None });
        let route = table.http_route(Age::new(None, &name), [([HttpMatch::default()].into(), rule)]);
        table.attach(route, listener, &[]);
        let table = table.build();
        let frontend = table.frontend(FrontendOwner::Gateway(&gateway), Transport::Tcp, 80).unwrap();
        let request = http::Request::get("http://a/").body(()).unwrap();
        let head = RequestHead::new(request.method(), request.uri(), request.headers()).unwrap();
        let matched = table.find(frontend, None, &head).unwrap();
        (table, Place { listener, rule: Some(matched.rule), backend: None })
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
