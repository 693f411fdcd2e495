//! Gateway API resources watched in Kubernetes, and their statuses written back, for those who write a controller, a proxy that takes
//! its routes from a cluster, or a tool that reads one.
//!
//! [`gateway_core`] says what resources mean; this crate has them from an API server and gives the API server its answer. It hands
//! out route tables and takes what the data plane could not bind; it knows no data plane, and none knows it: a program puts the two
//! together. The shortest useful one:
//!
//! ```no_run
//! use gateway_kube::controller::{Controller, ControllerOptions};
//! use gateway_kube::kube::Client;
//! use gateway_kube::lease::LeaseOptions;
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let mut options = ControllerOptions::default();
//!     options.translate.controller_name = "example.com/gateway".to_owned();
//!     options.lease = Some(LeaseOptions::new("gateway-system", "gateway", std::env::var("POD_NAME")?));
//!     let (_controller, mut updates) = Controller::new(Client::try_default().await?, options);
//!     while let Some(update) = updates.next().await {
//!         for left_out in &update.left_out {
//!             eprintln!("{left_out}");
//!         }
//!         for diagnostic in update.diagnostics.iter() {
//!             eprintln!("{diagnostic}");
//!         }
//!         // To be served: `gateway_tower`'s handle, or a data plane of one's own, takes the table into use.
//!         for (id, listener) in update.table.listeners() {
//!             eprintln!("{id:?}: {}", listener.name);
//!         }
//!         // Statuses say what is served, and so they wait for this, and name the sockets that could not be bound.
//!         update.applied(Vec::new());
//!     }
//!     Ok(())
//! }
//! ```
//!
//! # How replicas work together
//!
//! Every replica watches the same API server and compiles the same table, because [`gateway_core`] is pure and deterministic.
//! There is no control plane of its own and nothing to keep in step. One replica, by a [Lease](lease), writes statuses.
//!
//! # The map
//! | you have, or want | look at |
//! | --- | --- |
//! | a controller, all of it in one task | [`controller::Controller`]: a change comes in, a table and statuses go out |
//! | a data plane beside it | [`controller::Updates`] has the tables, [`Update::applied`](controller::Update::applied) takes what could not be bound |
//! | several replicas | [`lease`]: one of them writes |
//! | an address of its own for each Gateway, and a Service | [`address_pool`], [`infrastructure`] |
//! | the address of the Service in front of the data plane | [`addresses`] |
//! | a mesh on a node | [`workloads`]: in which namespace a client is |
//! | all that was read, and what came of it | [`controller::Viewer`]: what `gateway check --kube` shows |
//! | objects of your own kinds, as backends, filters, or for yourself | [`OwnKinds`](gateway_core::own_kinds::OwnKinds), in [`ControllerOptions::translate`](controller::ControllerOptions::translate): they are watched, too; the page of [`controller`] has an example |
//! | the resources, without a controller | [`watch`] as a stream of changes, [`store`] as `gateway_core::api::Resources`, kept up to date |
//! | statuses to write, of a controller of your own | [`status`]: merged, written against the version that was read, with events and the finalizer of a class |
//! | which features a cluster's definitions allow | [`definitions`] |
//! | metrics | [`observe`], and [`metrics`] made of it |
//! | objects, and what can fail | [`Object`], [`Error`] |
//!
//! [`watch`], [`status`], [`addresses`], [`definitions`] and [`lease`] are of use without the others. How translation and statuses work
//! is in the [manual](gateway_core::manual) of the core.
//!
//! # What may go wrong, and what happens then
//!
//! - **The API server is away, slow, or forgets**: the last table stays in use; watches go on where they stopped, or list
//!   again; statuses are written later. A write that is not answered is given up
//!   ([`answer_timeout`](controller::ControllerOptions::answer_timeout)). That the start of a watch is, too, takes a client with a
//!   `read_timeout`, of 300 s for example, and `reset_reader_on_write`: a [`kube::Config`] has none of itself.
//! - **A kind is not installed, or may not be read**: it is left out, which is logged and told with each update, and picked up
//!   when it appears; that most clusters have no ServiceImports is nothing to tell. What was read before stays. A listener whose Secret may not be read says so in its status.
//! - **The definitions are of v1.6**: features are published by the names of v1.6, and nothing waits for a field that they
//!   do not have: where one is written and not kept, that is logged once. A session of a Route, which v1.7 writes otherwise, is
//!   read as what it says. Definitions of an unknown version are used as far as they are understood, and `SupportedVersion`
//!   says so.
//! - **A kind or a field of a feature is not installed**, as fields of the experimental channel are not where the definitions
//!   are of the standard one: the feature is not published.
//! - **An object is stored that breaks rules of v1.7, or cannot be read**: it alone is left out, and its status says why.
//! - **Others write the same object**: every write is made against the version that was read. What is another's stays.
//!
//! # Cost
//!
//! Of 5,000 HTTPRoutes of two rules, each with its hostname, from the answer to a Route's creation until a request is answered by its
//! backend, and until its status is heard of by a watch (`cargo bench -p gateway-examples --bench propagation -- 5000`; in November 2026,
//! on two cores with etcd, kube-apiserver and clients on them, and nothing else):
//!
//! | Routes | served, p50 | p99 | status, p50 | p99 |
//! | --- | --- | --- | --- | --- |
//! | one after a pause, beside 100 or 4,900 | 0.5 ms, 0.7 ms | 6.5 ms, 3.7 ms | 59 ms, 57 ms | 87 ms, 63 ms |
//! | one at once after the other, beside none or 4,800 | 3.8 ms, 4.8 ms | 20 ms, 13 ms | 57 ms, 61 ms | 118 ms, 472 ms |
//! | 4,600, of them 16 at a time on their way | 19 ms | 89 ms | 118 ms | 360 ms |
//!
//! The whole gateway took 47 to 55 MiB with all of them (20 MiB with none), 2.1 s of CPU for the 4,600, and a write of a status for each
//! Route, with 71 for the Gateway. One change takes the controller 2.8 ms of CPU with 10 Routes, 3.1 with 5,000, with the request that
//! makes it (`cargo bench -p gateway-kube --bench large_cluster -- 5000`).
//!
//! [gateway-api-bench](https://github.com/howardjohn/gateway-api-bench) has 10 to 30 ms until served for agentgateway with its control plane,
//! one Route at once after the other, 3,000 in all. That is the second row here, but for what differs: sixteen cores and 96 GB there, Routes
//! with filters, two processes and xDS between them. Here a change that follows a table waits 10 ms at most
//! ([`debounce`](controller::ControllerOptions::debounce)), and a status 50 ms ([`settle`](controller::ControllerOptions::settle)).
//!
//! # Rights
//!
//! | group | resources | verbs |
//! | --- | --- | --- |
//! | (core) | `namespaces` `services` | list watch |
//! | (core) | `secrets` `configmaps` | list watch, by name if a role names them |
//! | (core) | `pods`, for [`workloads`], and in namespaces with an XBackend that selects some | list watch |
//! | `certificates.k8s.io` | `clustertrustbundles` | list watch, by name |
//! | `discovery.k8s.io` | `endpointslices` | list watch |
//! | `multicluster.x-k8s.io` | `serviceimports` | list watch |
//! | (core), `discovery.k8s.io` | `services`, `endpointslices`, for [`infrastructure`] | get create patch |
//! | `gateway.networking.k8s.io` | `gatewayclasses` | list watch get patch |
//! | `gateway.networking.k8s.io` | `gateways` `listenersets` `httproutes` `grpcroutes` `tlsroutes` `tcproutes` `udproutes` `backendtlspolicies` | list watch get |
//! | `gateway.networking.x-k8s.io` | `xbackends` `xbackendtrafficpolicies` `xtelemetrypolicies` | list watch get |
//! | `gateway.networking.k8s.io` | `referencegrants` | list watch |
//! | `gateway.networking.k8s.io` | `gatewayclasses/status` `gateways/status` and so on for each kind with a status | patch |
//! | that of each kind of your own | its plural | list watch |
//! | `apiextensions.k8s.io` | `customresourcedefinitions` (their metadata) | list watch |
//! | `events.k8s.io` | `events` | create patch |
//! | `coordination.k8s.io` | `leases`, in the Lease's namespace | get create update |
//!
//! # Limits
//!
//! - Each Secret and ConfigMap that is asked for takes a watch, and so a connection, of its own. Hundreds are fine; there are
//!   [so many](watch::WatchOptions::max_lookups) at most, shared out over namespaces.
//! - A write of a list in a status (the parents of a Route, conditions) has what v1.7 knows of its entries: a field of a later
//!   version in another controller's entry is lost. A status that cannot be read at all is not written.
//! - Statuses are written when the replica that holds the Lease has taken the table into use; other replicas may be some
//!   milliseconds behind, and what they could not bind is not said.
//! - While one kind cannot be read for another reason than that it is missing or forbidden, there is no first table.
//!
//! # Features
//! - `latest`, on by default: `k8s-openapi` takes the newest version of Kubernetes that it knows. A program that chooses a version itself
//!   goes without it.
//! - `metrics`, on by default: [`metrics`].
//!
//! TLS to the API server is rustls with ring.
//!
//! # Versions
//! Rust 1.89 or later; definitions of Gateway API v1.6 and v1.7, of either channel. Until 1.0, a minor version may change the API.

// Listed in order: each imports only what stands before it.
mod former_field;
mod object;
mod error;
pub mod observe;
#[cfg(feature = "metrics")]
pub mod metrics;
pub mod watch;
pub mod store;
pub mod status;
pub mod infrastructure;
pub mod definitions;
pub mod addresses;
pub mod workloads;
pub mod address_pool;
pub mod lease;
mod turns;
pub mod controller;

pub use error::Error;
pub use kube;
pub use object::{Object, Stored, StoredStatus, Unreadable, api_resource};

/// The examples in the README are examples of this crate, and compiled as such.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
