//! The result of a search in the table: the rule that serves the request, or the reason why there is none.

use http::StatusCode;

use super::{ListenerId, RouteTable, RuleId};
use crate::matching::MatchedPath;

/// The decision for a request: which rule serves it, and how it was met.
///
/// Holds positions in the table that made it; ask that table for the [listener](super::RouteTable::listener) and the
/// [rule](super::RouteTable::rule).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Matched {
    /// The listener that took the request.
    pub listener: ListenerId,
    /// The rule that serves it.
    pub rule: RuleId,
    /// Which of the rule's `matches` was met, from 0.
    pub entry: u16,
    /// How the path was met: what a prefix replacement replaces.
    pub path: MatchedPath,
}

/// Why no rule serves a request.
///
/// Displayed without the listeners, which are positions here; [`in_table`](Self::in_table) names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoMatch {
    /// No listener of the port serves the host.
    #[error("no listener of this port serves the host")]
    NoListener,
    /// The listener serves the host, but no rule of the routes attached to it matches.
    #[error("no rule of the routes attached to the listener matches")]
    NoRule(ListenerId),
    /// Regular expressions were asked about more of the target than they look at, so that what would match is not known.
    #[error("the target is too long for the regular expressions of the listener")]
    TargetTooLong(ListenerId),
    /// The same, of the headers.
    #[error("the headers are too long for the regular expressions of the listener")]
    HeadersTooLong(ListenerId),
    /// Another listener of the port serves the host than the one that took the TLS connection.
    #[error("the connection was made for another listener than the one that serves the host")]
    Misdirected {
        /// The listener chosen by the server name of the handshake; none has it where it went while the connection lasted.
        connection: Option<ListenerId>,
        /// The listener that serves the host of the request.
        host: ListenerId,
    },
}

// === impl NoMatch ===

impl NoMatch {
    /// Why, with the names of the listeners. `table` is the one that decided.
    pub fn in_table(self, table: &RouteTable) -> String {
        let name = |id| table.listener(id).to_string();
        match self {
            Self::NoListener => self.to_string(),
            Self::NoRule(id) => format!("no rule of the routes attached to listener {} matches", name(id)),
            Self::TargetTooLong(id) => {
                format!("the target is too long for the regular expressions of listener {}", name(id))
            }
            Self::HeadersTooLong(id) => {
                format!("the headers are too long for the regular expressions of listener {}", name(id))
            }
            Self::Misdirected { connection, host } => format!(
                "the connection was made for listener {}, and listener {} serves the host",
                connection.map_or("none".to_owned(), name),
                name(host)
            ),
        }
    }

    /// The answer to the request.
    ///
    /// # Spec
    /// [HST-10](crate::spec#HST-10), [HST-20](crate::spec#HST-20), [HRM-16](crate::spec#HRM-16), [AMB-08](crate::choices#AMB-08).
    pub fn status(self) -> StatusCode {
        match self {
            Self::NoListener | Self::NoRule(_) => StatusCode::NOT_FOUND,
            Self::TargetTooLong(_) => StatusCode::URI_TOO_LONG,
            Self::HeadersTooLong(_) => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Misdirected { .. } => StatusCode::MISDIRECTED_REQUEST,
        }
    }
}
