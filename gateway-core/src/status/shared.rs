//! Statuses of Routes, each value kept once: most Routes of a parent have the same to say.

use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashSet;

use super::RouteStatus;

/// How many statuses there may be before those that no Route has are looked for.
const FIRST_SWEEP: usize = 64;

/// Every status of a Route that there is.
#[derive(Debug)]
pub(crate) struct SharedStatuses {
    all: HashSet<Arc<RouteStatus>, RandomState>,
    sweep_at: usize,
}

// === impl SharedStatuses ===

impl SharedStatuses {
    /// The status as it is kept.
    pub(crate) fn share(&mut self, status: RouteStatus) -> Arc<RouteStatus> {
        if let Some(known) = self.all.get(&status) {
            return known.clone();
        }
        self.sweep();
        let status = Arc::new(status);
        self.all.insert(status.clone());
        status
    }

    /// Forgets what no Route has any more: each is looked at once for every time that their number doubles.
    fn sweep(&mut self) {
        if self.all.len() >= self.sweep_at {
            self.all.retain(|status| Arc::strong_count(status) > 1);
            self.sweep_at = FIRST_SWEEP.max(2 * self.all.len());
        }
    }
}

impl Default for SharedStatuses {
    fn default() -> Self {
        Self { all: HashSet::default(), sweep_at: FIRST_SWEEP }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(generation: usize) -> RouteStatus {
        RouteStatus { generation: Some(generation as i64), ..RouteStatus::default() }
    }

    #[test]
    fn a_status_is_kept_once_and_no_longer_than_a_route_has_it() {
        let mut statuses = SharedStatuses::default();
        let kept = statuses.share(status(0));
        for generation in 1..10 * FIRST_SWEEP {
            statuses.share(status(generation));
            assert!(statuses.all.len() <= FIRST_SWEEP);
        }
        assert!(Arc::ptr_eq(&kept, &statuses.share(status(0))));
    }
}
