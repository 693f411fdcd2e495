//! The series of the places of a table, found without a lock.
//!
//! Series belong to names: what a rule has counted is still there when the table is swapped, or the rule is compiled anew.
//! Requests know numbers, those of their table. So there is an index from numbers to series, which is immutable and
//! swapped whole like a table, and which is not to be trusted: a number may be another's in another table. What it finds
//! is compared with the names in the request's own table, once for each table, and if it is another, or nothing, the series
//! are looked up by name, behind a lock. The index takes such finds in, all together, once there were as many of them as it has
//! entries: a table of ten thousand rules is learned at the cost of a few copies.
//!
//! Where requests go to ten thousand rules in turn, what they cost is memory that is not at hand: one cache line of the
//! index, and two or three of the series. A request finds it once: its attempt takes it along to the answer.
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

use super::cells::{PlaceCells, RequestCounts};
use super::labels::{Known, Labels, Parts, Place};
use super::series::{AllSeries, Series};
use crate::handle::TableHandle;

/// The series of all places.
pub(super) struct Places {
    index: ArcSwap<Index>,
    rest: Mutex<Rest>,
    /// The table in use decides what is forgotten.
    tables: TableHandle,
    /// At how many addresses a busy place is counted.
    shards: usize,
}

/// Clones are for a change, which is rare.
type Index = HashMap<Place, Entry, RandomState>;

/// The series of a place.
#[derive(Debug)]
struct Entry {
    series: Arc<Series<PlaceCells>>,
    /// The last table that was seen to have the series at this place, by its number.
    generation: AtomicU64,
}

/// What is behind the lock.
struct Rest {
    series: AllSeries<PlaceCells>,
    /// Those that the labels of series share.
    parts: Parts,
    found: Found,
    /// The table that the series were last compared with, by its number, and how many were left; nothing if some of them are to go.
    compared: Option<(u64, usize)>,
    /// How many there may be before those are looked for that are in no table any more.
    limit: usize,
}

/// What was found behind the lock, for the index to take in.
#[derive(Default)]
struct Found {
    entries: Index,
    /// How often something was looked up here since the index took in what was found.
    lookups: usize,
}

const LEAST_LIMIT: usize = 1_024;

// === impl Places ===

impl Places {
    /// For a table that is in `tables`, with busy places counted at so many addresses.
    pub(super) fn new(tables: TableHandle, shards: usize) -> Self {
        let rest = Rest {
            series: AllSeries::default(),
            parts: Parts::default(),
            found: Found::default(),
            compared: None,
            limit: LEAST_LIMIT,
        };
        Self { index: ArcSwap::default(), rest: Mutex::new(rest), tables, shards }
    }

    /// Where a place in `table`, which is one of the tables of this handle, is counted for connections of a shard.
    #[inline]
    pub(super) fn series(&self, table: &RouteTable, place: Place, shard: usize) -> Arc<Series<PlaceCells>> {
        match self.index.load().get(&place) {
            Some(entry) if entry.is_of(table, place) => entry.series.of_shard(shard, self.shards),
            Some(_) | None => self.find(table, place).of_shard(shard, self.shards),
        }
    }

    #[cold]
    fn find(&self, table: &RouteTable, place: Place) -> Arc<Series<PlaceCells>> {
        let mut rest = self.rest();
        let Rest { series, parts, found, .. } = &mut *rest;
        found.lookups += 1;
        let known = found.entries.get(&place).filter(|entry| entry.is_of(table, place));
        let taken = known.map(|entry| Arc::clone(&entry.series)).unwrap_or_else(|| {
            let series = series.find_or_add(Labels::new(table, place), parts);
            let generation = table.generation().into();
            found.entries.insert(place, Entry { series: Arc::clone(&series), generation });
            series
        });
        let index = self.index.load();
        if found.lookups > index.len() {
            let known = index.iter().map(|(place, entry)| (*place, entry.clone()));
            self.index.store(Arc::new(known.chain(mem::take(&mut found.entries)).collect()));
            found.lookups = 0;
        }
        if rest.series.len() > rest.limit {
            self.forget(&mut rest, &self.tables.load());
        }
        taken
    }

    /// The series with these labels, for those who keep it.
    pub(super) fn named(&self, labels: Labels) -> Arc<Series<PlaceCells>> {
        let mut rest = self.rest();
        let Rest { series, parts, .. } = &mut *rest;
        series.find_or_add(labels, parts)
    }

    /// All series of what is in the table in use, in the order of their labels: those of a rule's backends beside each other. The
    /// others are forgotten, as soon as no request is under way there.
    pub(super) fn all(&self) -> Vec<Arc<Series<PlaceCells>>> {
        let mut rest = self.rest();
        let table = self.tables.load();
        if rest.compared != Some((table.generation(), rest.series.len())) {
            self.forget(&mut rest, &table);
        }
        rest.series.sorted()
    }

    /// Forgets what is not in `table`, and the numbers that led to it.
    fn forget(&self, rest: &mut Rest, table: &RouteTable) {
        let known = Known::new(table);
        let Rest { series, parts, found, compared, limit } = rest;
        // No request that comes now finds here what goes.
        found.entries.retain(|_, entry| known.contains(entry.series.labels()));
        let index = self.index.load_full();
        if !index.values().all(|entry| known.contains(entry.series.labels())) {
            let kept = index.iter().filter(|(_, entry)| known.contains(entry.series.labels()));
            self.index.store(Arc::new(kept.map(|(place, entry)| (*place, entry.clone())).collect()));
        }
        drop(index);
        let mut is_done = true;
        for gone in series.take_unknown(&known) {
            let of_rule = gone.labels().of_request();
            if !known.contains(&of_rule) {
                continue;
            }
            // The rule is there, without this backend: requests to it go on to be counted for the rule.
            if gone.is_in_use() {
                series.put_back(gone);
                is_done = false;
            } else {
                let mut counts: RequestCounts = gone.all().map(|series| &series.cells.requests).collect();
                if gone.labels().are_unresolved() {
                    // These have had labels of their own.
                    counts.refusals = Default::default();
                }
                series.find_or_add(of_rule, parts).cells.requests.add(&counts);
            }
        }
        parts.forget_unused();
        *limit = LEAST_LIMIT.max(2 * series.len());
        *compared = is_done.then(|| (table.generation(), series.len()));
    }

    fn rest(&self) -> MutexGuard<'_, Rest> {
        // A panic in here leaves counters that are behind, and nothing that is half done.
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Places").field("indexed", &self.index.load().len()).finish_non_exhaustive()
    }
}

// === impl Entry ===

impl Entry {
    /// Whether this is the series of a place in `table`.
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
        let generation = self.generation.load(Ordering::Relaxed).into();
        Self { series: Arc::clone(&self.series), generation }
    }
}

#[cfg(test)]
mod tests {
    use gateway_core::matching::{HttpMatch, RequestHead};
    use gateway_core::name::{Age, ObjectName, RouteKey, RouteKind};
    use gateway_core::rule::{
        Backend, BackendProtocol, BackendRef, BackendTarget, Backends, HttpRule, RuleName,
    };
    use gateway_core::table::{FrontendOwner, Listener, ListenerProtocol, Transport};

    use super::super::class::Class;
    use super::super::labels::To;
    use super::super::method::MethodLabel;
    use super::*;

    /// A table with one rule, and its place there.
    fn table(route: &str) -> (RouteTable, Place) {
        table_of(route, &["shop"], "shop")
    }

    /// A table with these backends and one rule for one of them, and the place of what it sends there.
    fn table_of(route: &str, backends: &[&str], chosen: &str) -> (RouteTable, Place) {
        let gateway = ObjectName::new("default", "gateway");
        let mut table = RouteTable::builder(1);
        let listener = table.listener(Listener::new(gateway.clone(), "http", 80, ListenerProtocol::Http));
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
        let to = chosen_id.map_or(To::None, To::Backend);
        (table, Place { listener, rule: Some(matched.rule), to })
    }

    /// How many requests were counted, with whatever backend.
    fn counted(places: &Places) -> u64 {
        let all = places.all();
        let counts: RequestCounts =
            all.iter().flat_map(|series| series.all()).map(|series| &series.cells.requests).collect();
        counts.classes.iter().flatten().map(|(_, methods)| methods.iter().sum::<u64>()).sum()
    }

    #[test]
    fn series_of_a_rule_whose_backend_changes_do_not_pile_up_and_its_requests_are_kept() {
        let tables = TableHandle::new(RouteTable::default());
        let places = Places::new(tables.clone(), 1);
        let backends: Vec<_> = (0..50).map(|number| number.to_string()).collect();
        let backends: Vec<_> = backends.iter().map(String::as_str).collect();
        for chosen in &backends {
            let (table, place) = table_of("route", &backends, chosen);
            tables.store(table);
            let series = places.series(&tables.load(), place, 0);
            series.cells.requests.answered(Class::SUCCESS, MethodLabel::GET);
        }
        let all = places.all();
        let [of_rule, of_backend] = &*all else { panic!("{all:?}") };
        assert!(!of_rule.labels().have_backend());
        assert!(of_backend.labels().have_backend(), "the backend that the rule has");
        assert_eq!(counted(&places), 50);
    }

    #[test]
    fn a_request_that_ends_after_its_backend_has_gone_is_counted() {
        let tables = TableHandle::new(RouteTable::default());
        let places = Places::new(tables.clone(), 1);
        let (table, place) = table_of("route", &["old", "new"], "old");
        tables.store(table);
        let under_way = places.series(&tables.load(), place, 0);
        tables.store(table_of("route", &["old", "new"], "new").0);
        assert_eq!(counted(&places), 0);
        under_way.cells.requests.answered(Class::SUCCESS, MethodLabel::GET);
        drop(under_way);
        assert_eq!(counted(&places), 1);
        assert!(places.all().iter().all(|series| !series.labels().have_backend()), "it went to the rule");
    }

    #[test]
    fn series_of_routes_that_come_and_go_do_not_pile_up_while_nobody_reads_them() {
        let tables = TableHandle::new(RouteTable::default());
        let places = Places::new(tables.clone(), 1);
        for number in 0..3 * LEAST_LIMIT {
            let (table, place) = table(&number.to_string());
            tables.store(table);
            places.series(&tables.load(), place, 0);
        }
        let known = places.rest().series.len();
        assert!(known <= LEAST_LIMIT, "{known}");
        assert_eq!(places.all().len(), 1, "the route that is there");
        assert_eq!(places.rest().series.len(), 1);
    }
}
