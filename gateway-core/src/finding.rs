//! Something that is wrong with an object: the one form in which every stage says so.
//!
//! A finding has no status, since it is not yet a condition: [`status`](crate::status) makes conditions of findings, and
//! logs, `check` and metrics read the same findings.
//!
//! ```
//! use gateway_core::condition::{ConditionType, Reason};
//! use gateway_core::finding::Finding;
//!
//! let finding = Finding::new("port", Reason::PortUnavailable, "port 80 is taken; use another").under("spec.listeners[0]");
//! assert_eq!(finding.field, "spec.listeners[0].port");
//! let condition = finding.into_condition(ConditionType::Accepted);
//! assert_eq!(condition.to_string(), "Accepted=False/PortUnavailable: port 80 is taken; use another");
//! ```

use std::fmt;

use crate::condition::{Condition, ConditionType, Reason};
use crate::name::ObjectName;
use crate::one_line::OneLine;

/// A field, why it cannot be carried out as written, and what a human should know.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Finding {
    /// The field, below whatever the finding is about, as in `filters[0].urlRewrite`; empty for the whole of it.
    pub field: String,
    /// The reason that a condition gets.
    pub reason: Reason,
    /// What is wrong and the way out; makes sense without the field.
    pub message: String,
    /// The other object that is at fault, by kind and name, if one is: it is not there, or cannot be used. Who knows where it is
    /// written, or why it was left out, can add that.
    pub because_of: Option<(&'static str, ObjectName)>,
}

// === impl Finding ===

impl Finding {
    /// A finding about `field`.
    pub fn new(field: impl Into<String>, reason: Reason, message: impl Into<String>) -> Self {
        Self { field: field.into(), reason, message: message.into(), because_of: None }
    }

    /// The same, because this object is not there, or cannot be used.
    pub fn because_of(self, kind: &'static str, name: ObjectName) -> Self {
        Self { because_of: Some((kind, name)), ..self }
    }

    /// A finding about the whole of an object.
    pub fn whole(reason: Reason, message: impl Into<String>) -> Self {
        Self::new("", reason, message)
    }

    /// The same, about something that stands below `field`.
    pub fn under(mut self, field: impl fmt::Display) -> Self {
        self.field = match self.field.as_str() {
            "" => field.to_string(),
            below if below.starts_with('[') => format!("{field}{below}"),
            below => format!("{field}.{below}"),
        };
        self
    }

    /// The condition `kind`, false for this.
    pub fn into_condition(self, kind: ConditionType) -> Condition {
        Condition::failed(kind, self.reason, self.message)
    }
}

impl fmt::Display for Finding {
    /// `field: message`, on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        write!(f, "{}", OneLine(&self.message))
    }
}
