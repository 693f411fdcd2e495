//! Which names are looked up, when a table has more than there is room for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gateway_core::table::RouteTable;

/// Names, each with the namespaces that have it.
pub(super) type Wanted = BTreeMap<Arc<str>, Box<[Arc<str>]>>;

/// The names of a table that there is room for, each with the namespaces that have it, and how many there is no room for. What is
/// `known` stays; of the others, each namespace has as many as it leaves to others.
///
/// A name that several namespaces have counts for the one that has the fewest, so that none takes it from another by having it, too.
pub(super) fn wanted(table: &RouteTable, known: impl Fn(&str) -> bool, most: usize) -> (Wanted, usize) {
    let mut all: BTreeMap<&Arc<str>, BTreeSet<&str>> = BTreeMap::new();
    for backend in table.named_backends() {
        if let Some(name) = &backend.hostname {
            all.entry(name).or_default().insert(&backend.service.namespace);
        }
    }
    let count = all.len();
    let mut granted = Wanted::new();
    let mut of_namespaces: BTreeMap<&str, usize> = BTreeMap::new();
    // There was room for what is known, which is therefore not too much.
    let (stay, come): (Vec<_>, Vec<_>) = all.into_iter().partition(|(name, _)| known(name));
    let stay = stay.into_iter().map(|entry| (entry, true));
    for ((name, namespaces), stays) in stay.chain(come.into_iter().map(|entry| (entry, false))) {
        let own = |namespace: &&str| of_namespaces.get(namespace).copied().unwrap_or_default();
        let Some(namespace) = namespaces.iter().copied().min_by_key(own) else { continue };
        if stays || own(&namespace) < most.saturating_sub(granted.len()) {
            *of_namespaces.entry(namespace).or_default() += 1;
            granted.insert(Arc::clone(name), namespaces.into_iter().map(Arc::from).collect());
        }
    }
    let without_room = count - granted.len();
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
        let known = |name: &str| one.contains_key(name);
        let (both, without) = wanted(&table(&[("a", 1_000), ("b", 10)]), known, 100);
        let of_b = both.keys().filter(|name| name.ends_with(".b.example")).count();
        assert_eq!((both.len(), of_b, without), (60, 10, 950));
        assert!(one.keys().all(|name| both.contains_key(name)), "what is known stays");
    }

    #[test]
    fn no_namespace_takes_a_name_from_another_by_having_it_too() {
        let names = |namespace: &'static str, names: Vec<String>| {
            names.into_iter().map(move |name| Backend {
                service: ObjectName::new(namespace, "b"),
                hostname: Some(name.into()),
                ..Backend::default()
            })
        };
        let many = (0..1_000).map(|number| format!("{number}.example")).chain(["victim.example".to_owned()]);
        let mut table = RouteTable::builder(1);
        for backend in names("a", many.collect()).chain(names("z", vec!["victim.example".to_owned()])) {
            table.backend(backend);
        }
        let table = table.build();
        let (first, _) = wanted(&table, |_| false, 100);
        assert_eq!(first.len(), 51);
        assert_eq!(first["victim.example"].iter().map(|name| &**name).collect::<Vec<_>>(), ["a", "z"]);
        // What is known, and then counts for the other, makes no room for more of one namespace.
        let (second, _) = wanted(&table, |name| first.contains_key(name), 100);
        assert_eq!(second, first);
    }
}
