//! The resources of a cluster as [`gateway_core::api::Resources`], kept up to date, with their statuses beside them.
//!
//! The two are apart because they change apart: a status that is written comes back as a change of the object, and must
//! not cause a translation. What is asked for is shared with the translator, so that each object is in memory once.
//!
//! ```
//! use gateway_core::api::{Kind, Namespace, ObjectMeta};
//! use gateway_core::name::ObjectName;
//! use gateway_kube::store::Store;
//! use gateway_kube::watch::{Change, Part};
//! use gateway_kube::{Object, Stored, StoredStatus};
//!
//! let metadata = ObjectMeta { name: "shop".to_owned(), ..ObjectMeta::default() };
//! let stored = Stored {
//!     version: "v1",
//!     resource_version: "1".to_owned(),
//!     uid: String::new(),
//!     generation: None,
//!     finalizers: Vec::new(),
//!     is_deleted: false,
//!     status: StoredStatus::None,
//! };
//! let shop = Object { object: Namespace { metadata }.into(), stored };
//! let mut store = Store::default();
//! let applied = Change::Applied { kind: Kind::Namespace, object: Ok(shop) };
//! assert_eq!(store.apply(&Part::All, applied.clone()).objects.len(), 1);
//! assert!(store.apply(&Part::All, applied).objects.is_empty(), "the same once more");
//! assert!(store.resources().namespaces.contains_key(&ObjectName::cluster("shop")));
//! ```

use std::collections::{BTreeMap, BTreeSet};

use gateway_core::api::{Kind, Resources};
use gateway_core::name::ObjectName;

use crate::object::{Object, Stored, StoredStatus, Unreadable};
use crate::watch::{Change, Part};

/// All objects that are watched.
#[derive(Clone, Debug, Default)]
pub struct Store {
    resources: Resources,
    stored: BTreeMap<(Kind, ObjectName), Stored>,
    unreadable: BTreeMap<(Kind, ObjectName), Box<Unreadable>>,
}

/// What became of a change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// The objects that are others now, are there now, or are gone: what is to be translated again.
    pub objects: Vec<(Kind, ObjectName)>,
    /// The objects whose stored status, or what else is stored beside it, is other than before.
    pub statuses: Vec<(Kind, ObjectName)>,
}

// === impl Store ===

impl Store {
    /// The objects, without their statuses.
    pub fn resources(&self) -> &Resources {
        &self.resources
    }

    /// What is stored with an object of a kind whose status is written.
    pub fn stored(&self, kind: Kind, key: &ObjectName) -> Option<&Stored> {
        self.stored.get(&(kind, key.clone()))
    }

    /// The objects whose status is written.
    pub fn with_status(&self) -> impl Iterator<Item = (Kind, &ObjectName)> {
        self.stored.keys().map(|(kind, key)| (*kind, key))
    }

    /// The objects that are there and cannot be read.
    pub fn unreadable(&self) -> impl Iterator<Item = &Unreadable> {
        self.unreadable.values().map(|unreadable| &**unreadable)
    }

    /// What is wrong with an object that is there and cannot be read.
    pub fn unreadable_at(&self, kind: Kind, key: &ObjectName) -> Option<&Unreadable> {
        self.unreadable.get(&(kind, key.clone())).map(|unreadable| &**unreadable)
    }

    /// Takes a change of a part of a kind.
    pub fn apply(&mut self, part: &Part, change: Change) -> Effects {
        let mut effects = Effects::default();
        match change {
            Change::Listed { kind, objects } => {
                let listed: BTreeSet<ObjectName> = objects.iter().map(key).collect();
                let gone: Vec<_> =
                    self.keys(kind, part).filter(|key| !listed.contains(*key)).cloned().collect();
                gone.into_iter().for_each(|key| self.remove(kind, key, &mut effects));
                objects.into_iter().for_each(|object| self.insert(kind, object, &mut effects));
            }
            Change::Applied { kind, object } => self.insert(kind, object, &mut effects),
            Change::Deleted { kind, key } => self.remove(kind, key, &mut effects),
        }
        effects
    }

    /// Takes note of what a write left, before the watch brings it.
    pub fn note_written(&mut self, kind: Kind, key: &ObjectName, written: Stored) {
        if let Some(known) = self.stored.get_mut(&(kind, key.clone()))
            && known.uid == written.uid
            && known.is_older_than(&written)
        {
            *known = written;
        }
    }

    /// The names of all objects of a kind in a part of it, readable or not.
    fn keys(&self, kind: Kind, part: &Part) -> impl Iterator<Item = &ObjectName> {
        let unreadable = self.unreadable.keys().filter(move |(known, _)| *known == kind).map(|(_, key)| key);
        self.resources.names(kind).chain(unreadable).filter(|key| part.contains(key))
    }

    fn insert(&mut self, kind: Kind, object: Result<Object, Box<Unreadable>>, effects: &mut Effects) {
        let key = key(&object);
        let (object, stored) = match object {
            Ok(Object { object, stored }) => (Ok(object), stored),
            Err(unreadable) => {
                let stored = unreadable.stored.clone();
                (Err(unreadable), stored)
            }
        };
        if stored.status != StoredStatus::None {
            self.insert_stored(kind, &key, stored, effects);
        }
        let is_other = match object {
            Ok(object) => {
                let was_unreadable = self.unreadable.remove(&(kind, key.clone())).is_some();
                match self.resources.get(kind, &key) {
                    Some(known) if known == object => was_unreadable,
                    _ => {
                        self.resources.insert(object);
                        true
                    }
                }
            }
            Err(unreadable) => {
                let was_read = self.resources.remove(kind, &key).is_some();
                let before = self.unreadable.insert((kind, key.clone()), unreadable);
                let now = self.unreadable.get(&(kind, key.clone()));
                let same = matches!((&before, now), (Some(before), Some(now))
                    if (&before.field, &before.message) == (&now.field, &now.message));
                was_read || !same
            }
        };
        if is_other {
            effects.objects.push((kind, key));
        }
    }

    fn insert_stored(&mut self, kind: Kind, key: &ObjectName, stored: Stored, effects: &mut Effects) {
        let known = self.stored.entry((kind, key.clone()));
        let mut is_new = false;
        let known = known.or_insert_with(|| {
            is_new = true;
            stored.clone()
        });
        // What was written came back by the answer to the write, and the watch is behind.
        if !is_new && (*known == stored || known.uid == stored.uid && stored.is_older_than(known)) {
            return;
        }
        *known = stored;
        effects.statuses.push((kind, key.clone()));
    }

    fn remove(&mut self, kind: Kind, key: ObjectName, effects: &mut Effects) {
        let was_unreadable = self.unreadable.remove(&(kind, key.clone())).is_some();
        self.stored.remove(&(kind, key.clone()));
        if self.resources.remove(kind, &key).is_some() || was_unreadable {
            effects.objects.push((kind, key));
        }
    }
}

fn key(object: &Result<Object, Box<Unreadable>>) -> ObjectName {
    match object {
        Ok(Object { object, .. }) => object.key(),
        Err(unreadable) => unreadable.key.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::read;

    fn route(name: &str, version: u32, spec: &str) -> Result<Object, Box<Unreadable>> {
        let text = format!(
            r#"{{"metadata": {{"name": "{name}", "namespace": "a", "resourceVersion": "{version}", "uid": "u"}}, "spec": {spec}}}"#
        );
        read(Kind::HttpRoute, "v1", serde_json::from_str(&text).unwrap())
    }

    fn applied(object: Result<Object, Box<Unreadable>>) -> Change {
        Change::Applied { kind: Kind::HttpRoute, object }
    }

    #[test]
    fn a_list_replaces_its_part_only() {
        let mut store = Store::default();
        let listed = |objects| Change::Listed { kind: Kind::HttpRoute, objects };
        store.apply(&Part::All, listed(vec![route("one", 1, "{}"), route("two", 1, "{}")]));
        assert_eq!(store.resources().http_routes.len(), 2);
        let elsewhere = Part::Namespace("b".into());
        assert_eq!(store.apply(&elsewhere, listed(Vec::new())), Effects::default());
        let effects = store.apply(&Part::Namespace("a".into()), listed(vec![route("one", 1, "{}")]));
        assert_eq!(effects.objects, [(Kind::HttpRoute, ObjectName::new("a", "two"))]);
        assert!(store.stored(Kind::HttpRoute, &ObjectName::new("a", "two")).is_none());
    }

    #[test]
    fn an_object_that_cannot_be_read_takes_the_place_of_the_one_before() {
        let mut store = Store::default();
        store.apply(&Part::All, applied(route("one", 1, "{}")));
        let broken = r#"{"hostnames": 1}"#;
        let effects = store.apply(&Part::All, applied(route("one", 2, broken)));
        assert_eq!((effects.objects.len(), effects.statuses.len()), (1, 1));
        assert!(store.resources().http_routes.is_empty());
        assert_eq!(store.unreadable().next().map(|unreadable| &*unreadable.field), Some("spec.hostnames"));
        let effects = store.apply(&Part::All, applied(route("one", 3, broken)));
        assert!(effects.objects.is_empty(), "said once");
        store.apply(&Part::All, applied(route("one", 4, "{}")));
        assert!(store.unreadable().next().is_none() && store.resources().http_routes.len() == 1);
    }

    #[test]
    fn what_was_written_is_not_taken_back_by_a_watch_that_is_behind() {
        let mut store = Store::default();
        let key = ObjectName::new("a", "one");
        store.apply(&Part::All, applied(route("one", 5, "{}")));
        store.note_written(Kind::HttpRoute, &key, route("one", 9, "{}").unwrap().stored);
        let effects = store.apply(&Part::All, applied(route("one", 7, "{}")));
        assert_eq!(effects, Effects::default());
        let version = |store: &Store| store.stored(Kind::HttpRoute, &key).unwrap().resource_version.clone();
        assert_eq!(version(&store), "9");
        store.apply(&Part::All, applied(route("one", 10, "{}")));
        assert_eq!(version(&store), "10");
    }
}
