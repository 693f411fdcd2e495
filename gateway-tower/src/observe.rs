//! What layers and servers tell of what they do besides answering requests: of copies for mirrors, of connections and of
//! handshakes.
//!
//! What becomes of a request, its answer's [`Outcome`](crate::Outcome) says, and of an attempt, a layer
//! [around it](crate::GatewayBuilder::per_attempt) sees. The rest is told to these traits, at the cost of a call: with the
//! feature `metrics`, [`Metrics`](crate::metrics) implements all of them, and a program with another library for metrics
//! does so itself.
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

use std::fmt;
use std::sync::Arc;

use gateway_core::name::ObjectName;
use gateway_core::table::Transport;

use crate::routed::Routed;

/// Is told what becomes of copies of requests.
pub trait ObserveMirrors: fmt::Debug + Send + Sync + 'static {
    /// A copy is sent to its backend, which [`Routed::backend`] is here, or is given up.
    fn copied(&self, routed: &Routed, copy: Copied);
}

/// What becomes of a copy of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Copied {
    /// It is sent.
    Sent,
    /// It is not: too many are under way, or there is no runtime to send it in.
    Dropped,
}

/// Is told of the sockets of a server.
pub trait ObserveSockets: fmt::Debug + Send + Sync + 'static {
    /// A socket is bound for this port of this Gateway; its connections are told to what this gives. Asked once a socket,
    /// so that nothing has to be found for each connection.
    fn socket(&self, gateway: &ObjectName, transport: Transport, port: u16) -> Arc<dyn ObserveConnections>;
}

/// Is told of the connections of a socket. What is not implemented is not counted.
pub trait ObserveConnections: fmt::Debug + Send + Sync + 'static {
    /// A connection was taken in; the end of it is told by [`closed`](Self::closed).
    fn accepted(&self) {}

    /// A connection that was taken in is gone, tunnels included.
    fn closed(&self) {}

    /// A connection was not served.
    fn refused(&self, refusal: ConnectionRefusal) {
        let _ = refusal;
    }

    /// A TLS handshake came to an end.
    fn handshake(&self, handshake: Handshake) {
        let _ = handshake;
    }
}

/// Why a connection is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectionRefusal {
    /// It could not be accepted, in most cases for want of file descriptors. It waits, and is tried again.
    NotAccepted,
}

/// How a TLS handshake ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Handshake {
    /// The connection is secure.
    Completed,
    /// No listener with a certificate takes the server name.
    NoListener,
    /// The client broke it off, or the two have nothing in common.
    Failed,
    /// It took too long.
    TimedOut,
}
