//! Which names are looked up, when a table has more than there is room for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gateway_core::table::RouteTable;

/// The names of a table that there is room for, and how many there is none for. What is `known` stays; of the others, each namespace
/// has as many as it leaves to others.
pub(super) fn wanted(
    table: &RouteTable,
    known: impl Fn(&str) -> bool,
    most: usize,
) -> (BTreeSet<Arc<str>>, usize) {
    let mut all: BTreeMap<&Arc<str>, &str> = BTreeMap::new();
    for backend in table.named_backends() {
        if let Some(name) = &backend.hostname {
            // Several namespaces may have a name: it counts for the first.
            all.entry(name).or_insert(&backend.service.namespace);
        }
    }
    let mut granted = BTreeSet::new();
    let mut of_namespaces: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, namespace) in all.iter().filter(|(name, _)| known(name)).take(most) {
        *of_namespaces.entry(namespace).or_default() += 1;
        granted.insert(Arc::clone(name));
    }
    for (name, namespace) in all.iter().filter(|(name, _)| !known(name)) {
        let own = of_namespaces.entry(namespace).or_default();
        if *own < most.saturating_sub(granted.len()) {
            *own += 1;
            granted.insert(Arc::clone(name));
        }
    }
    let without_room = all.len() - granted.len();
    (granted, without_room)
}

#[cfg(test)]
mod tests {
    use gateway_core::name::ObjectName;
    use gateway_core::rule::Backend;

    use super::*;

    fn table(namespaces: &[(&str, usize)]) -> RouteTable {
        let mut table = RouteTable::builder(1);
        for (namespace, count) in namespaces {
            for number in 0..*count {
                table.backend(Backend {
                    service: ObjectName::new(*namespace, "b"),
                    hostname: Some(format!("{number}.{namespace}.example").into()),
                    ..Backend::default()
                });
            }
        }
        table.build()
    }

    #[test]
    fn a_namespace_with_many_names_leaves_room_for_others() {
        let (one, without) = wanted(&table(&[("a", 1_000)]), |_| false, 100);
        assert_eq!((one.len(), without), (50, 950));
        let known = |name: &str| one.contains(name);
        let (both, without) = wanted(&table(&[("a", 1_000), ("b", 10)]), known, 100);
        let of_b = both.iter().filter(|name| name.ends_with(".b.example")).count();
        assert_eq!((both.len(), of_b, without), (60, 10, 950));
        assert!(both.is_superset(&one), "what is known stays");
    }
}
