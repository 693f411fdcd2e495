//! Gateway API routing decisions carried out with tower.
//!
//! Modules are listed in order: each imports only what stands before it.

mod snapshot;
pub mod connection;
pub mod handle;
pub mod matched;
pub mod body;
pub mod upstream_target;
pub mod connect_error;

pub use self::body::{BoxError, RequestBody, ResponseBody};
pub use self::connect_error::ConnectError;
pub use self::connection::Connection;
pub use self::handle::TableHandle;
pub use self::matched::Routed;
pub use self::upstream_target::UpstreamTarget;
