//! Certificates that cannot be used.
//!
//! Whoever reads them finds out, and how the sockets stand tells of it.

/// A listener whose certificates cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateProblem {
    /// The listener.
    pub listener: String,
    /// What is wrong.
    pub problem: String,
}
