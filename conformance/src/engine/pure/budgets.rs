//! Retry budgets, counted plainly.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use gateway_core::name::ObjectName;
use gateway_core::rule::BackendKind;

use crate::decision::{RetryBudget, Target};

/// The requests and the retries that Services got, and when.
#[derive(Debug, Default)]
pub(super) struct Budgets(BTreeMap<(BackendKind, ObjectName), Used>);

#[derive(Debug, Default)]
struct Used {
    requests: Vec<SystemTime>,
    retries: Vec<SystemTime>,
}

// === impl Budgets ===

impl Budgets {
    pub(super) fn count_request(&mut self, to: &Target, now: SystemTime) {
        self.0.entry(key(to)).or_default().requests.push(now);
    }

    /// RTB-01, RTB-02: whether the Service may get a retry, which it has got then.
    pub(super) fn allow_retry(&mut self, to: &Target, budget: RetryBudget, now: SystemTime) -> bool {
        let used = self.0.entry(key(to)).or_default();
        let within = |times: &[SystemTime], interval: Duration| {
            let is_within = |time: &&SystemTime| now.duration_since(**time).is_ok_and(|age| age < interval);
            times.iter().filter(is_within).count() as u64
        };
        let (requests, retries) =
            (within(&used.requests, budget.interval), within(&used.retries, budget.interval));
        let allowed = (retries + 1) * 100 <= requests * u64::from(budget.percent)
            || within(&used.retries, budget.least_interval) < u64::from(budget.least);
        if allowed {
            used.retries.push(now);
        }
        allowed
    }
}

/// All ports of a Service have one budget.
fn key(to: &Target) -> (BackendKind, ObjectName) {
    (to.kind, to.service.clone())
}
