//! The layer that makes [`Balance`].

use std::sync::Arc;

use gateway_core::rule::SessionKey;
use tower_layer::Layer;

use super::{Balance, Pick, Random};

/// Chooses an endpoint of the chosen backend.
///
/// The page of [`balance`](crate::balance) has an example.
#[derive(Clone, Debug)]
pub struct BalanceLayer {
    picker: Arc<dyn Pick>,
    sessions: SessionKey,
}

// === impl BalanceLayer ===

impl BalanceLayer {
    /// Lets `picker` choose. Layers that are to know of each other's requests share one.
    pub fn new(picker: Arc<dyn Pick>) -> Self {
        // Sessions that no other gateway understands, and that end with this one.
        Self { picker, sessions: own_key() }
    }

    /// Lets another picker choose.
    pub(crate) fn picked_by(self, picker: Arc<dyn Pick>) -> Self {
        Self { picker, ..self }
    }

    /// Keeps sessions by this key, which replicas of a gateway share.
    pub fn sessions(self, sessions: SessionKey) -> Self {
        Self { sessions, ..self }
    }

    /// What chooses.
    pub(crate) fn picker(&self) -> Arc<dyn Pick> {
        Arc::clone(&self.picker)
    }
}

impl Default for BalanceLayer {
    /// Chooses at random.
    fn default() -> Self {
        Self::new(Arc::new(Random))
    }
}

impl<S> Layer<S> for BalanceLayer {
    type Service = Balance<S>;

    fn layer(&self, inner: S) -> Balance<S> {
        Balance { inner, picker: Arc::clone(&self.picker), sessions: self.sessions.clone() }
    }
}

/// A key that no other gateway has.
fn own_key() -> SessionKey {
    let mut key = [0; 16];
    getrandom::fill(&mut key).expect("the system has random numbers");
    SessionKey::new(key)
}
