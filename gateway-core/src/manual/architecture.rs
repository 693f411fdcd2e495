//! The parts, the one way that data flows, and the decisions behind both.
//!
//! # Parts
//! | crate | is | knows nothing of |
//! | --- | --- | --- |
//! | `gateway-core` | resources in, route table and statuses out; a request in, a decision out | runtimes, sockets, clocks, clusters |
//! | `gateway-tower` | the decision carried out, as tower layers and as a complete data plane | resources as written, clusters |
//! | `gateway-kube` | resources watched in Kubernetes, statuses written back | data planes |
//! | `gateway-conformance` | every case of upstream's suite and more, for any embedding | |
//! | `gateway-examples` | programs, from fifteen lines to a complete gateway | |
//!
//! `gateway-tower` and `gateway-kube` never import each other: a program puts them together.
//!
//! # One way
//! ```text
//!             ┌─ resolve ── what references lead to: grants, backends, certificates, policies ──┐
//! api → validate → attach ── who is attached to whom: listeners, parents, conflicts ────────────┤→ compile → RouteTable
//!             └────────────────────────────── status: every condition, made here only ──────────┘→ Statuses
//!
//! RouteTable → find → exchange: filters, backend, mirrors, timeouts, retry → response filters
//! ```
//!
//! Each stage has types of its own, and no stage changes its input. [`translate`](crate::translate) is the line of stages; what
//! serves requests ([`matching`](crate::matching), [`filter`](crate::filter), [`rule`](crate::rule), [`table`](crate::table),
//! [`exchange`](crate::exchange)) never sees a resource as written, and is built alone without the feature `resources`. The two
//! halves share the [`RouteTable`](crate::table::RouteTable) and nothing else.
//!
//! `lib.rs` lists the modules so that each imports only what stands before it, and within a folder files import each other in no
//! circle; a test of each crate checks both. So the list can be read from top to bottom.
//!
//! # Decisions
//! **Types of our own for the resources.** One file a resource, every field of both channels, unknown values of enumerations kept:
//! what an older or newer client wrote becomes a condition and no parse error. A test compares the fields with the schemas.
//!
//! **One word for one thing, as written and as compiled.** What [`api`](crate::api) has as it is written has the same name where it is
//! compiled: [`api::GatewayStatus`](crate::api::GatewayStatus) is what is stored, with times and with what others said,
//! [`status::GatewayStatus`](crate::status::GatewayStatus) what is computed, with neither; [`api::Listener`](crate::api::Listener) has
//! text where [`table::Listener`](crate::table::Listener) has what was parsed. The specification has one word for both, and a second word would
//! have to be learnt. The path says which is meant: code that needs both imports the module, and writes `api::GatewayStatus`. Two types of one
//! name are never both compiled, which a test checks.
//!
//! **An index, and no scan.** From the port to the listener by host, to the hostname's routes, to the path, to the few candidates, which
//! lie in the order of [precedence](super::precedence). The cost grows with the length of the request and with the candidates for one path,
//! not with the number of routes. No lock is taken, and where nothing is encoded or edited, nothing is allocated.
//!
//! **A plain reference beside it.** `conformance` has a second matcher, which reads the specification aloud, has no index and shares no
//! code with this crate. Generated resources and requests are given to both; where they differ, one is wrong.
//!
//! **Regular expressions are bounded.** They are anchored as a whole, compiled once, kept from one translation to the next, and bounded for
//! each Route, each namespace and each request ([AMB-08](crate::choices#AMB-08)).
//!
//! **One bad object costs itself only**, in statuses, in the table and at the server: a bad certificate among good ones, one tenant's
//! mirrors, one tenant's patterns. What several parties share is divided so that one cannot stop the others.
//!
//! **One truth about trouble.** What is wrong becomes one [`Finding`](crate::finding::Finding) with a field, a reason and a way out.
//! Conditions, `check`, logs and metrics read findings. What is given and not served is [said](crate::lint); silence means served.
//! A [report](crate::report) puts all of it into one list, each thing once and with its place.
//!
//! **Objects from an API server are valid by definition** of some version and some channel. What breaks rules of v1.7 there becomes a
//! condition. From files, an object that neither channel would take keeps its last good version.
//!
//! **Statuses are values**, without time or history, until [`merge`](crate::status::merge) brings them together with what is stored:
//! the entries of others stay, times change only with the status, and where nothing changes nothing is written.
//!
//! **Tables are immutable and swapped whole.** A request uses one throughout. Parts that did not change are the same memory, so that a
//! changed route costs that route; the result is what a translation from nothing gives, which a property test compares.
//!
//! **Explanations are made by the search itself.** [`RouteTable::explain`](crate::table::RouteTable::explain) records what the search
//! sees; there is no second matcher that could say something else.
//!
//! **Limits are chosen.** Every window, pool and limit of headers is a field of a struct of options, with its reason. Clocks are for
//! requests and not for connections, where several requests share one.
//!
//! **Kubernetes is the distributed engine.** Replicas watch the same API server and compile the same table, since translation is pure.
//! One of them, by a Lease, writes statuses. There is no protocol of our own between them.
//!
//! **Real components judge.** The tests of `gateway-kube` run against a real API server and etcd; upstream's Go suite is run against the
//! program; gRPC is tried with tonic, HTTP/2 with h2spec, sockets on loopback. The
//! [reports](https://github.com/gateway-api-rs/gateway/tree/main/conformance/reports) are in the repository.
//!
//! # Where a time or a random number comes from
//! From outside, as an argument. That is what makes this crate testable without waiting, and two replicas equal:
//!
//! ```
//! use gateway_core::api::Resources;
//! use gateway_core::options::Options;
//! use gateway_core::translate::translate;
//!
//! let (resources, options) = (Resources::default(), Options::default());
//! assert_eq!(translate(&resources, &options).statuses, translate(&resources, &options).statuses);
//! ```
