//! The outcome of a case.

use std::time::Duration;

use gateway_core::feature::Feature;

/// What came of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseReport {
    /// The name of the case.
    pub name: String,
    /// The verdict.
    pub verdict: Verdict,
    /// How many steps held: those that look at something or send something, not those that only change objects.
    pub checked: usize,
    /// Steps that were passed over although the case went to its end, with the reason: statuses of an engine that has
    /// none, and what is sent where the engine carries nothing.
    pub passed_over: Vec<String>,
    /// How long it took.
    pub duration: Duration,
}

/// The verdict about a case.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Everything was as it must be.
    Passed,
    /// The engine does not claim these features. Upstream does not count such a test at all.
    NotSupported(Vec<Feature>),
    /// It was not run, or could not be, for this reason. Upstream counts it as skipped.
    Skipped(String),
    /// Something was not as it must be.
    Failed(Box<Finding>),
}

/// Something that was not as it must be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Finding {
    /// Where in the case: `steps[3].http.requests[1]`, with the line in its file.
    pub at: String,
    /// What was sent or looked at.
    pub sent: String,
    /// What was expected.
    pub expected: String,
    /// What there was instead.
    pub got: String,
    /// What the engine says about it, if it can tell.
    pub explanation: Option<String>,
    /// How many times it was tried, and for how long; empty where it was looked at once.
    pub tried: String,
}
