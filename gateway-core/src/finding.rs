//! Something that is wrong, in the words of a condition that is yet to be made.

use crate::condition::{Condition, ConditionType, Reason};

/// A reason, and what a human should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) reason: Reason,
    pub(super) message: String,
}

// === impl Finding ===

impl Finding {
    pub(super) fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }

    /// The condition `kind` is false for this.
    pub(super) fn denies(&self, kind: ConditionType) -> Condition {
        Condition::is_false(kind, self.reason, self.message.clone())
    }
}
