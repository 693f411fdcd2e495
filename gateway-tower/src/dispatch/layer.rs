//! The layer that makes [`Dispatch`].

use tower_layer::Layer;

use super::{Dispatch, Trust};
use crate::authorize::AskNobody;

/// Takes requests from their rules to their backends.
///
/// The page of [`dispatch`](crate::dispatch) has an example.
#[derive(Clone, Copy, Debug)]
pub struct DispatchLayer<A = AskNobody> {
    trust: Trust,
    authorizer: A,
}

// === impl DispatchLayer ===

impl DispatchLayer {
    /// The layer for a gateway that stands there: whose word about clients counts.
    pub fn new(trust: Trust) -> Self {
        Self { trust, authorizer: AskNobody }
    }
}

impl Default for DispatchLayer {
    fn default() -> Self {
        Self::new(Trust::default())
    }
}

impl<A> DispatchLayer<A> {
    /// Has the authorization services of rules asked. Without it none is, and no request of such a rule passes.
    pub fn authorizer<N>(self, authorizer: N) -> DispatchLayer<N> {
        DispatchLayer { trust: self.trust, authorizer }
    }
}

impl<S, A: Clone> Layer<S> for DispatchLayer<A> {
    type Service = Dispatch<S, A>;

    fn layer(&self, inner: S) -> Dispatch<S, A> {
        Dispatch { inner, trust: self.trust, authorizer: self.authorizer.clone() }
    }
}
