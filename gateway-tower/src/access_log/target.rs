//! Where the lines go.

/// The target of the events.
pub const TARGET: &str = "access";
