//! The retry budget of a backend: how many of its requests may be retries.

use std::array;
use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// How much of what a backend gets may be retries, and how much of that is used.
///
/// A budget counts the requests that a backend gets and the retries among them. As long as a share of the requests is not used up,
/// or fewer retries than the least rate were made, another may be made; without it, a backend that fails under its load would get a
/// multiple of it.
///
/// It is the one thing in a table that changes while the table serves, and lives on from one to the next as long as the policy says
/// the same: what happened before a change still counts. It takes no lock: each number is counted by itself, so that at the turn of
/// a tenth of the interval one or the other may be lost.
///
/// There is no clock here: the time is an argument, from any moment that stays the same.
///
/// ```
/// use std::time::Duration;
/// use gateway_core::rule::{RetryBudget, RetryRate};
///
/// let seconds = Duration::from_secs;
/// let least = RetryRate { count: 1, interval: seconds(1) };
/// let budget = RetryBudget::new(20, seconds(10), least);
/// (0..10).for_each(|_| budget.count_request(seconds(1)));
/// let retries = (0..10).filter(|_| budget.allow_retry(seconds(1))).count();
/// assert_eq!(retries, 2, "20 % of ten");
/// assert!(budget.allow_retry(seconds(3)), "one a second, whatever was before");
/// assert!(!budget.allow_retry(seconds(3)));
/// ```
///
/// # Spec
/// `RetryConstraint`, GEP-3388, [RTB-01](crate::spec#RTB-01), [RTB-02](crate::spec#RTB-02).
pub struct RetryBudget {
    percent: u32,
    interval: Duration,
    least: RetryRate,
    requests: Window,
    retries: Window,
    /// Those of the least rate's interval.
    recent: Window,
}

/// A number of retries in a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryRate {
    /// So many,
    pub count: u32,
    /// in this time.
    pub interval: Duration,
}

/// What happened in the last interval, in tenths of it.
struct Window {
    /// Nanoseconds.
    tenth: u64,
    slots: [Slot; Self::SLOTS],
}

/// What happened in a tenth.
#[derive(Default)]
struct Slot {
    /// Which tenth, counted from the beginning of time.
    number: AtomicU64,
    count: AtomicU32,
}

// === impl RetryBudget ===

impl RetryBudget {
    /// The time over which requests and retries are counted, where a policy does not say.
    pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(10);

    /// A budget of which nothing is used: `percent` of the requests in `interval`, and never less than `least`.
    pub fn new(percent: u32, interval: Duration, least: RetryRate) -> Self {
        let window = || Window::new(interval);
        let recent = Window::new(least.interval);
        Self { percent, interval, least, requests: window(), retries: window(), recent }
    }

    /// The share of requests that may be retries, in percent.
    pub fn percent(&self) -> u32 {
        self.percent
    }

    /// The time over which both are counted.
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// What is allowed in any case.
    pub fn least(&self) -> RetryRate {
        self.least
    }

    /// Counts a request, whether it will be tried again or not.
    pub fn count_request(&self, now: Duration) {
        self.requests.count(now);
    }

    /// Whether a retry may be made, which counts as made then.
    ///
    /// # Spec
    /// [RTB-01](crate::spec#RTB-01): each retry of a request counts. [RTB-02](crate::spec#RTB-02).
    pub fn allow_retry(&self, now: Duration) -> bool {
        let (requests, retries) = (self.requests.sum(now), self.retries.sum(now));
        let within_share = (retries + 1) * 100 <= requests * u64::from(self.percent);
        let allowed = within_share || self.recent.sum(now) < u64::from(self.least.count);
        if allowed {
            self.retries.count(now);
            self.recent.count(now);
        }
        allowed
    }
}

/// Budgets are the same that say the same, whatever is used of them.
impl PartialEq for RetryBudget {
    fn eq(&self, other: &Self) -> bool {
        (self.percent, self.interval, self.least) == (other.percent, other.interval, other.least)
    }
}

impl Eq for RetryBudget {}

impl fmt::Debug for RetryBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { percent, interval, least, .. } = self;
        f.debug_struct("RetryBudget")
            .field("percent", percent)
            .field("interval", interval)
            .field("least", least)
            .finish_non_exhaustive()
    }
}

// === impl RetryRate ===

impl RetryRate {
    /// What is always allowed where a policy does not say.
    pub const DEFAULT: Self = Self { count: 10, interval: Duration::from_secs(1) };
}

// === impl Window ===

impl Window {
    const SLOTS: usize = 10;

    fn new(interval: Duration) -> Self {
        let nanoseconds = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX);
        Self { tenth: (nanoseconds / Self::SLOTS as u64).max(1), slots: array::from_fn(|_| Slot::default()) }
    }

    /// The number of the tenth; the first is 1, so that a slot that was never used is of none.
    fn tenth(&self, now: Duration) -> u64 {
        u64::try_from(now.as_nanos()).unwrap_or(u64::MAX) / self.tenth + 1
    }

    fn count(&self, now: Duration) {
        let number = self.tenth(now);
        let slot = &self.slots[(number % Self::SLOTS as u64) as usize];
        let known = slot.number.load(Ordering::Relaxed);
        // The first caller in a tenth clears what is left of the one that was there before.
        let is_first = known < number
            && slot.number.compare_exchange(known, number, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if is_first {
            slot.count.store(1, Ordering::Relaxed);
        } else {
            slot.count.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn sum(&self, now: Duration) -> u64 {
        let number = self.tenth(now);
        let of_interval = |slot: &&Slot| {
            let known = slot.number.load(Ordering::Relaxed);
            known <= number && number - known < Self::SLOTS as u64 && known > 0
        };
        let counts = self.slots.iter().filter(of_interval).map(|slot| slot.count.load(Ordering::Relaxed));
        counts.map(u64::from).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn budget(percent: u32, count: u32) -> RetryBudget {
        RetryBudget::new(percent, seconds(10), RetryRate { count, interval: seconds(1) })
    }

    fn allowed(budget: &RetryBudget, asked: usize, now: Duration) -> usize {
        (0..asked).filter(|_| budget.allow_retry(now)).count()
    }

    // RTB-01
    #[test]
    fn a_share_of_the_requests_in_the_interval_may_be_retries() {
        let budget = budget(20, 0);
        assert_eq!(allowed(&budget, 5, seconds(0)), 0, "without requests none");
        (0..100).for_each(|_| budget.count_request(seconds(0)));
        assert_eq!(allowed(&budget, 15, seconds(0)), 15);
        assert_eq!(allowed(&budget, 15, seconds(9)), 5, "those before count");
        assert_eq!(allowed(&budget, 15, seconds(10)), 0, "the requests are no more");
        (0..100).for_each(|_| budget.count_request(seconds(60)));
        assert_eq!(allowed(&budget, 100, seconds(60)), 20, "neither are the retries");
        assert_eq!(allowed(&self::budget(0, 0), 1, seconds(0)), 0);
        let all = self::budget(100, 0);
        (0..3).for_each(|_| all.count_request(seconds(0)));
        assert_eq!(allowed(&all, 9, seconds(0)), 3);
    }

    // RTB-02
    #[test]
    fn some_retries_are_always_allowed() {
        let budget = budget(20, 3);
        assert_eq!(allowed(&budget, 9, seconds(0)), 3);
        assert_eq!(allowed(&budget, 9, Duration::from_millis(999)), 0);
        assert_eq!(allowed(&budget, 9, seconds(1)), 3, "in each second");
        (0..100).for_each(|_| budget.count_request(seconds(1)));
        assert_eq!(allowed(&budget, 99, seconds(1)), 14, "they count among the share");
    }

    #[test]
    fn what_is_counted_at_once_is_counted_once() {
        let budget = budget(50, 0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1_000).for_each(|_| budget.count_request(seconds(3))));
            }
        });
        let retries = allowed(&budget, 4_000, seconds(3));
        // At the very beginning of a tenth a count may be lost to who clears it.
        assert!((1_990..=2_000).contains(&retries), "{retries}");
    }
}
