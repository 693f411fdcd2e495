//! Failures of look-ups.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// Why a look-up gave no address that is used, and the way out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LookupFailure {
    /// There is none.
    #[error("there is no such name, or it has no address; write one that there is, or add it to its zone")]
    NoAddress,
    /// All of them are [such as names may not lead to](super::is_refused).
    #[error(
        "it leads to {0}, which is an address of this machine or its neighbours, and names may not lead there; write another \
         name, or let names lead anywhere (`--external-hostnames any`)"
    )]
    Refused(IpAddr),
    /// None came in time.
    #[error(
        "no answer within {0:?}; see whether the resolver of this machine is there, and the servers of the zone"
    )]
    TimedOut(Duration),
    /// What the resolver says.
    #[error("{0}; see whether the name is right, and the resolver of this machine is there")]
    Failed(Arc<str>),
}

// === impl LookupFailure ===

impl LookupFailure {
    /// The words of all, as metrics have them.
    pub const WORDS: [&str; 4] = ["no_address", "refused", "timed_out", "failed"];

    /// A word for it.
    pub const fn as_str(&self) -> &'static str {
        Self::WORDS[self.index()]
    }

    /// The place of its word among [all](Self::WORDS).
    pub(super) const fn index(&self) -> usize {
        match self {
            Self::NoAddress => 0,
            Self::Refused(_) => 1,
            Self::TimedOut(_) => 2,
            Self::Failed(_) => 3,
        }
    }
}
