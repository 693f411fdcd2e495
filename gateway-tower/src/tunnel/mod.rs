//! Upgraded connections: the client's and the backend's, joined when a backend switches protocols, as for a WebSocket.
//!
//! From then on the two are passed on byte for byte, and no rule, filter or timeout has a part in it. Our own
//! [client](crate::upstream) joins them by itself. Around any other client, a [`TunnelLayer`] does, if both it and the
//! server leave the upgraded connections in extensions, as those of hyper do. A server of hyper's own has to be told to
//! serve a connection `with_upgrades`; on one of [ours](crate::serve), a tunnel counts among the connections and ends with
//! the listener.
//!
//! A request whose connection cannot be upgraded, over HTTP/2 or since it has a body, goes on without the wish.
//!
//! The surprising case: a 101 that is joined with nothing is no answer. hyper would write it to the client and close the
//! connection after it; the gateway says 502 and names this module in its log. A client that joins the two in its own way
//! says so with [`Joined`].
//!
#![cfg_attr(feature = "tunnel", doc = "```")]
#![cfg_attr(not(feature = "tunnel"), doc = "```ignore")]
//! use bytes::Bytes;
//! # use gateway_core::table::RouteTable;
//! use gateway_tower::tunnel::{TunnelLayer, TunnelOptions};
//! use gateway_tower::{Gateway, RequestBody, TableHandle};
//! use http_body_util::Full;
//! use hyper_util::client::legacy::Client;
//! use hyper_util::rt::TokioExecutor;
//! use tower::Layer;
//!
//! # let tables = TableHandle::new(RouteTable::default());
//! let client = Client::builder(TokioExecutor::new()).build_http::<RequestBody<Full<Bytes>>>();
//! let options = TunnelOptions { idle: None, ..TunnelOptions::default() };
//! let gateway = Gateway::new(tables, TunnelLayer::new(options).layer(client));
//! # fn is_service<S: tower::Service<http::Request<Full<Bytes>>>>(_: S) {}
//! # is_service(gateway);
//! ```
//!
//! # Spec
//! BPR-07, MSG-07; RFC 9110 section 7.8.

mod joined;
#[cfg(feature = "tunnel")]
mod options;
#[cfg(feature = "tunnel")]
mod copy;
#[cfg(feature = "tunnel")]
mod client_end;
#[cfg(feature = "tunnel")]
mod join;
#[cfg(feature = "tunnel")]
mod layer;

#[cfg(feature = "client")]
pub(crate) use self::client_end::ClientEnd;
#[cfg(feature = "server")]
pub(crate) use self::copy::{Ended, Passed, Side, copy};
#[cfg(feature = "client")]
pub(crate) use self::join::join;
pub use self::joined::Joined;
#[cfg(feature = "tunnel")]
pub use self::layer::{Tunnel, TunnelFuture, TunnelLayer};
#[cfg(feature = "tunnel")]
pub use self::options::TunnelOptions;
