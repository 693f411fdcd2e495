//! One change that was followed.

use std::collections::HashSet;
use std::sync::Arc;
use std::{fmt, io};

use gateway_core::apply::Applied;
use gateway_core::manifest::{ManifestProblem, Severity};

use super::files::FileChange;

/// What files amount to after a change, with what they amounted to before.
///
/// Displayed as a line for each object that changed and for each problem that is new, or as the files in which nothing changed.
#[derive(Debug)]
#[non_exhaustive]
pub struct Followed {
    /// What they amount to now. Its table is in use.
    pub now: Arc<Applied>,
    /// What they amounted to before.
    pub before: Arc<Applied>,
    /// The files that are not as they were; none where only sockets changed.
    pub files: Vec<FileChange>,
    /// Why the statuses could not be written, if they could not.
    pub unwritten: Option<io::Error>,
}

// === impl Followed ===

impl Followed {
    /// The problems that were not there before.
    pub fn new_problems(&self) -> impl Iterator<Item = &ManifestProblem> {
        let known: HashSet<String> = self.before.problems.iter().map(ToString::to_string).collect();
        self.now.problems.iter().filter(move |problem| !known.contains(&problem.to_string()))
    }
}

impl fmt::Display for Followed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for change in &self.now.changes {
            writeln!(f, "{change}")?;
        }
        if let Some(error) = &self.unwritten {
            writeln!(f, "statuses are not written: {error}")?;
        }
        for problem in self.new_problems().filter(|problem| problem.severity != Severity::Info) {
            writeln!(f, "{problem}")?;
        }
        Ok(())
    }
}
