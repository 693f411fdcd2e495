//! The application protocol of a connection to an endpoint.

/// What is spoken with an endpoint: what is agreed on where that is within TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(not(all(feature = "client", feature = "server")), allow(dead_code, reason = "each has its own"))]
pub(crate) enum Application {
    /// HTTP/1.1
    Http1,
    /// HTTP/2
    Http2,
    /// Whatever the two ends agree on.
    Stream,
}
