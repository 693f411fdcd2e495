//! The table in use, and swapping it.
//!
//! A table is immutable. Whoever compiles a new one stores it here; requests that are under way keep the one they
//! started with, and those that come next see the new one. No request waits for a swap and no swap for a request.
//!
//! ```
//! use gateway_core::table::RouteTable;
//! use gateway_tower::TableHandle;
//!
//! let handle = TableHandle::new(RouteTable::builder(1).build());
//! let before = handle.load();
//! handle.store(RouteTable::builder(2).build());
//! assert_eq!((before.generation(), handle.load().generation()), (1, 2));
//! ```

mod answers;
mod snapshot;
mod table_handle;

pub(crate) use self::snapshot::{Shard, Snapshot};
pub use self::table_handle::TableHandle;
