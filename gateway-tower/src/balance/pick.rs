//! Choosing one of several endpoints: the interface.

use std::fmt;

use super::Attempt;
use crate::body::guard::Guard;

/// Chooses the endpoint of each attempt.
///
/// One picker serves all backends and all connections of a gateway, and stays when tables change; what it remembers, it
/// keeps in [`States`](super::States).
pub trait Pick: fmt::Debug + Send + Sync + 'static {
    /// The endpoint for this attempt; there is at least one to choose from. None refuses the request as if there were none.
    fn pick(&self, attempt: &Attempt<'_>) -> Option<Picked>;

    /// The endpoint at this position, where the session of the client is. For pickers that count.
    fn keep(&self, _attempt: &Attempt<'_>, position: usize) -> Picked {
        Picked::new(position)
    }
}

/// The endpoint that was chosen for an attempt.
#[derive(Debug)]
pub struct Picked {
    pub(super) position: usize,
    pub(super) guard: Guard,
}

// === impl Picked ===

impl Picked {
    /// The endpoint at this position in the list of the backend. One that is not there counts as none.
    pub fn new(position: usize) -> Self {
        Self { position, guard: Guard::none() }
    }

    /// The same, and `guard` is held until the answer is over: until its body has ended, is broken off, or will not come. The
    /// conversation after an upgrade is not an answer.
    pub fn held(self, guard: Guard) -> Self {
        Self { guard, ..self }
    }

    /// The position.
    pub fn position(&self) -> usize {
        self.position
    }
}
