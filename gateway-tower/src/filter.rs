//! Filters of one's own that wait for something: a service, a store, another request.
//!
//! An [`Extension`](gateway_core::filter::Extension) of the core is asked in its place among the filters of a rule, and cannot wait. What has
//! to wait is an [`AsyncFilter`], once for each request in a place of the [gateway](crate::gateway#layers-of-ones-own): it sees the rule and
//! the request, lets it pass with a value that travels to the answer, or refuses it.
//!
//! Whether it has anything to do with a request is for the rule to say: by a mark that an extension of the core leaves in the
//! extensions of the request, as here, so that routes name it by an `ExtensionRef`; or by the [data of the rule](gateway_core::rule::RuleData),
//! made of labels and annotations.
//!
//! The surprising case: a request that is refused further within has no answer to edit, and its value is dropped; the filters of the
//! rule still run on the refusal.
//!
//! ```
//! use std::sync::Arc;
//! use bytes::Bytes;
//! use gateway_core::filter::{Extension, Verdict};
//! # use gateway_core::filter::HttpFilter;
//! use gateway_core::name::ObjectName;
//! use gateway_tower::filter::{AsyncFilter, FilterLayer};
//! use gateway_tower::outcome::{CustomRefusal, Refused};
//! use gateway_tower::{BoxError, Connection, Gateway, RequestBody, Routed, TableHandle};
//! use http::{HeaderValue, Request, Response, StatusCode, request, response};
//! use http_body_util::Full;
//! use tower::{ServiceExt, service_fn};
//!
//! /// The mark: routes with this filter want a user.
//! #[derive(Clone, Debug)]
//! struct WantsUser;
//!
//! impl Extension for WantsUser {
//!     fn on_request(&self, parts: &mut request::Parts) -> Verdict {
//!         parts.extensions.insert(self.clone());
//!         Verdict::Continue
//!     }
//! }
//!
//! /// Asks who the user is, and tells the client of it in the answer.
//! #[derive(Clone)]
//! struct Users;
//!
//! impl AsyncFilter for Users {
//!     type Value = Option<HeaderValue>;
//!
//!     async fn on_request(&self, _: &Routed, parts: &mut request::Parts) -> Result<Self::Value, Refused> {
//!         if parts.extensions.remove::<WantsUser>().is_none() {
//!             return Ok(None);
//!         }
//!         // Here a service would be asked.
//!         tokio::task::yield_now().await;
//!         match parts.headers.remove("x-token") {
//!             Some(token) if token == "secret" => Ok(Some(HeaderValue::from_static("ann"))),
//!             _ => Err(CustomRefusal::new("users", StatusCode::UNAUTHORIZED).into()),
//!         }
//!     }
//!
//!     fn on_response(&self, user: Self::Value, parts: &mut response::Parts) {
//!         if let Some(user) = user {
//!             parts.headers.insert("x-user", user);
//!         }
//!     }
//! }
//!
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/table.rs"));
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! # let table = table(|_, rule| rule.filters = [HttpFilter::Extension(Arc::new(WantsUser))].into());
//! # let client = service_fn(async |_: Request<RequestBody<Full<Bytes>>>| Ok::<_, BoxError>(Response::new(Full::<Bytes>::default())));
//! // The table has one rule, with that filter.
//! let gateway = Gateway::builder(TableHandle::new(table)).after_filters(FilterLayer::new(Users)).client(client);
//!
//! let gateway = gateway.on(Arc::new(Connection::new(ObjectName::new("default", "gateway"), 80)));
//! let request = |token| {
//!     Request::get("/shop").header("host", "example.com").header("x-token", token).body(Full::default()).unwrap()
//! };
//! let Ok(answer) = gateway.clone().oneshot(request("secret")).await;
//! assert_eq!((answer.status().as_u16(), &answer.headers()["x-user"]), (200, &HeaderValue::from_static("ann")));
//! let Ok(denied) = gateway.oneshot(request("guess")).await;
//! assert_eq!(denied.status(), 401);
//! # }
//! ```

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response, request, response};
use tower_layer::Layer;
use tower_service::Service;

use crate::outcome::{IntoRefused, Refusal, Refused};
use crate::routed::Routed;

/// A filter that may wait. It is cloned for each request.
pub trait AsyncFilter: Clone + Send + Sync + 'static {
    /// What travels from the request to its answer.
    type Value: Send;

    /// Edits the request and lets it pass, or refuses it. A [`CustomRefusal`](crate::outcome::CustomRefusal) says with which answer.
    fn on_request(
        &self,
        routed: &Routed,
        parts: &mut request::Parts,
    ) -> impl Future<Output = Result<Self::Value, Refused>> + Send;

    /// Edits the answer to a request that was let pass. Not asked where there is none, but a refusal.
    fn on_response(&self, value: Self::Value, parts: &mut response::Parts) {
        let _ = (value, parts);
    }
}

/// Puts an [`AsyncFilter`] around a service. It has to stand within a [`RouteLayer`](crate::route::RouteLayer), as in each place of a
/// gateway.
///
/// The page of [`filter`](crate::filter) has an example.
#[derive(Clone, Copy, Debug, Default)]
pub struct FilterLayer<F>(F);

/// Has a filter look at each request.
#[derive(Clone, Copy, Debug)]
pub struct Filtered<S, F> {
    inner: S,
    filter: F,
}

/// The answer, or the refusal in its place.
pub struct FilteredFuture<R>(Pin<Box<dyn Future<Output = Result<R, Refused>> + Send>>);

// === impl FilterLayer ===

impl<F: AsyncFilter> FilterLayer<F> {
    /// The layer of this filter.
    pub fn new(filter: F) -> Self {
        Self(filter)
    }
}

impl<S, F: Clone> Layer<S> for FilterLayer<F> {
    type Service = Filtered<S, F>;

    fn layer(&self, inner: S) -> Self::Service {
        Filtered { inner, filter: self.0.clone() }
    }
}

// === impl Filtered ===

impl<S, F, B, RB> Service<Request<B>> for Filtered<S, F>
where
    S: Service<Request<B>, Response = Response<RB>, Error: IntoRefused, Future: Send>
        + Clone
        + Send
        + 'static,
    F: AsyncFilter,
    B: Send + 'static,
{
    type Response = Response<RB>;
    type Error = Refused;
    type Future = FilteredFuture<Response<RB>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        S::Error::refuse(self.inner.poll_ready(cx))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The one that is ready is taken, and its clone left behind.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let filter = self.filter.clone();
        FilteredFuture(Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let Some(routed) = parts.extensions.get::<Routed>().cloned() else {
                return Err(Refusal::NotRouted.into());
            };
            let value = filter.on_request(&routed, &mut parts).await?;
            let answer = inner.call(Request::from_parts(parts, body)).await;
            let (mut parts, body) = answer.map_err(IntoRefused::into_refused)?.into_parts();
            filter.on_response(value, &mut parts);
            Ok(Response::from_parts(parts, body))
        }))
    }
}

// === impl FilteredFuture ===

impl<R> Future for FilteredFuture<R> {
    type Output = Result<R, Refused>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl<R> fmt::Debug for FilteredFuture<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FilteredFuture").finish_non_exhaustive()
    }
}
