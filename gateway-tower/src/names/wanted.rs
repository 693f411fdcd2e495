//! The names that are looked up, when a table has more than there is room for.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use gateway_core::name::ObjectName;
use gateway_core::rule::BackendKind;
use gateway_core::table::RouteTable;

/// The names of a table.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Those that are looked up.
    pub(super) names: BTreeMap<Arc<str>, Holders>,
    /// Those that there is no room for.
    pub(super) without_room: BTreeMap<Arc<str>, Holders>,
}

/// The objects that have a name: one at least. Displayed as the first of them, and how many more there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Holders(Box<[(BackendKind, ObjectName)]>);

// === impl Wanted ===

impl Wanted {
    /// The names of a table, of which as many are looked up as there is room for. The namespaces have one after the other a name
    /// each, until there is no room: none keeps others from having as many as it has itself. A namespace that has more names has those
    /// first that are `known`, and a name of several namespaces takes the room of one.
    pub(super) fn new(table: &RouteTable, known: impl Fn(&str) -> bool, most: usize) -> Self {
        let mut all: BTreeMap<&Arc<str>, BTreeSet<(BackendKind, &ObjectName)>> = BTreeMap::new();
        for backend in table.named_backends() {
            if let Some(name) = &backend.hostname {
                all.entry(name).or_default().insert((backend.kind, &backend.service));
            }
        }
        let mut of_namespaces: BTreeMap<&str, [Vec<&Arc<str>>; 2]> = BTreeMap::new();
        for (name, holders) in &all {
            let namespaces: BTreeSet<&str> = holders.iter().map(|(_, object)| &*object.namespace).collect();
            for namespace in namespaces {
                of_namespaces.entry(namespace).or_default()[usize::from(!known(name))].push(name);
            }
        }
        let mut granted: BTreeSet<&Arc<str>> = BTreeSet::new();
        let mut turns: Vec<_> =
            of_namespaces.into_values().map(|names| names.into_iter().flatten()).collect();
        while granted.len() < most && !turns.is_empty() {
            turns.retain_mut(|names| {
                if granted.len() == most {
                    return false;
                }
                names.any(|name| granted.insert(name))
            });
        }
        let mut wanted = Self::default();
        for (name, holders) in &all {
            let holders = holders.iter().map(|(kind, object)| (*kind, (*object).clone()));
            let holders = Holders(holders.collect());
            let of = if granted.contains(name) { &mut wanted.names } else { &mut wanted.without_room };
            of.insert(Arc::clone(name), holders);
        }
        wanted
    }
}

// === impl Holders ===

impl Holders {
    /// The namespaces of the objects.
    pub(super) fn namespaces(&self) -> Box<[Arc<str>]> {
        let all: BTreeSet<_> = self.0.iter().map(|(_, object)| Arc::clone(&object.namespace)).collect();
        all.into_iter().collect()
    }
}

impl fmt::Display for Holders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((kind, object)) = self.0.first() else { return Ok(()) };
        write!(f, "{kind} {object}")?;
        match self.0.len() - 1 {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use gateway_core::rule::Backend;

    use super::*;

    fn table(names: impl IntoIterator<Item = (&'static str, String)>) -> RouteTable {
        let mut table = RouteTable::builder(1);
        for (namespace, name) in names {
            table.backend(Backend {
                service: ObjectName::new(namespace, "b"),
                kind: BackendKind::XBackend,
                hostname: Some(name.into()),
                ..Backend::default()
            });
        }
        table.build()
    }

    fn many(namespace: &'static str, count: usize) -> impl Iterator<Item = (&'static str, String)> {
        (0..count).map(move |number| (namespace, format!("{number}.{namespace}.example")))
    }

    fn of(wanted: &Wanted, namespace: &str) -> usize {
        wanted.names.keys().filter(|name| name.ends_with(&format!(".{namespace}.example"))).count()
    }

    #[test]
    fn namespaces_with_many_names_leave_room_for_others() {
        let one = Wanted::new(&table(many("a", 1_000)), |_| false, 100);
        assert_eq!((one.names.len(), one.without_room.len()), (100, 900));
        let known = |name: &str| one.names.contains_key(name);
        let attackers = ["a", "b", "c", "d", "e", "f", "g"];
        let both = attackers.into_iter().flat_map(|name| many(name, 1_000)).chain(many("victim", 10));
        let both = Wanted::new(&table(both), known, 100);
        assert_eq!((of(&both, "victim"), both.names.len()), (10, 100), "others share what is left: {both:?}");
        assert!(attackers.iter().all(|name| of(&both, name).abs_diff(90 / 7) <= 1));
        assert!(
            both.names.keys().filter(|name| name.ends_with(".a.example")).all(|name| known(name)),
            "what is known goes first"
        );
    }

    #[test]
    fn no_namespace_takes_a_name_from_another_by_having_it_too() {
        let names =
            many("a", 1_000).chain([("a", "victim.example".to_owned()), ("z", "victim.example".to_owned())]);
        let table = table(names);
        let first = Wanted::new(&table, |_| false, 100);
        assert_eq!(first.names.len(), 100);
        assert_eq!(*first.names["victim.example"].namespaces(), ["a".into(), "z".into()]);
        assert_eq!(first.names["victim.example"].to_string(), "XBackend a/b and 1 more");
        let second = Wanted::new(&table, |name| first.names.contains_key(name), 100);
        assert_eq!(second, first);
    }
}
