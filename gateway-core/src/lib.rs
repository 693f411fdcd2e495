//! The Kubernetes [Gateway API](https://gateway-api.sigs.k8s.io) (v1.7.0) as a pure engine, for those who write proxies,
//! controllers and tools.
//!
//! Resources in, a compiled [route table](table) and every [status condition](status) out; a request in, a decision out.
//! There is no async code, no I/O, no clock and no random number here: a time or a random number is an argument. What is
//! decided, other crates carry out: `gateway-tower` as tower layers and as a server, your own proxy as it likes.
//!
//! The shortest useful program: a manifest is read, what is wrong with it is known, and a request has a backend.
//!
//! ```
//! use std::sync::Arc;
//!
//! use gateway_core::apply::Applied;
//! use gateway_core::exchange::{Arrival, Decision};
//! use gateway_core::name::ObjectName;
//! use gateway_core::options::Options;
//!
//! let text = "
//! apiVersion: gateway.networking.k8s.io/v1
//! kind: Gateway
//! metadata: {name: web}
//! spec: {gatewayClassName: any, listeners: [{name: http, port: 80, protocol: HTTP}]}
//! ---
//! apiVersion: gateway.networking.k8s.io/v1
//! kind: HTTPRoute
//! metadata: {name: shop}
//! spec: {parentRefs: [{name: web}], hostnames: [shop.example.com], rules: [{backendRefs: [{name: shop, port: 80}]}]}
//! ---
//! apiVersion: v1
//! kind: Service
//! metadata: {name: shop}
//! spec: {ports: [{name: http, port: 80}]}
//! ---
//! apiVersion: discovery.k8s.io/v1
//! kind: EndpointSlice
//! metadata: {name: shop-1, labels: {kubernetes.io/service-name: shop}}
//! addressType: IPv4
//! ports: [{name: http, port: 3000}]
//! endpoints: [{addresses: [10.0.0.7]}]
//! ";
//! let Applied { table, problems, .. } = Applied::from_text(text, "shop.yaml", Options::standalone());
//! assert!(problems.is_empty(), "each with its line, field and way out: {problems:?}");
//!
//! let table = Arc::new(table);
//! let (web, random) = (ObjectName::new("default", "web"), &mut || 4);
//! let (request, ()) = http::Request::get("/cart").header("host", "shop.example.com").body(())?.into_parts();
//! let Decision::Forward(forward) = table.decide(&Arrival::new(&web, 80), request, random) else {
//!     panic!("a rule serves the request");
//! };
//! assert_eq!(forward.backend().endpoints[0].address(), "10.0.0.7:3000".parse()?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The map
//! | you have, or want | look at |
//! | --- | --- |
//! | YAML or JSON | [`manifest`]: objects, and what is wrong at which line; [`api`] has the types |
//! | objects that change | [`translate::Translator`]: as [`translate::translate`], at the cost of what changed |
//! | statuses to write into a cluster | [`status::merge`]: what has to be written, if anything |
//! | objects to make for Gateways in a cluster | [`infrastructure`]: what they are; a controller makes them |
//! | manifests that change, each object with its last good version | [`apply`], [`manifest::LastGood`] |
//! | what is wrong, for a human, in one list | [`apply::Applied::problems`], [`report`]; its parts are [`translate::Translation::diagnostics`], [`status::Statuses::causes`], [`lint`] |
//! | a request to be answered | [`exchange`]: all steps in one call, or one by one; [`table::RouteTable::find`] for the match alone |
//! | a connection or a datagram to be passed on as it comes | [`table::RouteTable::find_stream`], [`table::RouteTable::stream_backend`] |
//! | a request of a workload to a Service, in a mesh | [`exchange::Arrival::in_mesh`], [`table::RouteTable::service_at`], [`feature::SUPPORTED_IN_MESHES`] |
//! | why a request went where it went | [`table::RouteTable::explain`]: the same search, written down |
//! | filters, rule data, certificates of your own kind | [`options::Options`] |
//! | objects, backends and filters of your own kinds, from the same manifests | [`own_kinds::OwnKinds`] |
//! | what is supported | [`feature::SUPPORTED`] |
//! | the rules, and how open questions were decided | [`spec`], [`choices`] |
//! | how it all works together | the [`manual`]: a request's way, precedence, filters, statuses, embedding, and the architecture |
//!
//! # Features
//! - `resources`, on by default: the resources as written, their validation and translation. Without it only what serves
//!   requests is built ([`matching`], [`filter`], [`rule`], [`table`], [`exchange`]), for a data plane that is given its table.
//!
//! # Limits
//! - Routes of all five kinds are served.
//! - Work is bounded by what was written and sent: sizes of [manifests](manifest::MAX_BYTES), of
//!   [regular expressions](matching::Pattern::SIZE_LIMIT) of one Route and one namespace, of
//!   [listeners](options::DEFAULT_MAX_LISTENERS) of one Gateway, of the [places](options::MAX_NAMESPACE_PLACES) in indexes that the
//!   Routes of one namespace ask for. What is beyond is said, and costs the object that has it.
//! - What needs the outside is the embedder's: sockets, health of endpoints, timers, DNS. What it finds out about sockets comes
//!   back by [`options::AddressPolicy::unbound`].
//! - Bodies are not looked at, and no policy beyond the Gateway API is carried out. [What is not a
//!   goal](manual::comparison#what-is-not-a-goal) has the list.
//!
//! # Versions
//! Rust 1.89 or later. The resources are those of Gateway API v1.7.0, both channels; objects of v1.6 are read too. Until 1.0, a
//! minor version may change the API; `CHANGELOG.md` says what a user has to write differently.

// Listed in order: each imports only what stands before it.
mod one_line;
pub mod name;
pub mod hostname;
mod fingerprint;
pub mod duration;
pub mod condition;
pub mod feature;
pub mod finding;
#[cfg(feature = "resources")]
pub mod api;
#[cfg(feature = "resources")]
pub mod manifest;
pub mod matching;
pub mod filter;
pub mod rule;
pub mod table;
pub mod exchange;
#[cfg(feature = "resources")]
pub mod own_kinds;
#[cfg(feature = "resources")]
pub mod options;
#[cfg(feature = "resources")]
pub mod validate;
#[cfg(feature = "resources")]
pub mod resolve;
#[cfg(feature = "resources")]
mod attach;
#[cfg(feature = "resources")]
mod compile;
#[cfg(feature = "resources")]
pub mod status;
#[cfg(feature = "resources")]
pub mod infrastructure;
#[cfg(feature = "resources")]
pub mod translate;
#[cfg(feature = "resources")]
pub mod lint;
#[cfg(feature = "resources")]
pub mod report;
#[cfg(feature = "resources")]
pub mod apply;
pub mod choices;
pub mod spec;
pub mod manual;

/// The examples in the README are examples of this crate, and compiled as such.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
