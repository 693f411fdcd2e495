//! Gateway API routing decisions carried out with tower.
//!
//! [`Gateway`] is the whole as one service over any client; each of its layers can be used alone.
//!
//! # Logging and its cost
//! Events are those of the `tracing` crate. The libraries of HTTP/2 underneath open a span for every frame and every stream,
//! at the level TRACE: a subscriber that does not say up to which level it listens has all of them made, at a cost as high
//! as that of the requests themselves. A filter made of a function (`filter_fn`, `dynamic_filter_fn`) does not say so
//! unless it is told to with `with_max_level_hint`; `EnvFilter`, `Targets` and `LevelFilter` do. With filters for each
//! layer of a subscriber, the highest level of all counts. Whether it is as meant,
//! `tracing::level_filters::LevelFilter::current()` tells once the subscriber is in place; the features
//! `release_max_level_*` of `tracing` take the choice away from whoever runs the program.
//!
//! # Features
//! The layers need none of these; each is there by default, but for `trace` and `otlp`.
//!
//! - `server`: [`serve`], sockets that follow the table.
//! - `client`: [`upstream`], the client with its pools.
//! - `tunnel`: [`tunnel::TunnelLayer`](tunnel), WebSockets over a client of one's own; part of `server` and of `client`.
//! - `tls`: the server terminates TLS, and client and server speak it with backends, by rustls with a `CryptoProvider` that the
//!   program names; none comes with this crate.
//! - `metrics`: [`metrics`], requests, attempts, mirrors, connections, handshakes and certificates for Prometheus.
//! - `trace`: `trace`, spans of requests and attempts for OpenTelemetry.
//! - `otlp`: `otlp`, the spans that XTelemetryPolicies ask for, sent to their providers.
//! - `hyper-util`: [`ConnectError::is`] knows the errors of the client of `hyper-util`.
//! - `fuzzing`, which is not there by default: what the fuzz targets of this project need. No promise is kept about it.
//!
//! Modules are listed in order: each imports only what stands before it.

pub mod handle;
pub mod connection;
pub mod routed;
pub mod body;
pub mod client;
#[cfg(any(feature = "client", feature = "server"))]
mod connect;
pub mod outcome;
pub mod observe;
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

pub use self::body::{BoxError, RequestBody, ResponseBody};
pub use self::client::{ConnectError, NotProcessed, UpstreamTarget};
pub use self::connection::Connection;
pub use self::gateway::{Gateway, GatewayBuilder};
pub use self::handle::TableHandle;
pub use self::outcome::{AnsweredBy, CustomRefusal, GrpcCode, Outcome, Refusal, Refused};
pub use self::routed::Routed;
