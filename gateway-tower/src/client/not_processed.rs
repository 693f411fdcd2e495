//! The error by which a client says that a backend has done nothing with a request.

use std::error::Error;
use std::iter::successors;
use std::net::SocketAddr;

use crate::body::BoxError;
use crate::client::ConnectError;

/// The endpoint was reached, and it is certain that it has processed nothing of the request: it closed the connection before a byte
/// of it was written, refused the stream of HTTP/2, or went away and named an earlier stream as its last.
///
/// Whatever its method, such a request may be sent again. One that is not is answered with 503, as is a
/// [`ConnectError`].
///
/// # Spec
/// RFC 9113 section 8.7; RFC 9110 section 9.2.2.
#[derive(Debug, thiserror::Error)]
#[error("{endpoint} did not take the request")]
pub struct NotProcessed {
    /// The endpoint.
    pub endpoint: SocketAddr,
    /// What happened.
    #[source]
    pub cause: BoxError,
}

// === impl NotProcessed ===

impl NotProcessed {
    /// Whether `error`, or what caused it, says that the backend cannot have processed anything: it is of this type, or
    /// [no connection](ConnectError::is) could be made.
    pub fn is(error: &(dyn Error + 'static)) -> bool {
        let mut causes = successors(Some(error), |&error| error.source());
        causes.any(|error| error.is::<Self>()) || ConnectError::is(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("no answer")]
    struct NoAnswer(#[source] BoxError);

    #[test]
    fn what_was_not_processed_is_found_below_other_errors() {
        let endpoint = ([127, 0, 0, 1], 1).into();
        let refused = NotProcessed { endpoint, cause: "REFUSED_STREAM".into() };
        assert!(NotProcessed::is(&NoAnswer(refused.into())));
        let connect = ConnectError { endpoint, cause: "refused".into() };
        assert!(NotProcessed::is(&NoAnswer(connect.into())));
        assert!(!NotProcessed::is(&NoAnswer("a reset in the middle of the answer".into())));
    }
}
