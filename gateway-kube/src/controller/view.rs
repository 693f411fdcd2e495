//! The view of a controller from outside: how far it is, and all that it knows.

use gateway_core::api::Resources;
use gateway_core::status::Statuses;
use gateway_core::table::RouteTable;
use gateway_core::translate::Diagnostic;
use gateway_core::validate::Rejected;
use tokio::sync::{mpsc, oneshot};

use super::Command;
use crate::object::Unreadable;
use crate::watch::LeftOut;

/// How much a controller has written, and how it fares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Whether this replica writes statuses.
    pub is_writing: bool,
    /// How many requests to write were sent.
    pub writes: u64,
    /// How many of them failed; they are tried again.
    pub failures: u64,
    /// How many objects have still to be looked at.
    pub pending: usize,
    /// How often there was something to translate.
    pub translations: u64,
}

/// All that was read, and what came of it.
#[derive(Clone, Debug)]
pub struct View {
    /// The objects, without their statuses.
    pub resources: Resources,
    /// Their statuses, as they are to be written.
    pub statuses: Statuses,
    /// What users should know beyond them.
    pub diagnostics: Vec<Diagnostic>,
    /// The table.
    pub table: RouteTable,
    /// The objects that are read and break a rule of the schema, so that they are left out.
    pub rejected: Vec<Rejected>,
    /// The objects that are there and cannot be read.
    pub unreadable: Vec<Unreadable>,
    /// What is not read at present, and why.
    pub left_out: Vec<LeftOut>,
}

/// Asks a controller for all that it knows. Clones ask the same one.
#[derive(Clone, Debug)]
pub struct Viewer {
    pub(super) commands: mpsc::UnboundedSender<Command>,
}

// === impl Viewer ===

impl Viewer {
    /// All that was read, and what came of it, at the cost of a copy. `None` when the controller has ended.
    pub async fn view(&self) -> Option<View> {
        let (sender, view) = oneshot::channel();
        self.commands.send(Command::View(sender)).ok()?;
        view.await.ok()
    }
}
