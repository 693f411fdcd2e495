//! The limit of places in the indexes that the Routes of one namespace may ask for.
//!
//! A Route asks for a place for each match at each of its hostnames at each listener, and the spec lets that be millions for a
//! few lines: 16 hostnames by 128 matches by 64 listeners by 32 parents. Indexes are shared where hostnames have the same
//! Routes, but which these are is not for one tenant to say. So each is counted as if it were alone, which depends on
//! nothing that other namespaces have.
//!
//! All Routes of a namespace are served for as long as they have room together. When they have not, the oldest come first:
//! the namespace is [full](Places::take_full), and all its Routes are looked at again in that order.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::condition::Reason;
use crate::finding::Finding;
use crate::options::MAX_NAMESPACE_PLACES;

/// The places that a hostname at a listener takes besides its matches.
const HOSTNAME: usize = 4;

/// What the Routes of each namespace ask for, and who of them gets it.
#[derive(Debug, Default)]
pub(crate) struct Places {
    by_namespace: HashMap<Arc<str>, usize>,
    /// The namespaces that had no room for all of their Routes, or have none, and of which some Route changed.
    changed: BTreeSet<Arc<str>>,
    /// What was given so far in the namespaces whose Routes are looked at from the oldest on.
    given: BTreeMap<Arc<str>, usize>,
}

// === impl Places ===

impl Places {
    /// What a Route with so many matches asks for that has so many hostnames, those of each listener counted.
    pub(crate) fn of(matches: usize, hostnames: usize) -> usize {
        if matches == 0 { 0 } else { hostnames.saturating_mul(matches.saturating_add(HOSTNAME)) }
    }

    /// A Route of the namespace asks for `now` places, and no longer for `before`. Fails if it does not get them.
    pub(crate) fn ask(&mut self, namespace: &Arc<str>, before: usize, now: usize) -> Result<(), Finding> {
        self.change(namespace, before, now);
        let mut asked = self.by_namespace.get(namespace).copied().unwrap_or_default();
        // Without an order yet, who comes when there is no room any more is not served only to be taken out again.
        let given = self.given.get_mut(namespace).unwrap_or_else(|| {
            asked -= now;
            &mut asked
        });
        let all = given.saturating_add(now);
        if now > 0 && all > MAX_NAMESPACE_PLACES {
            let message = format!(
                "the matches of this namespace, counted for each hostname at each listener, are more than {MAX_NAMESPACE_PLACES}, \
                 and older Routes come first; attach the Route to fewer listeners with sectionName, or move it to another \
                 namespace"
            );
            return Err(Finding::new("spec.parentRefs", Reason::UnsupportedValue, message));
        }
        *given = all;
        Ok(())
    }

    /// A Route of the namespace asks for nothing any more.
    pub(crate) fn release(&mut self, namespace: &Arc<str>, before: usize) {
        self.change(namespace, before, 0);
    }

    fn change(&mut self, namespace: &Arc<str>, before: usize, now: usize) {
        if before == 0 && now == 0 {
            return;
        }
        let all = self.by_namespace.entry(namespace.clone()).or_default();
        let all_before = *all;
        *all = (*all - before).saturating_add(now);
        if all_before.max(*all) > MAX_NAMESPACE_PLACES {
            self.changed.insert(namespace.clone());
        }
        if *all == 0 {
            self.by_namespace.remove(namespace);
        }
    }

    /// The namespaces whose Routes have to be looked at again, the oldest first; `also` are those to which that happens for
    /// another reason.
    pub(crate) fn take_full(&mut self, also: BTreeSet<Arc<str>>) -> BTreeSet<Arc<str>> {
        let mut full = also;
        full.append(&mut self.changed);
        self.given = full.iter().map(|namespace| (namespace.clone(), 0)).collect();
        full
    }

    /// The Routes of full namespaces were looked at again.
    pub(crate) fn settle(&mut self) {
        self.changed.clear();
        self.given.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_have_room_whatever_the_younger_ask_for() {
        let (a, b): (Arc<str>, Arc<str>) = ("a".into(), "b".into());
        let mut places = Places::default();
        let half = MAX_NAMESPACE_PLACES / 2;
        assert!(places.ask(&a, 0, half).is_ok() && places.ask(&a, 0, half).is_ok());
        assert!(places.take_full(BTreeSet::new()).is_empty(), "they have room together");
        assert!(places.ask(&a, 0, 1).is_err() && places.ask(&b, 0, half).is_ok());
        assert_eq!(places.take_full(BTreeSet::new()), BTreeSet::from([a.clone()]));
        let again = [half, half, 1].map(|asked| places.ask(&a, asked, asked).is_ok());
        assert_eq!(again, [true, true, false]);
        places.settle();
        places.release(&a, half);
        assert_eq!(
            places.take_full(BTreeSet::new()),
            BTreeSet::from([a.clone()]),
            "now there is room for the youngest"
        );
        assert!([half, 1].into_iter().all(|asked| places.ask(&a, asked, asked).is_ok()));
        places.settle();
        assert!(places.ask(&a, 1, 0).is_ok() && places.ask(&a, 0, 1).is_ok());
        assert!(places.take_full(BTreeSet::new()).is_empty());
    }

    #[test]
    fn a_hostname_counts_for_each_listener_and_a_route_without_matches_for_nothing() {
        assert_eq!(Places::of(0, 1_000), 0);
        assert_eq!(Places::of(128, 16 * 64), 1_024 * 132);
        assert!(Places::of(16, 0) == 0 && Places::of(usize::MAX, 2) == usize::MAX);
    }
}
