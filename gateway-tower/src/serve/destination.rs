//! The destination of a connection that is passed on.

use std::sync::Arc;

use gateway_core::rule::Endpoint;

use super::stream_record::StreamRecord;
use crate::connect::{Maker, TlsPeer};

/// The endpoints of a backend, how they are spoken to, and what is told of the connection.
#[derive(Debug)]
pub(super) struct Destination {
    /// There is at least one.
    pub(super) endpoints: Arc<[Endpoint]>,
    /// How TLS is spoken with them, other than that of the client; not at all without it.
    pub(super) tls: Option<TlsPeer>,
    /// Whose connection it is.
    pub(super) maker: Maker,
    /// What is known of it.
    pub(super) record: StreamRecord,
}
