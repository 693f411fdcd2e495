//! Trying a request again when an attempt at its backend failed.
//!
//! Only the rules that say so are retried: after the listed status codes, and whenever the backend could not be reached,
//! broke off before its answer began, or took longer than `backendRequest` (RTY-07, RTY-08). All methods are; a rule
//! whose requests must not be repeated should have no retry. When no attempt is left the client gets the answer to the
//! last one (RTY-03).
//!
//! The body is kept while it streams to the backend, up to 64 KiB. A request whose body is longer is tried once only,
//! from the moment that it is seen to be longer, and so is one that upgrades the connection.
//!
//! Between attempts there is a pause: at least the rule's backoff, twice as long each time, and up to a quarter more at
//! random, so that requests which failed together do not come back together. The layer stands within the request
//! timeout, which cuts it short (RTY-06).

mod future;
mod layer;
mod plan;
mod service;

pub use self::future::RetryFuture;
pub use self::layer::RetryLayer;
pub use self::service::Retry;
