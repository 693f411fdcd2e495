//! The outcome of applying manifests.

use std::sync::Arc;

use super::change::Change;
use crate::api::Resources;
use crate::manifest::ManifestProblem;
use crate::status::Statuses;
use crate::table::RouteTable;

/// What came of manifests.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Applied {
    /// The objects that are new, changed or gone, compared with those in use before.
    pub changes: Vec<Change>,
    /// Everything that is wrong, each with its place, in the order of files and lines where it is known: what cannot be read, what is
    /// invalid, what is given and not served, and what statuses say.
    pub problems: Vec<ManifestProblem>,
    /// The objects in use.
    pub resources: Arc<Resources>,
    /// The table that decides about requests.
    pub table: RouteTable,
    /// The statuses.
    pub statuses: Statuses,
}

// === impl Applied ===

impl Applied {
    /// This together with what came of the manifests right before it.
    pub fn after(self, before: Option<Applied>) -> Self {
        match before {
            Some(Applied { changes, .. }) => Self { changes, ..self },
            None => self,
        }
    }
}
