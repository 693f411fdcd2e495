//! The places where objects are written.

use crate::api::Kind;
use crate::manifest::{Collection, Location};
use crate::name::ObjectName;

/// Where objects are written.
#[derive(Clone, Copy, Debug)]
pub enum Places<'r> {
    /// In files.
    Files(&'r Collection),
    /// In a cluster, which has no lines.
    Cluster,
}

// === impl Places ===

impl Places<'_> {
    /// Where an object is written.
    pub fn location(self, kind: Kind, key: &ObjectName) -> Location {
        match self {
            Self::Files(written) => written.location(kind, key).cloned().unwrap_or_else(|| Location {
                source: "-".into(),
                line: 1,
                column: 1,
            }),
            Self::Cluster => Location::without_lines("cluster"),
        }
    }
}
