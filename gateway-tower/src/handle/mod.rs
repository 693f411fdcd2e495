//! The table in use, and swapping it.

mod answers;
mod snapshot;
mod table_handle;

pub(crate) use self::snapshot::{Shard, Snapshot};
pub use self::table_handle::TableHandle;
