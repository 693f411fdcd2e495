//! A table on its way to the data plane, which says when it is in use.

use std::fmt;
use std::sync::Arc;

use gateway_core::api::Kind;
use gateway_core::name::ObjectName;
use gateway_core::table::{RouteTable, Unbound};
use gateway_core::translate::Diagnostic;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::Command;
use crate::turns::Key;
use crate::watch::LeftOut;

/// A table, and what led to it.
///
/// Statuses wait until it is [`applied`](Self::applied) or dropped, so that none says that something is served before it is.
#[derive(Debug)]
#[must_use = "an update that is dropped counts as applied"]
pub struct Update {
    /// The table.
    pub table: Arc<RouteTable>,
    /// The objects that changed since the last update, by kind and name; those of kinds of your own, too.
    pub changed: Vec<(Kind, ObjectName)>,
    /// When the first of these changes was heard of.
    pub since: Instant,
    /// What users should know beyond the statuses, of all objects.
    pub diagnostics: Arc<[Diagnostic]>,
    /// What could not be read, and why.
    pub left_out: Vec<LeftOut>,
    in_use: InUse,
}

/// Tells the controller once that a table is in use, at the latest when it goes.
pub(super) struct InUse(pub(super) Option<mpsc::UnboundedSender<Command>>);

/// An update that is not handed out yet.
pub(super) struct Pending {
    pub(super) table: RouteTable,
    pub(super) changed: Vec<Key>,
    pub(super) since: Instant,
    pub(super) diagnostics: Arc<[Diagnostic]>,
    pub(super) left_out: Vec<LeftOut>,
}

// === impl Update ===

impl Update {
    /// Says that the table is in use, but for what could not be bound: that takes the place of what could not be bound before,
    /// and is said in statuses.
    ///
    /// An update that is dropped says that the table is in use, and nothing about what could not be bound.
    pub fn applied(mut self, unbound: Vec<Unbound>) {
        self.in_use.tell(Some(unbound));
    }
}

// === impl InUse ===

impl InUse {
    fn tell(&mut self, unbound: Option<Vec<Unbound>>) {
        if let Some(commands) = self.0.take() {
            // A controller that has ended writes no statuses.
            let _ = commands.send(Command::Applied(unbound));
        }
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        self.tell(None);
    }
}

impl fmt::Debug for InUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("InUse").finish_non_exhaustive()
    }
}

// === impl Pending ===

impl Pending {
    pub(super) fn handed_out(self, in_use: InUse) -> Update {
        let Self { table, changed, since, diagnostics, left_out } = self;
        Update { table: Arc::new(table), changed, since, diagnostics, left_out, in_use }
    }
}
