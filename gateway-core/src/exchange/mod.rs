//! What happens to a request between its match and its answer, without I/O.

mod header_set;
pub mod hop_by_hop;
pub mod forwarded;

pub use self::header_set::HeaderSet;
