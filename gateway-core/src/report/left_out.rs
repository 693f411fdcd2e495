//! The objects that are written and not used.

use std::collections::HashMap;

use crate::api::{DEFAULT_NAMESPACE, Kind};
use crate::manifest::{Location, ManifestProblem, Severity, closest};
use crate::name::ObjectName;

/// The objects that are written and not used, with their places.
#[derive(Clone, Debug, Default)]
pub struct LeftOut {
    /// By kind and name in lower case, with and without the default namespace.
    places: HashMap<String, Location>,
    /// The first document that could not be read at all.
    unread: Option<Location>,
}

impl LeftOut {
    /// Those that could not be read.
    pub fn new(problems: &[ManifestProblem]) -> Self {
        let mut left_out = Self::default();
        for problem in problems {
            match &problem.object {
                Some(object) => {
                    let place = problem.location.clone();
                    // Of a kind that there is not it is known which may have been meant.
                    if let (Some("kind"), Some((kind, name))) =
                        (problem.field.as_deref(), object.split_once(' '))
                        && let Some(meant) = closest(kind, Kind::ALL.iter().map(|kind| kind.as_str()))
                    {
                        let meant = format!("{meant} {name}").to_lowercase();
                        left_out.places.entry(meant).or_insert_with(|| place.clone());
                    }
                    left_out.places.entry(object.to_lowercase()).or_insert(place);
                }
                None if problem.severity == Severity::Error => {
                    left_out.unread.get_or_insert_with(|| problem.location.clone());
                }
                None => {}
            }
        }
        left_out
    }

    /// Adds an object that is written at this place.
    pub fn insert(&mut self, kind: Kind, name: &ObjectName, place: Location) {
        self.places.entry(format!("{kind} {name}").to_lowercase()).or_insert(place);
    }

    /// Why an object is not there, as the end of a message.
    pub(super) fn why(&self, kind: &str, name: &ObjectName) -> Option<String> {
        let short =
            || Some(format!("{kind} {}", name.name)).filter(|_| *name.namespace == *DEFAULT_NAMESPACE);
        let names = [Some(format!("{kind} {name}")), short()];
        let found = names.into_iter().flatten().find_map(|name| self.places.get(&name.to_lowercase()));
        match (found, &self.unread) {
            (Some(place), _) if place.line == 0 => {
                Some(format!("; {kind} {name} is there, but was left out for what is said of it"))
            }
            (Some(place), _) => Some(format!("; {kind} {name} is written, but was left out: see {place}")),
            (None, Some(place)) => Some(format!("; perhaps it is in what could not be read: see {place}")),
            (None, None) => None,
        }
    }
}
