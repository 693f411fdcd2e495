//! The target of the access log's events.

/// The target of the events.
pub const TARGET: &str = "access";
