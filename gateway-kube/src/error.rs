//! Errors between this crate and an API server.

use std::time::Duration;

use gateway_core::api::Kind;
use gateway_core::name::ObjectName;
use tokio::time::timeout;

/// How long writes for an object may take unless it is said otherwise: the half of what an API server itself allows for a request.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Something that an API server did not do, or that could not be understood.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A request failed.
    #[error("{doing}: {}", told(source))]
    Request {
        /// What was to be done, and with which object.
        doing: String,
        /// What came of it.
        #[source]
        source: Box<kube::Error>,
    },
    /// A request was not answered in time, as those are not whose connection is gone without a word.
    #[error(
        "{doing}: the API server has not answered after {limit:?}; it may have done it, and can be asked again"
    )]
    Unanswered {
        /// What was to be done, and with which object.
        doing: String,
        /// How long was waited.
        limit: Duration,
    },
    /// An object of the name that is to be made is there, and belongs to another.
    #[error(
        "{kind} {key} does not belong to Gateway {gateway}, for which it would be made; rename one of the two"
    )]
    Taken {
        /// The kind.
        kind: Kind,
        /// Namespace and name.
        key: ObjectName,
        /// The Gateway.
        gateway: ObjectName,
    },
    /// An object of the name that is to be made is there, of a Gateway of the same name that was deleted: the garbage collector has not
    /// come to it yet.
    #[error(
        "{kind} {key} is that of a former Gateway {gateway}; it is made anew once the garbage collector of the cluster has taken it away; \
         delete it if it stays"
    )]
    Former {
        /// The kind.
        kind: Kind,
        /// Namespace and name.
        key: ObjectName,
        /// The Gateway.
        gateway: ObjectName,
    },
    /// Others changed the object again and again, each time between reading and writing.
    #[error("{doing}: {attempts} times another change came first; it is tried again with the next change")]
    Contended {
        /// What was to be done, and with which object.
        doing: String,
        /// How often it was tried.
        attempts: usize,
    },
}

/// What an error of the client says to a human: of a refusal, the API server's own words.
pub(crate) fn told(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) if !status.message.is_empty() => {
            format!("{} ({})", status.message, status.code)
        }
        kube::Error::Api(status) => format!("{} ({})", status.reason, status.code),
        // The cause is all there is to it: "ServiceError: client error (Connect)" says nothing.
        kube::Error::Service(source) => {
            let mut innermost: &dyn std::error::Error = source.as_ref();
            while let Some(source) = innermost.source() {
                innermost = source;
            }
            format!("the API server cannot be reached: {innermost}")
        }
        other => other.to_string(),
    }
}

/// The code of an API server's refusal.
pub(crate) fn code(error: &kube::Error) -> Option<u16> {
    match error {
        kube::Error::Api(status) => Some(status.code),
        _ => None,
    }
}

/// What comes of writes for an object, as long as they take no longer than `limit`.
///
/// # Errors
/// Theirs, and [`Error::Unanswered`].
pub(crate) async fn answered<T>(
    limit: Duration,
    doing: impl FnOnce() -> String,
    writing: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let written = timeout(limit, writing).await;
    written.unwrap_or_else(|_| Err(Error::Unanswered { doing: doing(), limit }))
}

// === impl Error ===

impl Error {
    pub(crate) fn request(doing: impl Into<String>, source: kube::Error) -> Self {
        Self::Request { doing: doing.into(), source: Box::new(source) }
    }

    /// The code of an API server's refusal, such as 403; nothing for other failures.
    pub fn code(&self) -> Option<u16> {
        match self {
            Self::Request { source, .. } => code(source),
            Self::Unanswered { .. } | Self::Taken { .. } | Self::Former { .. } | Self::Contended { .. } => {
                None
            }
        }
    }
}
