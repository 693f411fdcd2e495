//! The table as requests hold it.
//!
//! A request holds a table from start to end, and so counts itself in and out. If all requests counted at one place, the
//! cores of a machine would spend their time handing it to each other; so there are several places, all for the same
//! table, and a connection keeps to one of them. Nothing is held between requests: an old table goes with the last
//! request that started in it.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arc_swap::ArcSwap;
use gateway_core::table::RouteTable;

/// The table as one request holds it.
#[derive(Clone)]
pub(crate) struct Snapshot(Arc<Place>);

/// One place at which requests are counted that hold a table.
struct Place {
    table: Arc<RouteTable>,
}

/// The places for the table in use.
pub(crate) struct Snapshots([ArcSwap<Place>; SHARDS]);

/// Which of the places a connection keeps to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shard(usize);

const SHARDS: usize = 16;

// === impl Snapshots ===

impl Snapshots {
    pub(crate) fn new(table: &Arc<RouteTable>) -> Self {
        Self(std::array::from_fn(|_| ArcSwap::from_pointee(Place { table: Arc::clone(table) })))
    }

    pub(crate) fn store(&self, table: &Arc<RouteTable>) {
        for place in &self.0 {
            place.store(Arc::new(Place { table: Arc::clone(table) }));
        }
    }

    pub(crate) fn load(&self, shard: Shard) -> Snapshot {
        Snapshot(self.0[shard.0].load_full())
    }
}

// === impl Snapshot ===

impl Snapshot {
    /// A table that is not in use by any gateway.
    pub(crate) fn new(table: RouteTable) -> Self {
        Self(Arc::new(Place { table: Arc::new(table) }))
    }
}

impl Deref for Snapshot {
    type Target = RouteTable;

    fn deref(&self) -> &RouteTable {
        &self.0.table
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").field("generation", &self.generation()).finish()
    }
}

// === impl Shard ===

impl Shard {
    /// A place, each in turn.
    pub(crate) fn next() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS)
    }

    /// The number of the place, for others who count at several.
    #[cfg_attr(not(feature = "metrics"), allow(dead_code, reason = "only metrics count so"))]
    pub(crate) fn index(self) -> usize {
        self.0
    }
}
