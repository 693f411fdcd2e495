//! Where a connection goes that is passed on.

use std::sync::Arc;

use gateway_core::rule::Endpoint;

use crate::connect::TlsPeer;

/// The endpoints of a backend, and how they are spoken to.
#[derive(Clone, Debug)]
pub(super) struct Destination {
    /// There is at least one.
    pub(super) endpoints: Arc<[Endpoint]>,
    /// How TLS is spoken with them, other than that of the client; not at all without it.
    pub(super) tls: Option<TlsPeer>,
}
