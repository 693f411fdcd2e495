//! Sockets of a server, their connections and handshakes.

use std::fmt;
use std::sync::Arc;

use gateway_core::name::ObjectName;
use gateway_core::table::Transport;

/// Is told of the sockets of a server.
pub trait ObserveSockets: fmt::Debug + Send + Sync + 'static {
    /// A socket is bound for this port of this Gateway; its connections are told to what this gives. Asked once a socket,
    /// so that nothing has to be found for each connection.
    fn socket(&self, gateway: &ObjectName, transport: Transport, port: u16) -> Arc<dyn ObserveConnections>;

    /// A socket of a mesh is to be bound at this port, as the server was told it; its connections are told to what this gives, if to
    /// anything.
    fn mesh_socket(&self, port: u16) -> Option<Arc<dyn ObserveConnections>> {
        let _ = port;
        None
    }
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
