//! Changes between the objects in use and those before.

use std::fmt;

use crate::api::{Kind, Resources};
use crate::name::ObjectName;

/// An object that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What happened to it.
    pub verb: Verb,
    /// The kind.
    pub kind: Kind,
    /// Namespace and name.
    pub key: ObjectName,
}

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verb {
    /// It is new.
    Added,
    /// It is another than before.
    Changed,
    /// It is gone.
    Removed,
}

/// What differs between two sets of objects.
pub(super) fn changes(before: &Resources, after: &Resources) -> Vec<Change> {
    let mut changes = Vec::new();
    for object in after.iter() {
        let (kind, key) = (object.kind(), object.key());
        match before.get(kind, &key) {
            None => changes.push(Change { verb: Verb::Added, kind, key }),
            Some(known) if known != object => changes.push(Change { verb: Verb::Changed, kind, key }),
            Some(_) => {}
        }
    }
    for object in before.iter() {
        let (kind, key) = (object.kind(), object.key());
        if after.get(kind, &key).is_none() {
            changes.push(Change { verb: Verb::Removed, kind, key });
        }
    }
    changes
}

// === impl Change ===

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match self.verb {
            Verb::Added => "added",
            Verb::Changed => "changed",
            Verb::Removed => "removed",
        };
        write!(f, "{verb} {} {}", self.kind, self.key)
    }
}
