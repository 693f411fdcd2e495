//! The error of all layers: a refusal on its way out, with what the layers that it passes add to the answer.
//!
//! Inside of the gateway, a request that cannot be carried on is an `Err`, and stays one until the outermost layer,
//! [`respond`](crate::respond), makes the answer. On its way there the balance layer says which endpoint was attempted,
//! the retry layer how often, the filters what the answer needs for CORS; none of them has to look into an answer to
//! learn that it is a failure.
//!
//! A layer of one's own takes part with [`CustomRefusal`], or with any error that becomes a [`BoxError`]:
//!
//! ```
//! use gateway_tower::outcome::{CustomRefusal, IntoRefused, Refusal, Refused};
//! use gateway_tower::BoxError;
//! use http::{HeaderValue, StatusCode, header};
//!
//! let denied = Refused::from(CustomRefusal::new("auth", StatusCode::UNAUTHORIZED).text("401: who are you?\n"))
//!     .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
//! assert_eq!(denied.refusal().status(), 401);
//!
//! // Layers that know of nothing but `BoxError` pass it on as it is, and their own errors become refusals.
//! assert_eq!(BoxError::from(denied).into_refused().refusal().status(), 401);
//! let failed = BoxError::from("the cache is broken").into_refused();
//! assert!(matches!(failed.refusal(), Refusal::LayerFailed(_)));
//! ```

use std::fmt;

use gateway_core::exchange;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Response, response};

use super::{CustomRefusal, Outcome, Refusal};
use crate::body::{BoxError, Inflow};
use crate::routed::{Reached, Routed};

/// A request that is not carried on: why, and what is known about it.
// In a box: every answer is as large as the error that may take its place.
#[derive(Clone)]
pub struct Refused(Box<Inner>);

#[derive(Clone)]
struct Inner {
    refusal: Refusal,
    headers: HeaderMap,
    outcome: Outcome,
}

// === impl Refused ===

impl Refused {
    /// What a client's error means, of a request whose body may have broken; a refusal stays what it is.
    pub(crate) fn from_client_error(error: BoxError, inflow: Option<&Inflow>) -> Self {
        match error.downcast::<Self>() {
            Ok(refused) => *refused,
            Err(error) => {
                let refusal = Refusal::from_client_error(error);
                let broke = inflow.is_some_and(Inflow::is_broken);
                if broke { refusal.of_broken_request() } else { refusal }.into()
            }
        }
    }

    /// Why.
    pub fn refusal(&self) -> &Refusal {
        &self.0.refusal
    }

    /// The decision about the request, as far as it went; what the route layer decided is added there, on the way out.
    pub fn routed(&self) -> Option<&Routed> {
        self.0.outcome.routed.as_ref()
    }

    /// The headers that the answer is to have, besides those that its form needs.
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// The same, to be changed.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        &mut self.0.headers
    }

    /// Gives the answer a header.
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        // An answer with so many headers that there is no room for another goes without.
        let _full = self.0.headers.try_insert(name, value);
        self
    }

    /// Says how far the request came.
    pub(crate) fn with_reached(mut self, reached: Option<Reached>) -> Self {
        self.0.outcome.reached = reached;
        self
    }

    /// Says how often the request was tried again.
    pub(crate) fn with_retries(mut self, retries: u32) -> Self {
        self.0.outcome.retries = retries;
        self
    }

    /// The outcome that goes with an answer, or with the refusal in its place.
    pub(crate) fn outcome_of<'a, B>(result: Result<&'a mut Response<B>, &'a mut Self>) -> &'a mut Outcome {
        match result {
            Ok(response) => Outcome::of(response),
            Err(refused) => &mut refused.0.outcome,
        }
    }

    /// How far the request came, of an answer or of the refusal in its place.
    pub(crate) fn reached_of<B>(result: &Result<Response<B>, Self>) -> Option<Reached> {
        match result {
            Ok(response) => response.extensions().get::<Outcome>()?.reached,
            Err(refused) => refused.0.outcome.reached,
        }
    }

    /// Runs what edits the head of an answer on the head of the answer to be.
    pub(crate) fn edit_head(&mut self, edit: impl FnOnce(&mut response::Parts)) {
        let (mut head, ()) = Response::new(()).into_parts();
        head.status = self.refusal().status();
        head.headers = std::mem::take(&mut self.0.headers);
        edit(&mut head);
        self.0.headers = head.headers;
    }

    /// Why, the headers, and the outcome of the request.
    pub(crate) fn into_parts(self) -> (Refusal, HeaderMap, Outcome) {
        let Inner { refusal, headers, mut outcome } = *self.0;
        outcome.refused(refusal.clone());
        (refusal, headers, outcome)
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self(Box::new(Inner { refusal, headers: HeaderMap::new(), outcome: Outcome::default() }))
    }
}

impl From<exchange::Refusal> for Refused {
    fn from(refusal: exchange::Refusal) -> Self {
        Refusal::from(refusal).into()
    }
}

impl From<CustomRefusal> for Refused {
    fn from(custom: CustomRefusal) -> Self {
        Refusal::from(custom).into()
    }
}

impl fmt::Debug for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Refused").field(&self.0.refusal).finish()
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.refusal.fmt(f)
    }
}

impl std::error::Error for Refused {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.refusal.source()
    }
}
