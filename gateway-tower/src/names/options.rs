//! The options of looking names up.

use std::sync::Arc;
use std::time::Duration;

use super::lookup::Lookup;

/// How names are looked up, and what is made of the answers.
#[derive(Clone, Debug)]
pub struct NameOptions {
    /// What looks them up.
    pub lookup: Arc<dyn Lookup>,
    /// The time from one answer to the next look-up; 30 s. An answer that says how long it is good for is taken at its word, between 5 s
    /// and 10 min.
    pub refresh: Duration,
    /// The time until a look-up that failed is tried again; 1 s. It doubles up to `refresh`.
    pub retry: Duration,
    /// How long a look-up may take; 5 s.
    pub limit: Duration,
    /// How long the last good answer stays in use while no other comes; 10 min.
    pub keep: Duration,
    /// How long the look-ups of the first names may take until they count as [looked up](super::Names::looked_up), however that stands; 10 s.
    pub first_round: Duration,
    /// The most names that are looked up; 1,024. Where there are more, each namespace has as many as any other, as far as it has them.
    pub max_names: usize,
    /// The most addresses of a name that are used, the lowest first; 32.
    pub max_addresses: usize,
    /// The most look-ups at a time; 32. A half of them is for names whose last look-up came to an end in time, and the other for new ones
    /// and those that hung. A namespace has no more of either than it leaves to others, and then the namespaces take turns; of its
    /// names the one that has been due the longest goes first.
    pub max_lookups: usize,
    /// Whether a name may lead to this machine and its neighbours; see [`is_refused`](super::is_refused).
    pub local_addresses: bool,
}

// === impl NameOptions ===

impl NameOptions {
    /// Names are looked up by this, otherwise as by default.
    pub fn new(lookup: impl Lookup) -> Self {
        Self {
            lookup: Arc::new(lookup),
            refresh: Duration::from_secs(30),
            retry: Duration::from_secs(1),
            limit: Duration::from_secs(5),
            keep: Duration::from_secs(600),
            first_round: Duration::from_secs(10),
            max_names: 1_024,
            max_addresses: 32,
            max_lookups: 32,
            local_addresses: false,
        }
    }
}

#[cfg(any(feature = "client", feature = "server"))]
impl Default for NameOptions {
    fn default() -> Self {
        Self::new(super::lookup::SystemLookup)
    }
}
