//! Embedding: which crate is for which program, and what is left to it.
//!
//! | the program | takes | begins at |
//! | --- | --- | --- |
//! | asks which rule a request would meet: a test, a linter, a browser | this crate | [`RouteTable::find`](crate::table::RouteTable::find), [`explain`](crate::table::RouteTable::explain) |
//! | is a proxy of another make | this crate | [`RouteTable::decide`](crate::table::RouteTable::decide) |
//! | is given its table by another process | this crate without the feature `resources` | [`RouteTable::builder`](crate::table::RouteTable::builder) |
//! | is a tower stack or an axum application | `gateway-tower` without default features | its `route` module |
//! | reads manifests that change | this crate, or `gateway-tower` with the feature `source` for files | [`apply`](crate::apply), `source::Source` |
//! | is a gateway of its own | `gateway-tower` | `Gateway`, `serve::Server`, `upstream::Upstream` |
//! | takes its routes from a cluster | `gateway-kube` beside any of them | its first page |
//! | wants to know whether it is right | `gateway-conformance` | `trials` |
//!
//! A program for each, and more, in the order in which they are best read:
//! [examples](https://github.com/gateway-api-rs/gateway/tree/main/examples#examples).
//!
//! # From resources to a table, again and again
//! [`translate`](crate::translate::translate) is for once. A [`Translator`](crate::translate::Translator) gives the same at the cost of what
//! changed; an [`Applier`](crate::apply::Applier) that, from manifests, with the last good version of each object and one list of all that is
//! wrong. A table is swapped whole; each request keeps the one that it began with, and ids are those of one table.
//!
//! ```
//! use std::sync::Arc;
//!
//! use gateway_core::exchange::{Arrival, Decision};
//! use gateway_core::manifest;
//! use gateway_core::name::ObjectName;
//! use gateway_core::options::Options;
//! use gateway_core::translate::Translator;
//!
//! let mut translator = Translator::new(Options { any_class: true, ..Options::default() });
//! let status = |translator: &Translator| {
//!     let table = Arc::new(translator.translation().table.clone());
//!     let (request, ()) = http::Request::get("http://example.com/").body(()).unwrap().into_parts();
//!     match table.decide(&Arrival::new(&ObjectName::new("default", "web"), 80), request, &mut || 0) {
//!         Decision::Answer(answer) => answer.status().as_u16(),
//!         _ => panic!("there are no backends"),
//!     }
//! };
//! for (text, expected) in [
//!     ("{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: web}, spec: {gatewayClassName: any, \
//!       listeners: [{name: http, port: 80, protocol: HTTP}]}}", 404),
//!     ("{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: all}, spec: {parentRefs: [{name: web}], \
//!       rules: [{}]}}", 500),
//! ] {
//!     let (object, _) = manifest::read(text, "change.yaml").objects.remove(0);
//!     translator.insert(object);
//!     translator.translate();
//!     assert_eq!(status(&translator), expected);
//! }
//! ```
//!
//! # What the embedding says of itself
//! [`Options`](crate::options::Options): the controller's name, what the data plane can do, which addresses Gateways have. What is not
//! claimed is not promised: a listener or a rule that needs more says so in its status. Two of them are worth their line:
//! [`certificate_check`](crate::options::Options::certificate_check), so that a certificate which the server cannot use is told before the first
//! handshake, and [`AddressPolicy::unbound`](crate::options::AddressPolicy::unbound), so that a port in use is a condition.
//!
//! # What is left to it
//! Sockets, timers, DNS, health of endpoints, random numbers, and the bodies. A [`Decision`](crate::exchange::Decision) says what is to be
//! done; timeouts, retries and mirrors are told, not done. `gateway-tower` does all of that.
//!
//! # What is a value of the embedder's
//! - Filters behind `ExtensionRef`: [`Extensions`](crate::filter::Extensions).
//! - Objects of its own kinds, from the same manifests and clusters, with the same messages and last good versions: backends that its client answers
//!   for, filters, policies: [`OwnKinds`](crate::own_kinds::OwnKinds), which [`Options`](crate::options::Options) carries to all that
//!   reads, watches and translates.
//! - Data for each rule, made with the table and swapped with it: [`RuleDataSource`](crate::rule::RuleDataSource).
