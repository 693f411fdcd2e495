//! A request and its answer, from the match to the response filters, without I/O.
//!
//! Between the search in the table and the bytes on the wire stands a choreography that every embedding needs and none should
//! write: what a client says about its own connection stays behind; the filters of the listener run, before a rule is looked
//! for; the path is forwarded in the form that was matched; the backend is told about the client; the filters of the rule run, then a backend is chosen by weight, then its filters run;
//! and the answer goes back through the same filters the other way round, except that an answer of the gateway's own passes
//! only those that are for such. It stands here once.
//!
//! There are three ways in:
//! - [`RouteTable::decide`](crate::table::RouteTable::decide) takes all steps in one call. It gives an answer, or a [`Forward`]
//!   that owns the table it was decided in and waits for the backend's answer.
//! - [`Exchange`] takes the steps one by one, for embeddings with layers between them.
//! - [`find`] is its first step alone, for embeddings that match at one place and go on at another, by [`Exchange::new`].
//!
//! A filter may want an authorization service to be asked first. That is the embedding's to do: the decision is a
//! [`Question`], or the step says [whom](Stopped::Asks) to ask, and nothing goes on without [what came of it](AuthAnswer).
//!
//! To ask a table without any of them, as [`RouteTable::explain`](crate::table::RouteTable::explain) does, bring the request
//! into the form that is matched by [`prepare`], which runs the filters of the listener too.
//!
//! Nothing is sent here, no endpoint is chosen, and no time is measured: timeouts, retries and mirrors are told, not done.
//!
//! The surprising case: the filters run once for a request, not once for an attempt. What a retry sends is
//! [`Forward::request_parts`] again, and mirrors get no second copy.
//!
//! ```
//! use std::net::SocketAddr;
//! use std::sync::Arc;
//! use gateway_core::exchange::{Arrival, Decision};
//! use gateway_core::filter::{HttpFilter, HeaderModifier, PathModifier, UrlRewrite};
//! # use gateway_core::matching::{HttpMatch, PathMatch};
//! # use gateway_core::name::{Age, ObjectName, RouteKey, RouteKind};
//! # use gateway_core::rule::{Backend, BackendProtocol, BackendRef, BackendTarget, Backends, HttpRule, RuleName};
//! # use gateway_core::table::{Listener, ListenerProtocol, RouteTable};
//!
//! # let gateway = ObjectName::new("default", "gateway");
//! # let mut table = RouteTable::builder(1);
//! # let listener = table.listener(Listener::new(gateway.clone(), "http", 80, ListenerProtocol::Http));
//! # let endpoint = SocketAddr::from(([10, 0, 0, 7], 8080));
//! # let shop = table.backend(Backend {
//! #     service: ObjectName::new("default", "shop"),
//! #     port: 80,
//! #     protocol: BackendProtocol::Http1,
//! #     endpoints: [endpoint.into()].into(),
//! #     ..Backend::default()
//! # });
//! # let route = ObjectName::new("default", "shop");
//! // A rule for `/shop` with these filters, as translation makes it of an HTTPRoute.
//! let filters = [
//!     HttpFilter::UrlRewrite(Box::new(UrlRewrite {
//!         hostname: None,
//!         path: Some(PathModifier::replace_prefix_match("/")?),
//!     })),
//!     HttpFilter::ResponseHeaderModifier(HeaderModifier::new([("x-served-by", "shop")], [], [])?),
//! ];
//! # let rule = HttpRule {
//! #     filters: filters.into(),
//! #     backends: Backends::new([BackendRef { target: BackendTarget::Backend(shop), weight: 1 }]),
//! #     ..HttpRule::new(RuleName { route: RouteKey::new(RouteKind::Http, route.clone()).into(), index: 0, name: None })
//! # };
//! # let matches = [HttpMatch { path: PathMatch::prefix("/shop"), ..HttpMatch::default() }];
//! # let route = table.http_route(Age::new(None, &route), [(matches.into(), rule)]);
//! # table.attach(route, listener, &[]);
//! # let table = Arc::new(table.build());
//! let arrival = Arrival::new(&gateway, 80);
//! let request = |path| http::Request::get(path).header("host", "example.com").header("connection", "close");
//!
//! let (parts, ()) = request("/shop/../shop/cart?item=1").body(())?.into_parts();
//! let Decision::Forward(forward) = table.decide(&arrival, parts, &mut || 4) else { panic!("the rule has a backend") };
//! assert_eq!(forward.backend().endpoints[0].address(), endpoint);
//! let sent = forward.request_parts();
//! assert_eq!(sent.uri, "/cart?item=1");
//! assert!(!sent.headers.contains_key("connection"));
//! assert_eq!(sent.headers["x-forwarded-proto"], "http");
//!
//! // What the backend answered.
//! let (mut answer, ()) = http::Response::builder().header("keep-alive", "timeout=5").body(())?.into_parts();
//! forward.finish(&mut answer);
//! assert_eq!(answer.headers["x-served-by"], "shop");
//! assert!(!answer.headers.contains_key("keep-alive"));
//!
//! let (parts, ()) = request("/shop/../admin").body(())?.into_parts();
//! let Decision::Answer(answer) = table.decide(&arrival, parts, &mut || 4) else { panic!("no rule serves that path") };
//! assert_eq!(answer.status(), 404);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod header_set;
pub mod framing;
pub mod hop_by_hop;
pub mod forwarded;
mod arrival;
mod grpc_code;
mod form;
mod refusal;
mod authorization;
mod stopped;
mod one_form;
mod search;
mod steps;
mod decision;

pub use self::arrival::Arrival;
pub use self::authorization::{AuthAnswer, Denial, NoQuestion, Permit};
pub use self::decision::{Decision, Forward, Question};
pub use self::form::Form;
pub use self::grpc_code::GrpcCode;
pub use self::header_set::HeaderSet;
pub use self::refusal::Refusal;
pub use self::search::{Search, Sought, find, prepare};
pub use self::steps::{Exchange, List};
pub use self::stopped::Stopped;
