//! HTTP on a stream of bytes: connections of hyper, and a tower service for each.

mod stream_clock;
mod turn_clock;
mod client_body;
mod service;
mod connection;

pub use self::client_body::ClientBody;
pub(super) use self::connection::{Acceptance, Http, Protocols, Speaking, read_proxy_header};
pub use self::service::ConnectionService;
