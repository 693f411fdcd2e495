//! The budget that a backend has for retries, counted in the time of the process.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use gateway_core::rule::Backend;

/// Counts a request to this backend, where it has a budget.
pub(crate) fn count_request(backend: &Backend) {
    if let Some(budget) = &backend.retry_budget {
        budget.count_request(now());
    }
}

/// Whether another attempt may be made at this backend; it counts if it may.
///
/// # Spec
/// [RTB-01](gateway_core::spec#RTB-01).
pub(crate) fn allow_retry(backend: &Backend) -> bool {
    backend.retry_budget.as_ref().is_none_or(|budget| budget.allow_retry(now()))
}

/// The time since some moment that is the same for all budgets.
fn now() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    Instant::now().saturating_duration_since(*START)
}
