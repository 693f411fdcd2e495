//! Several manifests as one set of resources.

use std::collections::BTreeMap;

use super::Manifest;
use super::problem::{Location, ManifestProblem, Severity};
use crate::api::Kind;
use crate::api::Resources;
use crate::name::ObjectName;

/// Several manifests as one set of resources, with the place of every object.
///
/// Of two objects with the same kind, namespace and name the first stays, and the other one is a problem that names both
/// places.
#[derive(Clone, Debug, Default)]
pub struct Collection {
    /// The resources.
    pub resources: Resources,
    /// The problems of all manifests, in the order in which they were added.
    pub problems: Vec<ManifestProblem>,
    locations: BTreeMap<(Kind, ObjectName), Location>,
}

// === impl Collection ===

impl Collection {
    /// Adds what a manifest has.
    pub fn add(&mut self, manifest: Manifest) {
        self.problems.extend(manifest.problems);
        for (mut object, location) in manifest.objects {
            object.settle_namespace();
            let id = (object.kind(), object.key());
            match self.locations.get(&id) {
                Some(first) => {
                    let message = format!("already written at {first}, which stays; remove one of the two");
                    self.problems.push(ManifestProblem {
                        severity: Severity::Error,
                        location,
                        object: Some(format!("{} {}", id.0, id.1)),
                        field: Some("metadata.name".to_owned()),
                        message,
                    });
                }
                None => {
                    self.locations.insert(id, location);
                    self.resources.insert(object);
                }
            }
        }
    }

    /// Where an object is written.
    pub fn location(&self, kind: Kind, key: &ObjectName) -> Option<&Location> {
        // The key of the map is a pair, and a pair of references is none.
        self.locations.get(&(kind, key.clone()))
    }
}

impl Extend<Manifest> for Collection {
    fn extend<I: IntoIterator<Item = Manifest>>(&mut self, manifests: I) {
        for manifest in manifests {
            self.add(manifest);
        }
    }
}

impl FromIterator<Manifest> for Collection {
    fn from_iter<I: IntoIterator<Item = Manifest>>(manifests: I) -> Self {
        let mut collection = Self::default();
        collection.extend(manifests);
        collection
    }
}
