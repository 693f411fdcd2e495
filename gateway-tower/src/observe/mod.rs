//! Observers of layers and servers: of requests and attempts, of copies for mirrors, of connections, handshakes and
//! streams.
//!
//! | who is told | of | by |
//! | --- | --- | --- |
//! | [`ObserveRequests`] | each request of a connection, from its head to the end of its answer | a [layer](RequestsLayer) around the whole gateway |
//! | [`ObserveAttempts`] | each attempt at a backend | a layer [for each](crate::gateway::GatewayBuilder::observe_attempts) |
//! | [`ObserveMirrors`] | each copy for a mirror | the [gateway](crate::gateway::GatewayBuilder::observe_mirrors) |
//! | [`ObserveSockets`] | sockets, connections and handshakes | a server, in its options |
//! | [`ObserveStreams`] | each connection that is passed on as it comes, and each flow of datagrams | a server, in its options |
//!
//! It costs a call. With the feature `metrics`, [`Metrics`](crate::metrics) is told of all of it, and with `trace`, spans are made of
//! requests and attempts; a program with another library for metrics, or a log of requests, does so itself.
//!
//! ```
//! use std::sync::Arc;
//! use std::sync::atomic::{AtomicU64, Ordering};
//! use gateway_core::name::ObjectName;
//! use gateway_core::table::Transport;
//! use gateway_tower::observe::{ObserveConnections, ObserveSockets};
//!
//! /// Counts the connections of all sockets together.
//! #[derive(Clone, Debug, Default)]
//! struct Accepted(Arc<AtomicU64>);
//!
//! impl ObserveSockets for Accepted {
//!     fn socket(&self, _: &ObjectName, _: Transport, _: u16) -> Arc<dyn ObserveConnections> {
//!         Arc::new(self.clone())
//!     }
//! }
//!
//! impl ObserveConnections for Accepted {
//!     fn accepted(&self) {
//!         self.0.fetch_add(1, Ordering::Relaxed);
//!     }
//! }
//!
//! let accepted = Accepted::default();
//! // To be given to a server, as `ServeOptions::observer`.
//! let socket = accepted.socket(&ObjectName::new("default", "gateway"), Transport::Tcp, 80);
//! socket.accepted();
//! socket.closed();
//! assert_eq!(accepted.0.load(Ordering::Relaxed), 1);
//! ```

mod mirrors;
mod sockets;
mod streams;
mod requests;
mod attempts;

pub use self::attempts::{Attempts, AttemptsFuture, AttemptsLayer, ObserveAttempt, ObserveAttempts};
pub use self::mirrors::{Copied, ObserveMirrors};
pub use self::requests::{
    ObserveRequest, ObserveRequests, Requests, RequestsBody, RequestsFuture, RequestsLayer,
};
pub use self::sockets::{ConnectionRefusal, Handshake, ObserveConnections, ObserveSockets};
pub use self::streams::ObserveStreams;
