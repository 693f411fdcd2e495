//! The pace of translations: the first change after a quiet time at once, and those that follow it together.

use std::time::Duration;

use tokio::time::Instant;

use crate::turns::FOREVER;

/// When there is something to translate.
#[derive(Debug)]
pub(super) struct Pace {
    /// How long changes are gathered that follow a table.
    debounce: Duration,
    /// Before that time, changes are gathered.
    quiet_from: Instant,
    /// When to translate, if there is something to.
    due: Option<Instant>,
}

// === impl Pace ===

impl Pace {
    /// The first translation is due at once.
    pub(super) fn new(debounce: Duration, now: Instant) -> Self {
        Self { debounce: debounce.min(FOREVER), quiet_from: now, due: Some(now) }
    }

    /// Something changed.
    pub(super) fn changed(&mut self, now: Instant) {
        self.due.get_or_insert(now.max(self.quiet_from));
    }

    /// Something changed that waits for nothing.
    pub(super) fn changed_at_once(&mut self, now: Instant) {
        self.due = Some(now);
    }

    /// All that changed is looked at.
    pub(super) fn begin(&mut self) {
        self.due = None;
    }

    /// A table was made, or is in use: changes are gathered from now on. However fast they follow each other, statuses have some
    /// time in between.
    pub(super) fn gather(&mut self, now: Instant) {
        self.quiet_from = now + self.debounce;
        self.due = self.due.map(|due| due.max(self.quiet_from));
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    /// When to translate, if there is something to.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEBOUNCE: Duration = Duration::from_millis(10);

    fn after(start: Instant, milliseconds: u64) -> Instant {
        start + Duration::from_millis(milliseconds)
    }

    #[tokio::test]
    async fn the_first_change_after_a_quiet_time_waits_for_nothing() {
        let start = Instant::now();
        let mut pace = Pace::new(DEBOUNCE, start);
        assert!(pace.is_due(start));
        pace.begin();
        pace.gather(start);
        assert_eq!(pace.due(), None);
        pace.changed(after(start, 10));
        assert!(pace.is_due(after(start, 10)));
    }

    #[tokio::test]
    async fn changes_that_are_gathered_for_ever_are_never_due() {
        let start = Instant::now();
        let mut pace = Pace::new(Duration::MAX, start);
        pace.begin();
        pace.gather(start);
        pace.changed(start);
        assert!(!pace.is_due(start + FOREVER / 2));
    }

    #[tokio::test]
    async fn changes_that_follow_a_table_are_gathered_and_delay_each_other_no_further() {
        let start = Instant::now();
        let mut pace = Pace::new(DEBOUNCE, start);
        pace.begin();
        // Some come while the table is made, and some before it is in use.
        pace.changed(after(start, 1));
        pace.gather(after(start, 2));
        pace.changed(after(start, 3));
        pace.gather(after(start, 4));
        for milliseconds in 5..14 {
            pace.changed(after(start, milliseconds));
            assert!(!pace.is_due(after(start, milliseconds)));
        }
        assert_eq!(pace.due(), Some(after(start, 14)));
        pace.changed_at_once(after(start, 7));
        assert!(pace.is_due(after(start, 7)));
    }
}
