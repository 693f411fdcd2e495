//! Durations, counted in buckets without a lock.

use std::iter;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use once_cell::race::OnceBox;

/// The upper bounds of the buckets, in seconds: those that the convention of OpenTelemetry advises for HTTP.
pub(super) const BOUNDS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// The same in nanoseconds.
const NANOSECONDS: [u64; BOUNDS.len()] = {
    let mut nanoseconds = [0; BOUNDS.len()];
    let mut index = 0;
    while index < BOUNDS.len() {
        // In whole milliseconds first, so that nothing is lost.
        nanoseconds[index] = (BOUNDS[index] * 1_000.0) as u64 * 1_000_000;
        index += 1;
    }
    nanoseconds
};

/// How many durations fell into each bucket, and how long they were together.
// Most places know durations of the first bucket alone, and there are many places: the other buckets are made for the first that is longer.
#[derive(Debug, Default)]
pub(super) struct Histogram {
    nanoseconds: AtomicU64,
    /// The first bucket.
    shortest: AtomicU64,
    /// Those behind it, the last of which has no bound.
    longer: OnceBox<[AtomicU64; BOUNDS.len()]>,
}

/// What histograms have counted together.
#[derive(Clone, Debug)]
pub(super) struct Counted {
    /// Upper bound and number of each bucket.
    pub(super) buckets: [(f64, u64); BOUNDS.len() + 1],
    nanoseconds: u64,
}

// === impl Histogram ===

impl Histogram {
    pub(super) fn observe(&self, duration: Duration) {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let [shortest, longer @ ..] = &NANOSECONDS;
        let bucket = if nanoseconds <= *shortest {
            &self.shortest
        } else {
            let bucket = longer.partition_point(|bound| *bound < nanoseconds);
            &self.longer.get_or_init(Box::default)[bucket]
        };
        bucket.fetch_add(1, Ordering::Relaxed);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// Counts what others have counted.
    pub(super) fn add(&self, counted: &Counted) {
        let [(_, shortest), longer @ ..] = &counted.buckets;
        self.shortest.fetch_add(*shortest, Ordering::Relaxed);
        if longer.iter().any(|(_, count)| *count > 0) {
            let cells = self.longer.get_or_init(Box::default).iter();
            cells.zip(longer).for_each(|(cell, (_, count))| {
                cell.fetch_add(*count, Ordering::Relaxed);
            });
        }
        self.nanoseconds.fetch_add(counted.nanoseconds, Ordering::Relaxed);
    }

    /// Whether it has counted a thousand durations, as far as two numbers tell: of those behind the first bucket they tell
    /// how long all were together.
    #[inline]
    pub(super) fn is_busy(&self) -> bool {
        const MANY: u64 = 1_000;
        self.shortest.load(Ordering::Relaxed) >= MANY
            || self.nanoseconds.load(Ordering::Relaxed) >= MANY * NANOSECONDS[0]
    }

    pub(super) fn is_empty(&self) -> bool {
        self.buckets().all(|bucket| bucket.load(Ordering::Relaxed) == 0)
    }

    /// Those that there are, the shortest first.
    fn buckets(&self) -> impl Iterator<Item = &AtomicU64> {
        iter::once(&self.shortest).chain(self.longer.get().into_iter().flatten())
    }
}

// === impl Counted ===

impl Counted {
    pub(super) fn add(&mut self, histogram: &Histogram) {
        for ((_, count), bucket) in self.buckets.iter_mut().zip(histogram.buckets()) {
            *count += bucket.load(Ordering::Relaxed);
        }
        self.nanoseconds = self.nanoseconds.wrapping_add(histogram.nanoseconds.load(Ordering::Relaxed));
    }

    pub(super) fn count(&self) -> u64 {
        self.buckets.iter().map(|(_, count)| count).sum()
    }

    /// In seconds.
    pub(super) fn sum(&self) -> f64 {
        Duration::from_nanos(self.nanoseconds).as_secs_f64()
    }
}

impl Default for Counted {
    fn default() -> Self {
        let bound = |index| BOUNDS.get(index).copied().unwrap_or(f64::INFINITY);
        Self { buckets: std::array::from_fn(|index| (bound(index), 0)), nanoseconds: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_falls_into_the_first_bucket_that_holds_it() {
        let histogram = Histogram::default();
        for milliseconds in [0, 5, 6, 10_000, 10_001] {
            histogram.observe(Duration::from_millis(milliseconds));
        }
        let mut counted = Counted::default();
        counted.add(&histogram);
        let filled: Vec<_> = counted.buckets.into_iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(filled, [(0.005, 2), (0.01, 1), (10.0, 1), (f64::INFINITY, 1)]);
        assert_eq!((counted.count(), counted.sum()), (5, 20.012));
    }

    #[test]
    fn what_others_have_counted_is_counted_in_the_same_buckets() {
        let [one, other] = [Histogram::default(), Histogram::default()];
        for milliseconds in [1, 6, 20_000] {
            one.observe(Duration::from_millis(milliseconds));
        }
        let mut counted = Counted::default();
        counted.add(&one);
        other.add(&counted);
        counted.add(&other);
        let filled: Vec<_> = counted.buckets.into_iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(filled, [(0.005, 2), (0.01, 2), (f64::INFINITY, 2)]);
        assert_eq!(counted.sum(), 40.014);
    }

    #[test]
    fn a_thousand_durations_are_many_however_long_they_are() {
        for milliseconds in [1, 8, 400] {
            let histogram = Histogram::default();
            (0..5).for_each(|_| histogram.observe(Duration::from_millis(milliseconds)));
            assert!(!histogram.is_busy(), "5 of {milliseconds} ms");
            (0..1_000).for_each(|_| histogram.observe(Duration::from_millis(milliseconds)));
            assert!(histogram.is_busy(), "1,005 of {milliseconds} ms");
        }
    }

    #[test]
    fn bounds_are_whole_milliseconds() {
        for (seconds, nanoseconds) in BOUNDS.iter().zip(NANOSECONDS) {
            assert_eq!(Duration::from_secs_f64(*seconds), Duration::from_nanos(nanoseconds));
        }
    }
}
