//! Connections and datagrams that are passed on as they come: to an endpoint, and back.
//!
//! The table decides where they go; nothing here knows TLS or HTTP.

mod endpoint;
mod proxy_header;
mod stream;
mod flow;
mod flows;
mod datagrams;

pub(super) use self::datagrams::{Datagrams, bind_datagrams};
pub use self::proxy_header::ProxyHeader;
pub(super) use self::proxy_header::ProxyHeaders;
#[cfg(feature = "tls")]
pub(super) use self::stream::reject;
pub(super) use self::stream::{Relay, carry, reset};
