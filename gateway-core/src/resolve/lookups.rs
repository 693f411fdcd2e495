//! What a translation asked for beside the objects it was given to translate.
//!
//! A controller need not keep every Secret of a cluster: those asked for are enough, and a change of any other object
//! changes nothing. What was asked for and is missing is here too, because its appearance would change the outcome.

use std::collections::{BTreeMap, BTreeSet};

use crate::api::Kind;
use crate::name::ObjectName;

/// The objects that a translation asked for, whether they exist or not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lookups {
    by_kind: BTreeMap<Kind, BTreeSet<ObjectName>>,
}

// === impl Lookups ===

impl Lookups {
    /// Notes that this object was asked for.
    pub fn insert(&mut self, kind: Kind, key: ObjectName) {
        self.by_kind.entry(kind).or_default().insert(key);
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
    }
}
