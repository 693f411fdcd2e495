//! The error by which a client says that it never reached the backend.

use std::error::Error;
use std::iter::successors;
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
    /// Knows this type and, with the feature `hyper-util`, the errors of the client of that crate.
    pub fn is(error: &(dyn Error + 'static)) -> bool {
        let mut causes = successors(Some(error), |&error| error.source());
        causes.any(|error| error.is::<Self>() || is_of_hyper_util(error))
    }
}

#[cfg(feature = "hyper-util")]
fn is_of_hyper_util(error: &(dyn Error + 'static)) -> bool {
    use hyper_util::client::legacy;
    error.downcast_ref().is_some_and(legacy::Error::is_connect)
}

#[cfg(not(feature = "hyper-util"))]
fn is_of_hyper_util(_: &(dyn Error + 'static)) -> bool {
    false
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
