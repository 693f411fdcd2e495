//! Errors of an attempt that got no answer.

use std::net::SocketAddr;

use crate::body::BoxError;
use crate::client::{ConnectError, NotProcessed};

/// Why an attempt at a backend got no answer.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// There is no connection to the endpoint; nothing was sent.
    #[error("the backend cannot be reached")]
    Connect(#[source] ConnectError),
    /// The endpoint has processed nothing of the request.
    #[error("the backend did not take the request")]
    NotProcessed(#[source] NotProcessed),
    /// The connection failed before the head of the answer was there, or the answer is not HTTP.
    #[error("the exchange with {endpoint} failed")]
    Exchange {
        /// The endpoint.
        endpoint: SocketAddr,
        /// What happened.
        #[source]
        cause: BoxError,
    },
    /// The answer switches to another protocol, which the request did not ask for.
    #[error("{endpoint} switched protocols without being asked to")]
    UnexpectedSwitch {
        /// The endpoint.
        endpoint: SocketAddr,
    },
    /// The request's Host header is none that HTTP/2 can carry.
    #[error("the request's host is not an authority")]
    Host,
    /// Nothing says where the request goes: it has not passed a balance layer, and there is no `UpstreamTarget` in its
    /// extensions.
    #[error("the request has no UpstreamTarget in its extensions")]
    NoTarget,
}
