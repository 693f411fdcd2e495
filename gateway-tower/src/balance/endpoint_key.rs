//! The identity of an endpoint from table to table.

use std::net::SocketAddr;

use gateway_core::rule::Endpoint;

/// The identity of an endpoint, by which something can be remembered of it: the same in every table, and for all backends
/// that lead to it.
///
/// It is the address. Opaque, because an endpoint that is reached within TLS will be another than the same address without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EndpointKey(SocketAddr);

// === impl EndpointKey ===

impl From<&Endpoint> for EndpointKey {
    fn from(endpoint: &Endpoint) -> Self {
        Self(endpoint.address())
    }
}
