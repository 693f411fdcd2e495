//! An attempt, as a picker sees it.

use std::sync::Arc;

use gateway_core::rule::{Backend, Endpoint};
use http::{Extensions, HeaderMap, Method, Request, Uri};

use crate::routed::Routed;

/// An attempt at a backend whose endpoint is to be chosen.
///
/// Endpoints are named by their positions in the [list](Self::endpoints) of the backend, which is the same for all
/// attempts of a request.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    backend: &'a Backend,
    method: &'a Method,
    uri: &'a Uri,
    headers: &'a HeaderMap,
    extensions: &'a Extensions,
}

/// The endpoints that the attempts before this one went to, in their order; in the extensions of a request that is tried
/// again.
#[derive(Clone, Debug)]
pub(crate) struct Tried(pub(crate) Arc<[u32]>);

// === impl Attempt ===

impl<'a> Attempt<'a> {
    /// The attempt at `backend` that `request` is: one after others, if the retry layer has said so.
    pub fn new<B>(backend: &'a Backend, request: &'a Request<B>) -> Self {
        Self {
            backend,
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
            extensions: request.extensions(),
        }
    }

    /// The backend.
    pub fn backend(&self) -> &'a Backend {
        self.backend
    }

    /// The ready endpoints of the backend. Their [localities](Endpoint::locality) say where they run, as far as is known.
    pub fn endpoints(&self) -> &'a [Endpoint] {
        &self.backend.endpoints
    }

    /// How many attempts there were before this one.
    pub fn number(&self) -> u32 {
        self.tried_before().len() as u32
    }

    /// The positions of the endpoints that were tried before, in order; one that was tried twice is there twice.
    pub fn tried(&self) -> impl DoubleEndedIterator<Item = usize> + ExactSizeIterator + 'a {
        self.tried_before().iter().map(|position| *position as usize)
    }

    /// The first position from `start` on, going around, that was not tried before; `start` when all were.
    ///
    /// # Panics
    /// When there is no endpoint at `start`.
    pub fn first_untried(&self, start: usize) -> usize {
        assert!(start < self.endpoints().len(), "there is an endpoint to start from");
        let (before, from) = (0..start, start..self.endpoints().len());
        let tried = self.tried_before();
        let untried = |position: &usize| !tried.contains(&(*position as u32));
        from.chain(before).find(untried).unwrap_or(start)
    }

    fn tried_before(&self) -> &'a [u32] {
        self.extensions.get().map_or(&[], |Tried(tried)| tried)
    }

    /// The method of the request.
    pub fn method(&self) -> &'a Method {
        self.method
    }

    /// The target of the request as the backend will get it.
    pub fn uri(&self) -> &'a Uri {
        self.uri
    }

    /// The headers of the request as the backend will get them.
    pub fn headers(&self) -> &'a HeaderMap {
        self.headers
    }

    /// What else is known of the request.
    pub fn extensions(&self) -> &'a Extensions {
        self.extensions
    }

    /// The decision about the request, with its rule and the client's connection.
    pub fn routed(&self) -> Option<&'a Routed> {
        self.extensions.get()
    }
}
