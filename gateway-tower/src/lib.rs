//! Gateway API routing decisions carried out with tower: a layer for each part of a decision, a client, a server, and a gateway made of
//! all of them.
//!
//! [`gateway_core`] says what becomes of a request; this crate does it. The shortest useful program serves a manifest:
//!
//! ```
//! # #[cfg(not(all(feature = "server", feature = "client")))] fn main() {}
//! # #[cfg(all(feature = "server", feature = "client"))]
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::net::Ipv4Addr;
//! use std::time::Duration;
//!
//! use gateway_core::apply::Applied;
//! use gateway_core::name::ObjectName;
//! use gateway_core::options::Options;
//! use gateway_tower::serve::{Addresses, ServeOptions, Server};
//! use gateway_tower::upstream::Upstream;
//! use gateway_tower::{Gateway, TableHandle};
//!
//! let text = "
//! apiVersion: gateway.networking.k8s.io/v1
//! kind: Gateway
//! metadata: {name: web}
//! spec: {gatewayClassName: any, listeners: [{name: http, port: 80, protocol: HTTP}]}
//! ---
//! apiVersion: gateway.networking.k8s.io/v1
//! kind: HTTPRoute
//! metadata: {name: moved}
//! spec:
//!   parentRefs: [{name: web}]
//!   rules: [{filters: [{type: RequestRedirect, requestRedirect: {hostname: example.com, statusCode: 301}}]}]
//! ";
//! let applied = Applied::from_text(text, "moved.yaml", Options::standalone());
//! // What cannot be read, what is invalid, what is not served, and what statuses would say.
//! assert!(applied.problems.is_empty(), "{:?}", applied.problems);
//!
//! let tables = TableHandle::new(applied.table);
//! let gateway = Gateway::new(tables.clone(), Upstream::default());
//! // On all addresses: `Addresses::default()`. Here, on any free port of this machine.
//! let mut addresses = Addresses::all_on(Ipv4Addr::LOCALHOST.into());
//! addresses.ports.insert(80, 0);
//! let services = move |connection| gateway.clone().on(connection);
//! let server = Server::start(&tables, addresses, ServeOptions::default(), services).await?;
//! # let address = server.sockets().borrow().address(&ObjectName::new("default", "web"), 80).expect("it is bound");
//! # use tokio::io::{AsyncReadExt, AsyncWriteExt};
//! # let mut client = tokio::net::TcpStream::connect(address).await?;
//! # client.write_all(b"GET /cart HTTP/1.1\r\nhost: old.example\r\nconnection: close\r\n\r\n").await?;
//! # let mut answer = String::new();
//! # client.read_to_string(&mut answer).await?;
//!
//! // `curl -i http://old.example/cart`
//! assert!(answer.starts_with("HTTP/1.1 301 ") && answer.contains("location: http://example.com/cart\r\n"), "{answer}");
//! server.drain(Duration::from_secs(10)).await;
//! # Ok(()) }
//! ```
//!
//! # The map
//! | you have, or want | look at |
//! | --- | --- |
//! | a whole gateway | [`Gateway`], over any client; `serve::Server` before it, `upstream::Upstream` behind it |
//! | a new table | [`TableHandle::store`]: requests under way keep the old one |
//! | manifests in files, followed | `source` |
//! | layers of your own | [the three places for them](gateway#layers-of-ones-own) |
//! | a filter of your own that waits for something | [`filter`] |
//! | layers from elsewhere, tower-http's for example | [`adapt`] |
//! | only some of the layers | [`manual::layers`] |
//! | your own choice of endpoints | [`balance`] |
//! | your own client, WebSockets included | [`client`], [`tunnel`] |
//! | handlers of a web framework behind Gateway API routes | [`route`] |
//! | why a request was answered as it was | [`outcome::Outcome`], in the extensions of the answer |
//! | a line for each request | [`access_log`] |
//! | metrics, traces | [`observe`] and what is made of it |
//! | a mesh | `serve::MeshServer` |
//! | backends outside the cluster | [`names`]: look-ups beside the requests |
//! | to operate it: limits, draining, logs | [`manual::operating`] |
//!
//! # Features
//! The layers need none of these; each is there by default, but for `source`, `trace` and `otlp`.
//!
//! - `server`: `serve`, sockets that follow the table.
//! - `client`: `upstream`, the client with its pools.
//! - `tunnel`: [`tunnel::TunnelLayer`](tunnel), WebSockets over a client of one's own; part of `server` and of `client`.
//! - `tls`: the server terminates TLS, and client and server speak it with backends, by rustls with a `CryptoProvider` that the
//!   program names; none comes with this crate.
//! - `metrics`: `metrics`, requests, attempts, mirrors, connections, handshakes and certificates for Prometheus.
//! - `trace`: `trace`, spans of requests and attempts for OpenTelemetry.
//! - `otlp`: `otlp`, the spans that XTelemetryPolicies ask for, sent to their providers.
//! - `source`: `source`, manifests in files, each object with its last good version, and statuses in a file.
//! - `hyper-util`: [`client::ConnectError::is`] knows the errors of the client of `hyper-util`.
//! - `fuzzing`, which is not there by default: what the fuzz targets of this project need. No promise is kept about it.
//!
//! # Limits
//! - HTTP/1.1 and HTTP/2, WebSockets, gRPC, TLS, TCP and UDP. No HTTP/3, and no forward proxy: `CONNECT` gets 501.
//! - It runs on tokio.
//! - What a client, a backend or a tenant can make grow is [bounded](manual::operating#what-is-limited).
//! - Endpoints are those of the table; there are no active health checks.
//!
//! # Versions
//! Rust 1.89 or later. Until 1.0, a minor version may change the API.

// Listed in order: each imports only what stands before it.
mod span;
mod handle;
mod connection;
mod routed;
mod body;
pub mod client;
#[cfg(any(feature = "client", feature = "server"))]
mod connect;
pub mod names;
pub mod outcome;
pub mod observe;
pub mod access_log;
pub mod adapt;
pub mod filter;
pub mod respond;
mod upgrade;
#[cfg(feature = "tunnel")]
#[cfg_attr(not(feature = "server"), allow(dead_code, reason = "a tunnel uses a part of it"))]
mod drain;
pub mod tunnel;
pub mod recover;
pub mod balance;
mod errand;
pub mod authorize;
pub mod route;
pub mod dispatch;
pub mod timeouts;
pub mod mirror;
pub mod retry;
pub mod gateway;
#[cfg(feature = "metrics")]
pub mod metrics;
#[cfg(feature = "trace")]
pub mod trace;
#[cfg(feature = "otlp")]
pub mod otlp;
#[cfg(feature = "client")]
pub mod upstream;
#[cfg(feature = "server")]
pub mod serve;
#[cfg(feature = "source")]
pub mod source;
pub mod manual;

pub use self::body::{BoxError, RequestBody, ResponseBody};
pub use self::connection::Connection;
pub use self::gateway::service::Gateway;
pub use self::handle::TableHandle;
pub use self::routed::Routed;

/// The examples in the README are examples of this crate, and compiled as such.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
