//! Authorization services, asked whether requests may pass.
//!
//! Filters of the type `ExternalAuth` stop a request until a service has been asked: those of a listener in the
//! [`route`](crate::route) layer, those of a rule in the [`dispatch`](crate::dispatch) layer. What is asked, and what an answer
//! means, is written down in [`exchange`](gateway_core::exchange::AuthAnswer); here it is carried out, over the client of
//! the gateway and with its [picker](crate::balance), by an [`Authorizer`]. A layer that is given none lets no such request pass.
//!
//! - A service that cannot have seen a question is asked once more at another endpoint, up to [`MAX_ATTEMPTS`] times.
//! - Without an answer after [`TIME_LIMIT`], or with one that is not understood, the request does not pass: the client gets
//!   503. The time counts for the `request` timeout of the rule.
//! - A body that is sent along is held until then, whole, and no more of it than the filter says: a longer one gets 413.
//! - All bodies that are held at a time have [`MAX_HELD`] bytes at most. A service has no more of that than it leaves to others, and a
//!   client no more than it leaves to others of that service; a request that finds no room gets 503.
//! - Of an answer, [`MAX_ANSWER`] bytes are read; a longer one is none.
//!
//! Over gRPC the service gets the call `envoy.service.auth.v3.Authorization/Check`, as Envoy makes it: method, target, host,
//! scheme, headers, length and version of the request, the two ends of the client's connection, and its server name. Of the
//! answer its status, the headers and the body for the client, and the headers for the backend count; changes of the query and
//! metadata do not.
//!
//! The surprising case: a question has the connection to the service for itself until it is answered, but neither the client
//! nor the backend sees any of it. What a service sends beside what the [filter](gateway_core::filter::HttpAuth) allows goes
//! nowhere.
//!
//! ```
//! use std::sync::Arc;
//! use bytes::Bytes;
//! # use gateway_core::filter::{AuthProtocol, AuthTerms, ExternalAuth, HttpAuth, HttpFilter};
//! use gateway_core::name::ObjectName;
//! use gateway_tower::outcome::{AnsweredBy, Outcome};
//! use gateway_tower::{BoxError, Connection, Gateway, RequestBody, TableHandle};
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use tower::{ServiceExt, service_fn};
//!
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/table.rs"));
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! # let table = table(|table, rule| {
//! #     let http = HttpAuth { prefix: "/check".into(), allowed_headers: [].into(), allowed_response_headers: [].into() };
//! #     let terms = AuthTerms { protocol: AuthProtocol::Http(http), max_body: 0 };
//! #     let auth = ExternalAuth { backend: table.backend(backend("auth", 9)), terms };
//! #     rule.filters = [HttpFilter::ExternalAuth(Arc::new(auth))].into();
//! # });
//! // The client of the gateway: the service wants to know who asks, and says so to the backend.
//! let client = service_fn(async |request: Request<RequestBody<Full<Bytes>>>| {
//!     let response = match (request.uri().path(), request.headers().get("authorization")) {
//!         ("/check/shop", Some(_)) => Response::builder().header("x-user", "ann"),
//!         ("/check/shop", None) => Response::builder().status(401),
//!         (_, _) => Response::builder().header("x-hello", &request.headers()["x-user"]),
//!     };
//!     Ok::<_, BoxError>(response.body(Full::<Bytes>::default())?)
//! });
//! // The table has one rule, whose requests the Service `auth` is asked about.
//! let connection = Arc::new(Connection::new(ObjectName::new("default", "gateway"), 80));
//! let gateway = Gateway::new(TableHandle::new(table), client).on(connection);
//!
//! let request = || Request::get("/shop").header("host", "example.com");
//! let Ok(unknown) = gateway.clone().oneshot(request().body(Full::default()).unwrap()).await;
//! assert_eq!(unknown.status(), 401);
//! assert_eq!(unknown.extensions().get::<Outcome>().unwrap().answered_by, AnsweredBy::Filter);
//! let known = request().header("authorization", "Bearer ann").body(Full::default()).unwrap();
//! let Ok(known) = gateway.oneshot(known).await;
//! assert_eq!(known.headers()["x-hello"], "ann");
//! # }
//! ```
//!
//! # Spec
//! [FEA-01](gateway_core::spec#FEA-01) to [FEA-08](gateway_core::spec#FEA-08); [PRF-01](gateway_core::spec#PRF-01),
//! [PRF-05](gateway_core::spec#PRF-05).

mod check;
mod room;
mod hold;
mod question;
mod authorizer;

use std::time::Duration;

use tokio::time::Instant;

pub use self::authorizer::{AskNobody, Asked, Authorize, Authorizer};
pub use self::question::Question;
use crate::errand;

/// The longest that a service may take, with all attempts.
pub const TIME_LIMIT: Duration = Duration::from_secs(5);

/// At how many endpoints a service is asked, where those before cannot have seen the question.
pub const MAX_ATTEMPTS: usize = errand::MAX_ATTEMPTS;

/// The most bytes of bodies that an authorizer and its clones hold at a time: 64 MiB. What is asked over gRPC has each once more.
pub const MAX_HELD: usize = 64 << 20;

/// The most bytes that are read of the body of an answer.
pub const MAX_ANSWER: usize = errand::MAX_ANSWER;

/// When asking began, in the extensions of a request: its time runs from there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Began(pub(crate) Instant);
