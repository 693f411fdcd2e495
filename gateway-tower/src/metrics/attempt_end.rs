//! The ends of attempts at backends, as labels.

use http::StatusCode;

use super::class::Class;
use crate::outcome::Refusal;

/// How an attempt ended: with an answer of a class of status, or why with none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AttemptEnd(u8);

/// Those without an answer, behind those with one.
const ERRORS: [&str; 6] =
    ["unreachable", "backend_failed", "request_broken", "timed_out", "refused", "given_up"];

// === impl AttemptEnd ===

impl AttemptEnd {
    /// The request was given up before there was an answer: its client went, or its time was over.
    pub(super) const GIVEN_UP: Self = Self::error(5);

    pub(super) const SUCCESS: Self = Self(Class::SUCCESS.index() as u8);

    pub(super) const COUNT: usize = Class::COUNT + ERRORS.len();

    const fn error(position: u8) -> Self {
        Self(Class::COUNT as u8 + position)
    }

    /// Each with the class of its status, and with what went wrong; nothing where nothing did.
    pub(super) fn all() -> impl Iterator<Item = (usize, &'static str, &'static str)> {
        let answered = Class::all().map(|(index, class)| (index, class, ""));
        let failed = ERRORS.iter().enumerate().map(|(index, error)| (Class::COUNT + index, "none", *error));
        answered.chain(failed)
    }

    pub(super) fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl From<StatusCode> for AttemptEnd {
    fn from(status: StatusCode) -> Self {
        Self(Class::from(status).index() as u8)
    }
}

impl From<&Refusal> for AttemptEnd {
    fn from(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::Unreachable(_) => Self::error(0),
            Refusal::BackendFailed(_) => Self::error(1),
            Refusal::RequestBroken(_) => Self::error(2),
            Refusal::TimedOut(_) => Self::error(3),
            Refusal::Undecided(_)
            | Refusal::RetriesUsedUp
            | Refusal::NoConnection
            | Refusal::NotRouted
            | Refusal::LayerFailed(_)
            | Refusal::Custom(_) => Self::error(4),
        }
    }
}
