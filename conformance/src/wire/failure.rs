//! Errors on the wire, read as failures that a case can expect.

use std::error::Error;
use std::io;

use crate::exchange::Failure;

/// The failure that lies at the bottom of an error: one of TLS, or of the connection, or else what came was no answer.
pub(super) fn failure(error: &(dyn Error + 'static)) -> Failure {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<rustls::Error>() {
            return Failure::Tls(error.to_string());
        }
        if let Some(error) = error.downcast_ref::<io::Error>() {
            // An error in an error is not always its source.
            if let Some(inner) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                return Failure::Tls(inner.to_string());
            }
            if is_closed(error.kind()) {
                return Failure::Closed(error.to_string());
            }
        }
        if let Some(error) = error.downcast_ref::<hyper::Error>()
            && (error.is_incomplete_message() || error.is_canceled() || error.is_closed())
        {
            return Failure::Closed(error.to_string());
        }
        cause = error.source();
    }
    Failure::Malformed(chain(error))
}

fn is_closed(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof};
    matches!(kind, BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | UnexpectedEof)
}

/// The error with all its causes.
fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error: &&(dyn Error + 'static)| (*error).source());
    let mut texts: Vec<String> = causes.map(ToString::to_string).collect();
    texts.dedup();
    texts.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_is_no_closed_connection() {
        let closed = io::Error::from(io::ErrorKind::ConnectionReset);
        assert!(matches!(failure(&closed), Failure::Closed(_)));
        let alert = rustls::Error::AlertReceived(rustls::AlertDescription::UnrecognisedName);
        let alert = io::Error::new(io::ErrorKind::InvalidData, alert);
        assert!(matches!(failure(&alert), Failure::Tls(_)));
        assert_eq!(failure(&io::Error::other("strange")), Failure::Malformed("strange".to_owned()));
    }
}
