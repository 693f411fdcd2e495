//! The choice of an endpoint for an attempt, at which the request is aimed.
//!
//! A picker chooses; a gateway gets it by [`Gateway::builder(..).picker(..)`](crate::gateway::GatewayBuilder::picker), a stack of layers
//! by [`BalanceLayer::new`]. It sees the backend with its endpoints and
//! [where they run](gateway_core::rule::Endpoint::locality), the request, and which endpoints were tried before:
//!
//! | picker | chooses | remembers |
//! | --- | --- | --- |
//! | [`Random`], unless another is named | any endpoint | nothing |
//! | [`RoundRobin`] | one after the other | whose turn it is, for each backend |
//! | [`LeastRequests`] | of two endpoints the less busy one | requests under way, for each endpoint |
//! | [`ConsistentHash`] | the same endpoint for the same header, cookie or client | nothing |
//! | one of your own | what [`Pick`] says | what it keeps in [`States`] |
//!
//! All of them send attempts of one request to different endpoints, as far as there are any
//! ([RTY-09](gateway_core::spec#RTY-09)). One picker is asked for all backends, by all connections, and by mirrors, and stays
//! when the table changes.
//!
//! The request is given its [target](crate::client::UpstreamTarget), the endpoint as the authority of its URI, and the
//! version that the backend speaks. The host that the client named is in the Host header afterwards, however the client
//! named it.
//!
//! Where the rule has [session persistence](gateway_core::rule::SessionPersistence), a request of a session goes to the endpoint of that, as long
//! as it is there, and the picker is told and not asked; every other begins one with the endpoint that was picked, in the answer.
//! Gateways that are to understand each other's sessions are given one [key](BalanceLayer::sessions).
//!
//! The surprising case: a picker is asked even where a backend has a single endpoint. There may be more of them later, and a
//! picker that counts must have counted by then.
//!
//! ```
//! use gateway_core::rule::Endpoint;
//! use gateway_tower::balance::{Attempt, Pick, Picked, Random};
//!
//! /// Prefers endpoints in the gateway's own zone, for first attempts.
//! #[derive(Debug)]
//! struct Near(&'static str);
//!
//! impl Pick for Near {
//!     fn pick(&self, attempt: &Attempt<'_>) -> Option<Picked> {
//!         let here = |endpoint: &Endpoint| {
//!             endpoint.locality().and_then(|locality| locality.zone.as_deref()) == Some(self.0)
//!         };
//!         match attempt.endpoints().iter().position(here) {
//!             Some(near) if attempt.number() == 0 => Some(Picked::new(near)),
//!             Some(_) | None => Random.pick(attempt),
//!         }
//!     }
//! }
//!
//! # use std::sync::Arc;
//! # use gateway_core::name::ObjectName;
//! # use gateway_core::rule::{Backend, BackendProtocol, Locality};
//! # let in_zone = |last, zone: &str| {
//! #     let locality = Locality { zone: Some(zone.into()), ..Locality::default() };
//! #     Endpoint::new(([10, 0, 0, last], 8080).into()).at(Arc::new(locality))
//! # };
//! # let service = ObjectName::new("default", "shop");
//! # let endpoints = [in_zone(1, "a"), in_zone(2, "b")].into();
//! # let backend = Backend { service, port: 80, protocol: BackendProtocol::Http1, endpoints, ..Backend::default() };
//! // The backend has an endpoint in zone a, and then one in zone b.
//! let request = http::Request::get("/").body(()).unwrap();
//! let picked = Near("b").pick(&Attempt::new(&backend, &request)).unwrap();
//! assert_eq!(picked.position(), 1);
//! ```

mod endpoint_key;
mod states;
mod attempt;
mod pick;
mod random;
mod round_robin;
mod least_requests;
mod consistent_hash;
mod layer;
mod service;
mod future;

pub use self::attempt::Attempt;
pub(crate) use self::attempt::Tried;
pub use self::consistent_hash::ConsistentHash;
pub use self::endpoint_key::EndpointKey;
pub use self::future::BalanceFuture;
pub use self::layer::BalanceLayer;
pub use self::least_requests::LeastRequests;
pub use self::pick::{Pick, Picked};
pub use self::random::Random;
pub use self::round_robin::RoundRobin;
pub use self::service::{Balance, aim};
pub use self::states::States;
pub use crate::body::guard::{Guard, Release};
