//! The place that holds the table in use.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gateway_core::table::RouteTable;
use tokio::sync::watch;

use super::answers::Answers;
use super::snapshot::{Shard, Snapshot, Snapshots};

/// A place that holds the table in use. Clones are the same place.
///
/// A table is immutable. The program that compiles a new one stores it here; requests that are under way keep the one they
/// started with, and those that come next see the new one. No request waits for a swap and no swap for a request.
///
/// ```
/// use gateway_core::table::RouteTable;
/// use gateway_tower::TableHandle;
///
/// let handle = TableHandle::new(RouteTable::builder(1).build());
/// let before = handle.load();
/// handle.store(RouteTable::builder(2).build());
/// assert_eq!((before.generation(), handle.load().generation()), (1, 2));
/// ```
#[derive(Clone)]
pub struct TableHandle(Arc<Shared>);

struct Shared {
    snapshots: Snapshots,
    changes: watch::Sender<Arc<RouteTable>>,
    /// Taken within the lock of the channel only.
    answers: Mutex<Answers>,
}

// === impl TableHandle ===

impl TableHandle {
    /// A handle that starts with `table`, the first that it counts.
    pub fn new(table: RouteTable) -> Self {
        let table = Arc::new(numbered(table, 1));
        Self(Arc::new(Shared {
            snapshots: Snapshots::new(&table),
            changes: watch::Sender::new(table),
            answers: Mutex::default(),
        }))
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
            let found = self.answers().in_table(&table);
            let table = Arc::new(numbered(found.unwrap_or(table), latest.generation() + 1));
            generation = table.generation();
            self.0.snapshots.store(&table);
            *latest = table;
        });
        generation
    }

    /// Says what a name outside the cluster leads to from now on: the backends that are this name have these endpoints, in the table in
    /// use and in those that come. Without any, requests to them are refused.
    ///
    /// [`Names`](crate::names::Names) does so for all names of a table; this is for who looks them up otherwise.
    ///
    /// ```
    /// use gateway_core::name::ObjectName;
    /// use gateway_core::rule::Backend;
    /// use gateway_core::table::RouteTable;
    /// use gateway_tower::TableHandle;
    ///
    /// let mut table = RouteTable::builder(1);
    /// let service = ObjectName::new("default", "payments");
    /// let id = table.backend(Backend { service, port: 443, hostname: Some("pay.example".into()), ..Backend::default() });
    /// let handle = TableHandle::new(table.build());
    /// handle.set_addresses("pay.example", &[[192, 0, 2, 7].into()]);
    /// assert_eq!(handle.load().backend(id).endpoints[0].address(), ([192, 0, 2, 7], 443).into());
    /// ```
    ///
    /// # Spec
    /// [XBK-01](gateway_core::spec#XBK-01)
    pub fn set_addresses(&self, name: &str, addresses: &[IpAddr]) {
        self.0.changes.send_if_modified(|latest| {
            let mut answers = self.answers();
            let found = if answers.set(name, addresses) { answers.in_table(latest) } else { None };
            let Some(table) = found else { return false };
            let table = Arc::new(numbered(table, latest.generation() + 1));
            self.0.snapshots.store(&table);
            *latest = table;
            true
        });
    }

    fn answers(&self) -> MutexGuard<'_, Answers> {
        // Each answer is put in as a whole.
        self.0.answers.lock().unwrap_or_else(PoisonError::into_inner)
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

    // XBK-01
    #[test]
    fn names_keep_their_addresses_from_table_to_table() {
        use gateway_core::name::ObjectName;
        use gateway_core::rule::Backend;
        let table = |port: u16, name: &str| {
            let service = ObjectName::new("default", "payments");
            let mut table = RouteTable::builder(0);
            table.backend(Backend { service, port, hostname: Some(name.into()), ..Backend::default() });
            table.build()
        };
        let handle = TableHandle::new(table(443, "a.example"));
        let endpoints = || {
            let table = handle.load();
            let backend = table.backends().next().unwrap();
            backend.endpoints.iter().map(|endpoint| endpoint.address().to_string()).collect::<Vec<_>>()
        };
        let addresses = |last: u8| [IpAddr::from([192, 0, 2, last])];
        let mut tables = handle.subscribe();
        tables.borrow_and_update();
        handle.set_addresses("b.example", &addresses(9));
        assert!(!tables.has_changed().unwrap(), "no backend has the name");
        handle.set_addresses("a.example", &addresses(1));
        assert_eq!((endpoints(), handle.load().generation()), (vec!["192.0.2.1:443".to_owned()], 2));
        tables.borrow_and_update();
        handle.set_addresses("a.example", &addresses(1));
        assert!(!tables.has_changed().unwrap(), "the same again");
        handle.store(table(8443, "a.example"));
        assert_eq!(endpoints(), ["192.0.2.1:8443"], "at its own port");
        handle.store(table(443, "b.example"));
        assert_eq!(endpoints(), ["192.0.2.9:443"], "it was known before it was needed");
        handle.set_addresses("b.example", &[]);
        assert_eq!(endpoints(), [""; 0]);
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
