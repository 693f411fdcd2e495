//! The settings of a run: its patience, and how much it does at a time.

use std::time::Duration;

/// How patient a run is, and how much it does at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long to wait until requests are answered as they must be.
    pub consistency: Duration,
    /// How long to wait until a status is what it must be.
    pub status: Duration,
    /// How long to wait until a copy of a request has arrived.
    pub mirror: Duration,
    /// The pause before looking again.
    pub poll: Duration,
    /// How many times in a row something must hold.
    pub successes: u32,
    /// How long a case may take at most.
    pub limit: Duration,
    /// How many cases run at a time.
    pub jobs: usize,
    /// Whether the cases that are known to fail are left out.
    pub skips: bool,
}

impl Default for Settings {
    /// What upstream's suite waits for; 5 minutes for a case; and one case at a time.
    fn default() -> Self {
        Self {
            consistency: Duration::from_secs(30),
            status: Duration::from_secs(60),
            mirror: Duration::from_secs(10),
            poll: Duration::from_millis(100),
            successes: 3,
            limit: Duration::from_secs(300),
            jobs: 1,
            skips: true,
        }
    }
}
