//! Objects that a translation asked for beside those that it was given to translate.
//!
//! A controller need not keep every Secret of a cluster: those asked for are enough, and a change of any other object
//! changes nothing. What was asked for and is missing is here too, because its appearance would change the outcome.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::api::Kind;
use crate::name::ObjectName;

/// The objects that a translation asked for, whether they exist or not, and the namespaces of which it asked for all Pods.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lookups {
    by_kind: BTreeMap<Kind, BTreeSet<ObjectName>>,
    pods: BTreeSet<Arc<str>>,
}

// === impl Lookups ===

impl Lookups {
    /// Notes that this object was asked for.
    pub fn insert(&mut self, kind: Kind, key: ObjectName) {
        self.by_kind.entry(kind).or_default().insert(key);
    }

    /// Notes that the Pods of this namespace were asked for: something there selects among them.
    pub fn insert_pods_of(&mut self, namespace: Arc<str>) {
        self.pods.insert(namespace);
    }

    /// The namespaces of which the Pods were asked for.
    pub fn pods_of(&self) -> impl Iterator<Item = &str> {
        self.pods.iter().map(|namespace| &**namespace)
    }

    /// Whether this object was asked for.
    pub fn contains(&self, kind: Kind, key: &ObjectName) -> bool {
        self.by_kind.get(&kind).is_some_and(|keys| keys.contains(key))
    }

    /// The objects of this kind that were asked for.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &ObjectName> {
        self.by_kind.get(&kind).into_iter().flatten()
    }

    /// Adds all that another part of the translation asked for.
    pub fn merge(&mut self, other: Self) {
        for (kind, keys) in other.by_kind {
            self.by_kind.entry(kind).or_default().extend(keys);
        }
        self.pods.extend(other.pods);
    }
}
