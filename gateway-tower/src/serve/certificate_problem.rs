//! Certificates that cannot be used.
//!
//! The server, which reads them, finds out, and how the sockets stand tells of it.

use std::fmt;

/// A certificate of a listener that cannot be used. Those that can serve all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateProblem {
    /// The listener.
    pub listener: String,
    /// What is wrong.
    pub problem: String,
}

impl fmt::Display for CertificateProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "listener {}: {}", self.listener, self.problem)
    }
}
