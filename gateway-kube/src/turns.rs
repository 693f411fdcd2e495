//! The objects whose status is to be looked at, each in its turn.
//!
//! What changed waits a moment, since what it is about may follow it. What was written is left alone for a while, and what could not
//! be written for longer, however often it changes meanwhile. Such objects stand aside: they are no reason to look at the others again
//! and again, nor to look at them never. Turns go round, so that one tenant who changes many objects all the time keeps no other from
//! having theirs looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::time::Duration;

use gateway_core::api::Kind;
use gateway_core::name::ObjectName;
use tokio::time::Instant;

/// The longest that anything is put off: what is longer is never.
pub(crate) const FOREVER: Duration = Duration::from_secs(30 * 365 * 86_400);

/// An object.
pub(crate) type Key = (Kind, ObjectName);

/// The objects whose status is to be looked at.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    /// How long an object waits that changed.
    settle: Duration,
    /// Those that can be looked at now.
    due: BTreeSet<Key>,
    /// Those that are to be, and are written or left alone at present.
    aside: BTreeSet<Key>,
    /// Those that are left alone, and until when.
    resting: BTreeMap<Key, Instant>,
    /// The same, the first to end first.
    ends: BTreeSet<(Instant, Key)>,
    under_way: BTreeSet<Key>,
    /// The one that was looked at last.
    last: Option<Key>,
}

// === impl Turns ===

impl Turns {
    /// Of objects that wait so long after they changed.
    pub(crate) fn new(settle: Duration) -> Self {
        Self { settle: settle.min(FOREVER), ..Self::default() }
    }

    /// To be looked at.
    pub(crate) fn insert(&mut self, key: Key, now: Instant) {
        if self.due.contains(&key) {
            return;
        }
        if !self.under_way.contains(&key) && !self.resting.contains_key(&key) {
            self.rest(key.clone(), now + self.settle);
        }
        self.aside.insert(key);
    }

    /// All to be looked at.
    pub(crate) fn extend(&mut self, keys: impl IntoIterator<Item = Key>, now: Instant) {
        keys.into_iter().for_each(|key| self.insert(key, now));
    }

    /// Takes note of the time: of those that were left alone until then.
    pub(crate) fn rest_until(&mut self, now: Instant) {
        while self.next_end().is_some_and(|end| end <= now) {
            let Some((_, key)) = self.ends.pop_first() else { break };
            self.resting.remove(&key);
            if self.aside.remove(&key) {
                self.due.insert(key);
            }
        }
    }

    /// The next to be looked at.
    pub(crate) fn next(&mut self) -> Option<Key> {
        let after = self.last.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let next = self.due.range((after, Bound::Unbounded)).next().or(self.due.first())?.clone();
        self.due.remove(&next);
        self.last = Some(next.clone());
        Some(next)
    }

    /// Whether one can be looked at now.
    pub(crate) fn has_next(&self) -> bool {
        !self.due.is_empty()
    }

    /// It is being written.
    pub(crate) fn begin(&mut self, key: Key) {
        self.under_way.insert(key);
    }

    /// The write has ended; the object is left alone until then.
    pub(crate) fn end(&mut self, key: Key, until: Instant) {
        self.under_way.remove(&key);
        self.rest(key, until);
    }

    /// It is left alone until then.
    fn rest(&mut self, key: Key, until: Instant) {
        if let Some(before) = self.resting.insert(key.clone(), until) {
            self.ends.remove(&(before, key.clone()));
        }
        self.ends.insert((until, key));
    }

    /// No write is under way: what was is not known.
    pub(crate) fn forget_under_way(&mut self) {
        for key in std::mem::take(&mut self.under_way) {
            if self.aside.remove(&key) {
                self.due.insert(key);
            }
        }
    }

    /// How many writes are under way.
    pub(crate) fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// How many objects are to be looked at or are being written.
    pub(crate) fn pending(&self) -> usize {
        self.due.len() + self.aside.len() + self.under_way.len()
    }

    /// When the next object is not left alone any more.
    pub(crate) fn next_end(&self) -> Option<Instant> {
        self.ends.first().map(|(end, _)| *end)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn key(name: &str) -> Key {
        (Kind::HttpRoute, ObjectName::new("default", name))
    }

    fn names(turns: &mut Turns, most: usize) -> Vec<String> {
        std::iter::from_fn(|| turns.next()).take(most).map(|(_, name)| name.name.to_string()).collect()
    }

    #[tokio::test]
    async fn what_changed_waits_a_moment_and_no_longer_however_often_it_changes() {
        let (mut turns, now) = (Turns::new(Duration::from_millis(50)), Instant::now());
        let after = |milliseconds| now + Duration::from_millis(milliseconds);
        for milliseconds in [0, 20, 40] {
            turns.insert(key("a"), after(milliseconds));
            turns.rest_until(after(milliseconds));
            assert!(!turns.has_next());
        }
        assert_eq!((turns.pending(), turns.next_end()), (1, Some(after(50))));
        turns.rest_until(after(50));
        // It has its turn, whatever happens before that.
        turns.insert(key("a"), after(51));
        assert_eq!(names(&mut turns, 9), ["a"]);
        // A write has ended since, after which the object is left alone: that is all that it waits for.
        turns.begin(key("a"));
        turns.insert(key("a"), after(52));
        turns.end(key("a"), after(60));
        turns.rest_until(after(60));
        assert_eq!(names(&mut turns, 9), ["a"]);
    }

    #[tokio::test]
    async fn what_waits_for_ever_is_never_looked_at() {
        let (mut turns, now) = (Turns::new(Duration::MAX), Instant::now());
        turns.insert(key("a"), now);
        turns.rest_until(now + FOREVER / 2);
        assert!(!turns.has_next() && turns.pending() == 1);
    }

    #[tokio::test]
    async fn what_rests_is_no_reason_to_look_again_and_keeps_nobody_from_a_turn() {
        let (mut turns, now) = (Turns::default(), Instant::now());
        for name in ["a", "b"] {
            turns.begin(key(name));
            turns.end(key(name), now + Duration::from_secs(1));
        }
        turns.begin(key("c"));
        turns.extend(["a", "b", "c", "d"].map(key), now);
        turns.rest_until(now);
        assert_eq!(names(&mut turns, 9), ["d"]);
        assert!(!turns.has_next());
        assert_eq!(turns.pending(), 4, "with the one that is being written, and changes meanwhile");
        turns.end(key("c"), now + Duration::from_secs(2));
        turns.rest_until(now + Duration::from_secs(1));
        assert_eq!(names(&mut turns, 9), ["a", "b"]);
        turns.rest_until(now + Duration::from_secs(2));
        assert_eq!(names(&mut turns, 9), ["c"]);
        assert_eq!((turns.pending(), turns.next_end()), (0, None));
    }

    #[tokio::test]
    async fn turns_go_round() {
        let (mut turns, now) = (Turns::default(), Instant::now());
        turns.extend(["a", "b", "c", "d"].map(key), now);
        for expected in ["a", "b", "c", "d", "a", "b"] {
            turns.rest_until(now);
            assert_eq!(names(&mut turns, 1), [expected]);
            // It changes all the time.
            turns.extend(["a", "b"].map(key), now);
        }
    }

    #[tokio::test]
    async fn what_was_written_when_a_write_panicked_is_looked_at_again() {
        let mut turns = Turns::default();
        turns.begin(key("a"));
        turns.insert(key("a"), Instant::now());
        assert!(!turns.has_next());
        turns.forget_under_way();
        assert_eq!((names(&mut turns, 9), turns.under_way()), (vec!["a".to_owned()], 0));
    }
}
