//! The client: takes requests to the endpoints that were chosen for them.
//!
//! [`Upstream`] is the innermost service of a gateway. It reads the [`UpstreamTarget`](crate::client::UpstreamTarget) of a
//! request, takes a connection to that endpoint out of its pool or makes one, and speaks HTTP/1.1 or, to backends of
//! `kubernetes.io/h2c` and for calls of gRPC, HTTP/2. Clones share their connections, and connections belong to endpoints: neither
//! to rules nor to tables. A new table costs no connection, and a hundred rules for one Service use the same few.
//!
//! - The Host header is never changed; over HTTP/2 it becomes `:authority`.
//! - Where the backend has [TLS](gateway_core::rule::Backend::tls), nothing is sent before the endpoint has shown a certificate that one of the
//!   authorities signed and that has one of the names; HTTP/2 is agreed on by ALPN. A connection is used only for what asks for the same
//!   authorities, names, server name and certificate of the Gateway. That needs [`UpstreamOptions::tls`].
//! - A connection that the backend closed while it was idle is found out and replaced. A request is sent again, up to three
//!   times, when the backend cannot have processed anything of it: not one byte was sent, or a backend of HTTP/2 refused
//!   the stream or went away before it. If it cannot be sent again, the error is [`NotProcessed`](crate::client::NotProcessed).
//!   To a backend that refused it, it is a retry, for which its [budget](gateway_core::rule::RetryBudget) must have room. Any other
//!   trying again is up to the rule.
//! - An upgrade, to WebSocket or to anything but HTTP/2, is passed on over HTTP/1.1. When the backend switches, both
//!   connections are [joined](crate::tunnel) until both are closed or nothing was sent for [some time](UpstreamOptions::tunnel).
//!   To a backend of `kubernetes.io/h2c` the request goes without the wish to upgrade.
//! - CONNECT gets 501: a gateway is no way through to anywhere. So does a transfer coding other than `chunked`, since the
//!   backend might read another length out of it. Extended CONNECT (RFC 8441) is not offered to clients.
//! - An endpoint may be a socket of the same process, so that what is sent there comes back. There may be 256 such connections, with those
//!   that a server passes on, and what needs more of them fails.
//! - Nothing here limits how long an answer may take: that is for the timeouts of a rule.
//!
//! # Connections that are shared
//! Over HTTP/2, requests of several clients go over one connection, and none of them must stop the others.
//!
//! - A connection has room for as many bytes as all its requests together may have that are not read yet.
//! - It carries no more requests than the backend allows at that moment; then another one is made. Nothing is sent before
//!   the backend has said how many it allows.
//! - A backend that is silent while it owes answers is asked for a sign of life. A connection over which nothing came while 256
//!   requests were given up is left, with what is held of these.
//! - An answer that is complete ends its request: a body that is still being sent is cut off. That is so over HTTP/1.1 too,
//!   within two sweeps over the idle connections.
//!
//! The surprising case: of a request over HTTP/2, cookies arrive in several lines; a backend of HTTP/1.1 gets them in one.
//!
//! Its own pools, rather than those of the client in hyper-util, because that one names a connection by the
//! authority of the URI, which over HTTP/2 is what the backend sees as its host. They are also faster.
//!
//! ```
//! use std::net::SocketAddr;
//! use gateway_core::name::ObjectName;
//! use gateway_core::rule::{Backend, BackendProtocol, Endpoint};
//! use gateway_tower::upstream::Upstream;
//! use gateway_tower::client::{ConnectError, UpstreamTarget};
//! use http::Request;
//! use http_body_util::Empty;
//! use hyper::body::Bytes;
//! use tower::ServiceExt;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Within a gateway, the balance layer says where a request goes.
//! let closed: SocketAddr = tokio::net::TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
//! let service = ObjectName::new("default", "shop");
//! let backend = Backend { service, port: 80, protocol: BackendProtocol::Http1, ..Backend::default() };
//! let target = UpstreamTarget::new(Endpoint::new(closed), backend);
//! let request = Request::get("/cart").header("host", "example.com").extension(target);
//!
//! let error = Upstream::default().oneshot(request.body(Empty::<Bytes>::new())?).await.unwrap_err();
//! assert!(ConnectError::is(&error), "nothing was sent");
//! # Ok(()) }
//! ```
//!
//! # Spec
//! [BPR-04](gateway_core::spec#BPR-04), [BPR-07](gateway_core::spec#BPR-07), [FRW-08](gateway_core::spec#FRW-08);
//! [BTP-01](gateway_core::spec#BTP-01), [BTP-14](gateway_core::spec#BTP-14), [BTP-16](gateway_core::spec#BTP-16) to
//! [BTP-19](gateway_core::spec#BTP-19), [BTP-26](gateway_core::spec#BTP-26); [GWB-01](gateway_core::spec#GWB-01).

mod error;
mod options;
mod pace;
mod stream;
mod http1;
mod http1_connection;
mod http1_pool;
mod http2;
mod http2_readers;
mod http2_connection;
mod http2_pool;
mod http2_upload;
mod http2_unsent;
mod http2_untaken;
mod http2_body;
mod http2_exchange;
mod body;
mod service;

#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub use crate::connect::in_place_of_sockets::connect_by;

pub use self::body::UpstreamBody;
pub use self::error::UpstreamError;
pub use self::options::UpstreamOptions;
pub use self::service::{Upstream, UpstreamFuture};
