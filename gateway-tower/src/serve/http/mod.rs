//! HTTP on a stream of bytes: connections of hyper, and a tower service for each.

mod service;
mod connection;

pub(super) use self::connection::{Acceptance, Http, Protocols};
pub use self::service::ConnectionService;
