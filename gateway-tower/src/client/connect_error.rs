//! The error by which a client says that it never reached the backend.

use std::error::Error;
use std::net::SocketAddr;

use crate::body::BoxError;

/// No connection to an endpoint could be made; nothing of the request was sent.
///
/// Such an attempt is answered with 503, any other that fails with 502.
#[derive(Debug, thiserror::Error)]
#[error("cannot connect to {endpoint}")]
pub struct ConnectError {
    /// The endpoint.
    pub endpoint: SocketAddr,
    /// Why not.
    #[source]
    pub cause: BoxError,
}

// === impl ConnectError ===

impl ConnectError {
    /// Whether `error`, or what caused it, is that no connection could be made.
    ///
    /// Knows this type and the errors of the client of hyper-util.
    pub fn is(error: &(dyn Error + 'static)) -> bool {
        let mut next = Some(error);
        while let Some(error) = next {
            let client = error.downcast_ref::<hyper_util::client::legacy::Error>();
            if error.is::<Self>() || client.is_some_and(hyper_util::client::legacy::Error::is_connect) {
                return true;
            }
            next = error.source();
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("no answer")]
    struct NoAnswer(#[source] BoxError);

    // HRB-22
    #[test]
    fn a_failure_to_connect_is_found_below_other_errors() {
        let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
        let connect = ConnectError { endpoint: ([127, 0, 0, 1], 1).into(), cause: refused().into() };
        assert!(ConnectError::is(&NoAnswer(connect.into())));
        assert!(!ConnectError::is(&NoAnswer(refused().into())));
    }
}
