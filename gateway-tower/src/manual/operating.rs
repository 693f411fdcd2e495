//! Operating a gateway: limits, its end, what it tells of itself, and what may be missing.
//!
//! The program `gateway` of this repository does all of this, and has an argument for most of it; here is what an embedder does.
//!
//! # What is limited
//! Whatever a client, a backend or a tenant can make grow has a limit, which is a field with its reason or a constant with its name.
//!
//! | what | where | when it is reached |
//! | --- | --- | --- |
//! | connections, sockets, heads, times, buffers of clients | `serve::ServeOptions` | clients wait; a longer head gets 431; a connection on which nothing moves is closed |
//! | connections to an endpoint, answers' heads, times | `upstream::UpstreamOptions` | a request waits, or gets 502 or 503 |
//! | datagrams and their flows; streams | `serve::DatagramOptions`, `serve::StreamOptions` | a new flow takes the place of one whose client never answered, or is dropped; a connection waits |
//! | tunnels | [`tunnel::TunnelOptions`](crate::tunnel::TunnelOptions) | a quiet one is closed |
//! | names outside the cluster, and what they lead to | [`names::NameOptions`](crate::names::NameOptions) | a name is not looked up; its requests get 503 |
//! | copies for mirrors | [`mirror::MAX_MIRRORS`](crate::mirror::MAX_MIRRORS) | a copy is given up; the request goes on |
//! | bodies that authorization services are sent | [`authorize::MAX_HELD`](crate::authorize::MAX_HELD) | 503 |
//! | bodies that are kept for retries | 64 KiB each | the request is tried once |
//!
//! # File descriptors
//! A connection of a client takes one, and so does one to a backend. Where clients could take all, those who are served get none to their
//! backends. `ServeOptions::max_connections_in_all` well below what the process may open keeps them apart, and `ServeOptions::max_sockets` does so
//! for tenants, who can ask for a port with each listener.
//!
//! # Its end
//! `Server::wind_down` asks clients to go elsewhere while all are served; it is for the time in which whatever sends clients learns that this
//! replica ends. `Server::drain` closes the sockets and waits for what was begun. A port that goes with a new table drains alone, for
//! `ServeOptions::drain_timeout`.
//!
//! ```
//! # #[cfg(all(feature = "server", feature = "client"))] mod shown {
//! use std::time::Duration;
//! use gateway_tower::serve::Server;
//!
//! /// Returns how many connections were cut off.
//! pub async fn end(server: Server) -> usize {
//!     server.wind_down();
//!     // As long as load balancers take to notice.
//!     tokio::time::sleep(Duration::from_millis(5)).await;
//!     server.drain(Duration::from_secs(10)).await.cut
//! }
//! # }
//! # #[cfg(all(feature = "server", feature = "client"))]
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use std::sync::Arc;
//! # use gateway_core::table::RouteTable;
//! # use gateway_tower::{Connection, Gateway, TableHandle, serve, upstream::Upstream};
//! # let tables = TableHandle::new(RouteTable::default());
//! # let gateway = Gateway::new(tables.clone(), Upstream::default());
//! # let services = move |connection: Arc<Connection>| gateway.clone().on(connection);
//! # let options = serve::ServeOptions::default();
//! # let server = serve::Server::start(&tables, serve::Addresses::default(), options, services).await?;
//! assert_eq!(shown::end(server).await, 0);
//! # Ok(()) }
//! # #[cfg(not(all(feature = "server", feature = "client")))] fn main() {}
//! ```
//!
//! # What is not bound
//! `Server::start` fails with what could not be bound, and the server that runs nevertheless can be taken out of the error. Later,
//! `Server::sockets` says how each stands; what `Sockets::unbound` gives goes into
//! `gateway_core::options::AddressPolicy::unbound` of the next translation, which says so in statuses.
//!
//! # What it tells
//! - [`observe`](crate::observe) is told of requests, attempts, mirrors, connections and streams.
//! - `metrics` counts them for Prometheus, and has alerts to begin with; `trace` makes spans of them.
//! - [`access_log`](crate::access_log) has a line for each request, made of the [`Outcome`](crate::outcome::Outcome) in its answer, and one for
//!   each stream, made of its [`StreamOutcome`](crate::outcome::StreamOutcome): `ServeOptions::stream_observers` takes who writes it, and
//!   the metrics that count it.
//! - [`TableHandle::load`](crate::TableHandle::load) has the table in use, which
//!   [`explain`](gateway_core::table::RouteTable::explain)s any request.
//!
//! # Logging and its cost
//! Events are those of the `tracing` crate. The libraries of HTTP/2 underneath open a span for every frame and every stream,
//! at the level TRACE: a subscriber that does not say up to which level it listens has all of them made, at a cost as high
//! as that of the requests themselves. A filter made of a function (`filter_fn`, `dynamic_filter_fn`) does not say so
//! unless it is told to with `with_max_level_hint`; `EnvFilter`, `Targets` and `LevelFilter` do. With filters for each
//! layer of a subscriber, the highest level of all counts. Whether it is as meant,
//! `tracing::level_filters::LevelFilter::current()` tells once the subscriber is in place; the features
//! `release_max_level_*` of `tracing` take the choice away from the operator.
