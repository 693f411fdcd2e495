//! The place that holds the table in use.

use std::fmt;
use std::sync::Arc;

use gateway_core::table::RouteTable;
use tokio::sync::watch;

use super::snapshot::{Shard, Snapshot, Snapshots};

/// A place that holds the table in use. Clones are the same place.
#[derive(Clone)]
pub struct TableHandle(Arc<Shared>);

struct Shared {
    snapshots: Snapshots,
    changes: watch::Sender<Arc<RouteTable>>,
}

// === impl TableHandle ===

impl TableHandle {
    /// A handle that starts with `table`, the first that it counts.
    pub fn new(table: RouteTable) -> Self {
        let table = Arc::new(numbered(table, 1));
        Self(Arc::new(Shared { snapshots: Snapshots::new(&table), changes: watch::Sender::new(table) }))
    }

    /// The table in use now.
    pub fn load(&self) -> Arc<RouteTable> {
        Arc::clone(&self.0.changes.borrow())
    }

    /// Puts `table` into use, and tells those who [subscribed](Self::subscribe). Gives the number under which it is in
    /// use: the table's own, or the one after that of the table before, whichever is greater.
    pub fn store(&self, table: RouteTable) -> u64 {
        let mut generation = 0;
        // Within the lock of the channel, so that of two stores at once the same one is the last for both.
        self.0.changes.send_modify(|latest| {
            let table = Arc::new(numbered(table, latest.generation() + 1));
            generation = table.generation();
            self.0.snapshots.store(&table);
            *latest = table;
        });
        generation
    }

    /// The table in use and every one that comes after it; of several that come quickly perhaps only the last.
    pub fn subscribe(&self) -> watch::Receiver<Arc<RouteTable>> {
        self.0.changes.subscribe()
    }

    /// What a request sees that counts itself there: the table in use, for its whole life.
    pub(crate) fn snapshot(&self, shard: Shard) -> Snapshot {
        self.0.snapshots.load(shard)
    }
}

/// The table with its number, or with the lowest that it may have.
fn numbered(table: RouteTable, lowest: u64) -> RouteTable {
    let generation = table.generation().max(lowest);
    table.with_generation(generation)
}

impl fmt::Debug for TableHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TableHandle").field("generation", &self.load().generation()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn subscribers_hear_of_the_last_table() {
        let handle = TableHandle::new(RouteTable::builder(1).build());
        let mut tables = handle.subscribe();
        assert_eq!(tables.borrow_and_update().generation(), 1);
        handle.clone().store(RouteTable::builder(2).build());
        handle.store(RouteTable::builder(3).build());
        tables.changed().await.unwrap();
        assert_eq!(tables.borrow_and_update().generation(), 3);
        assert!(!tables.has_changed().unwrap());
    }

    #[test]
    fn tables_are_counted_whatever_their_numbers_are() {
        let handle = TableHandle::new(RouteTable::default());
        assert_eq!(handle.load().generation(), 1);
        assert_eq!(handle.store(RouteTable::default()), 2);
        assert_eq!(handle.store(RouteTable::builder(7).build()), 7);
        assert_eq!(handle.store(RouteTable::builder(7).build()), 8);
        assert_eq!(handle.load().generation(), 8);
    }
}
