//! Shares of look-ups among namespaces, when more objects are asked for than there is room for.
//!
//! A tenant who may write a Gateway or a policy can ask for any number of Secrets and ConfigMaps by making up names, and each takes a watch and
//! a connection, which all tenants need. So a namespace has no more of them than it leaves to others.

use std::collections::{BTreeMap, BTreeSet};

use gateway_core::api::Kind;
use gateway_core::name::ObjectName;

/// An object that is asked for.
pub(super) type Asked = (Kind, ObjectName);

/// Of what is asked for, all that there is room for. What is `followed` already stays, whatever comes beside it.
pub(super) fn share_out(asked: &BTreeSet<Asked>, followed: &BTreeSet<Asked>, most: usize) -> BTreeSet<Asked> {
    let mut granted: BTreeSet<Asked> = asked.intersection(followed).cloned().collect();
    let mut of_namespaces: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, key) in asked.intersection(followed) {
        *of_namespaces.entry(&key.namespace).or_default() += 1;
    }
    for key in asked.difference(followed) {
        let own = of_namespaces.entry(&key.1.namespace).or_default();
        let free = most.saturating_sub(granted.len());
        if *own < free {
            *own += 1;
            granted.insert(key.clone());
        }
    }
    granted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(namespace: &str, names: std::ops::Range<usize>) -> BTreeSet<Asked> {
        let name = |number: usize| ObjectName::new(namespace, number.to_string());
        names.map(|number| (Kind::Secret, name(number))).collect()
    }

    fn of(granted: &BTreeSet<Asked>, namespace: &str) -> usize {
        granted.iter().filter(|(_, key)| *key.namespace == *namespace).count()
    }

    #[test]
    fn a_namespace_that_asks_for_everything_keeps_no_other_from_what_it_needs() {
        let mut all = asked("a", 0..5_000);
        let granted = share_out(&all, &BTreeSet::new(), 100);
        assert_eq!(of(&granted, "a"), 50);
        all.extend(asked("b", 0..10));
        let later = share_out(&all, &granted, 100);
        assert_eq!((of(&later, "a"), of(&later, "b")), (50, 10));
        assert!(later.is_superset(&granted), "what is followed stays");
        // What others ask for anew takes nothing away.
        all.extend(asked("0", 0..5_000));
        let last = share_out(&all, &later, 100);
        assert!(last.is_superset(&later) && last.len() < 100, "{}", last.len());
        assert_eq!(share_out(&all, &last, 100), last);
    }

    #[test]
    fn all_is_looked_up_where_there_is_room() {
        let all: BTreeSet<_> = asked("a", 0..30).into_iter().chain(asked("b", 0..30)).collect();
        assert_eq!(share_out(&all, &BTreeSet::new(), 100), all);
        assert_eq!(share_out(&BTreeSet::new(), &all, 100), BTreeSet::new());
    }
}
