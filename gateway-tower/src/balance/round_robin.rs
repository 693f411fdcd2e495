//! One endpoint after the other.

use std::sync::atomic::{AtomicUsize, Ordering};

use gateway_core::name::ObjectName;
use gateway_core::rule::BackendKind;

use super::{Attempt, Pick, Picked, States};

/// The endpoints of each backend in turn; a retry goes to one that was not tried, as long as there is one.
///
/// The turns of several gateways are not in step: each starts anywhere.
#[derive(Debug, Default)]
pub struct RoundRobin {
    /// By object and port.
    turns: States<(BackendKind, ObjectName, u16), Turn>,
}

#[derive(Debug)]
struct Turn(AtomicUsize);

// === impl RoundRobin ===

impl RoundRobin {
    /// A picker that has not chosen yet.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Pick for RoundRobin {
    fn pick(&self, attempt: &Attempt<'_>) -> Option<Picked> {
        let backend = attempt.backend();
        let turn = self.turns.get(&(backend.kind, backend.service.clone(), backend.port));
        let next = turn.0.fetch_add(1, Ordering::Relaxed).checked_rem(attempt.endpoints().len())?;
        Some(Picked::new(attempt.first_untried(next)))
    }
}

// === impl Turn ===

impl Default for Turn {
    fn default() -> Self {
        Self(AtomicUsize::new(fastrand::usize(..)))
    }
}
