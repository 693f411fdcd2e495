//! Gateway API routing decisions carried out with tower.
//!
//! [`Gateway`] is the whole as one service over any client; each of its layers can be used alone.
//!
//! Modules are listed in order: each imports only what stands before it, but for the pairs that make each other
//! (`respond` and `outcome`).

mod snapshot;
pub mod connection;
pub mod handle;
pub mod matched;
pub mod body;
pub mod upstream_target;
pub mod connect_error;
pub mod respond;
pub mod outcome;
mod decided;
mod upgrade;
pub mod route;
mod header_set;
pub mod hop_by_hop;
pub mod forwarded;
pub mod filters;
pub mod timeouts;
pub mod dispatch;
pub mod mirror;
pub mod retry;
pub mod balance;
pub mod recover;
pub mod gateway;
mod drain;
mod connect;
pub mod upstream;
pub mod serve;

pub use self::body::{BoxError, RequestBody, ResponseBody};
pub use self::connect_error::ConnectError;
pub use self::connection::Connection;
pub use self::gateway::{Gateway, GatewayFuture};
pub use self::handle::TableHandle;
pub use self::matched::Routed;
pub use self::outcome::{AnsweredBy, Outcome};
pub use self::respond::Refusal;
pub use self::upstream_target::UpstreamTarget;
