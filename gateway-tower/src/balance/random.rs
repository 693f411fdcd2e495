//! Any endpoint.

use super::{Attempt, Pick, Picked};

/// A random endpoint; attempts after the first go to the endpoints that follow it in the list.
///
/// With many requests, many gateways and connections kept alive that is as even as taking turns, and no state is shared
/// between cores.
#[derive(Clone, Copy, Debug, Default)]
pub struct Random;

// === impl Random ===

impl Pick for Random {
    /// # Spec
    /// [RTY-09](gateway_core::spec#RTY-09).
    fn pick(&self, attempt: &Attempt<'_>) -> Option<Picked> {
        let count = attempt.endpoints().len();
        let position = match count {
            0 => return None,
            1 => 0,
            count => match attempt.tried().next_back() {
                None => fastrand::usize(..count),
                Some(last) => (last + 1) % count,
            },
        };
        Some(Picked::new(position))
    }
}
