//! The state of what is watched.

use std::fmt;

use gateway_core::api::Kind;

use super::part::Part;

/// How it stands with what is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It has not been read yet.
    Starting,
    /// It is read, and followed.
    Current,
    /// The kind is not installed in any version that is read; it is asked for again and again.
    Missing,
    /// It may not be read; what the API server said. It is asked for again and again, and what was read stays.
    Forbidden(String),
    /// The API server does not answer, or not as it should; what it said. What was read stays.
    Failing(String),
    /// The same, before anything was read.
    NotStarting(String),
}

/// A part of a kind that is not read at present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The kind.
    pub kind: Kind,
    /// The part of it.
    pub part: Part,
    /// Why it is not read.
    pub state: State,
}

// === impl State ===

impl State {
    /// Whether waiting would change nothing: what is there was read, or cannot be.
    pub(super) fn is_settled(&self) -> bool {
        match self {
            Self::Current | Self::Missing | Self::Forbidden(_) | Self::Failing(_) => true,
            Self::Starting | Self::NotStarting(_) => false,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starting => f.write_str("not read yet"),
            Self::Current => f.write_str("watched"),
            Self::Missing => f.write_str(
                "the cluster has no such kind in a version that is read, so that it is left out until it is installed",
            ),
            Self::Forbidden(told) => {
                write!(f, "may not be read, so that it is left out until there is a role with list and watch: {told}")
            }
            Self::Failing(told) => write!(f, "what was read last stays until the API server answers: {told}"),
            Self::NotStarting(told) => write!(f, "cannot be read until the API server answers: {told}"),
        }
    }
}

// === impl LeftOut ===

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, part, state } = self;
        match part {
            Part::All => write!(f, "{kind}: {state}"),
            Part::Namespace(namespace) => write!(f, "{kind} in namespace {namespace}: {state}"),
            Part::Object(key) => write!(f, "{kind} {key}: {state}"),
        }
    }
}
