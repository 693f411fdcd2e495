//! A bound socket, and the loop that accepts from it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gateway_core::table::Transport;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::connect::{OwnSocket, TakenFrom};
use crate::drain::{Connections, Member};
use crate::observe::{ConnectionRefusal, ObserveConnections};
use crate::serve::options::ServeOptions;

/// The first pause after accepting failed for want of something, usually file descriptors; it doubles up to
/// [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// See [`FIRST_PAUSE`].
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A bound socket and its connections, or its flows of datagrams.
#[derive(Debug)]
pub(in crate::serve) struct Listener {
    pub(in crate::serve) local: SocketAddr,
    pub(in crate::serve) connections: Connections,
    accepting: JoinHandle<()>,
    own: OwnSocket,
}

/// What is done with the connections of a socket.
pub(in crate::serve) trait Accept: Send + 'static {
    /// Whose they are.
    const TAKEN_FROM: TakenFrom = TakenFrom::All;

    /// Serves a connection to its end, which sends what is written without delay. `member` is its place among the open ones.
    fn serve(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        member: Member,
    ) -> impl Future<Output = ()> + Send + 'static;
}

// === impl Listener ===

impl Listener {
    /// Binds the socket and starts to accept; `serving` gets the connections, while there is room `in_all`.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub(in crate::serve) fn bind<A: Accept>(
        address: SocketAddr,
        options: &ServeOptions,
        in_all: Arc<Semaphore>,
        observer: Option<Arc<dyn ObserveConnections>>,
        serving: A,
    ) -> io::Result<Self> {
        let listener = socket(address, options)?;
        let local = listener.local_addr()?;
        let own = OwnSocket::new(Transport::Tcp, local, A::TAKEN_FROM);
        let connections = Connections::observed(observer.clone());
        let accepting = tokio::spawn(accept(
            listener,
            connections.clone(),
            observer,
            [room(options.max_connections), in_all],
            serving,
        ));
        Ok(Self { local, connections, accepting, own })
    }

    /// Starts to serve datagrams at what was bound already: `serving` is the whole work, and is ended when the socket is given up.
    pub(in crate::serve) fn serving_datagrams(
        local: SocketAddr,
        observer: Option<Arc<dyn ObserveConnections>>,
        serving: impl FnOnce(Connections) -> JoinHandle<()>,
    ) -> Self {
        let connections = Connections::observed(observer);
        let accepting = serving(connections.clone());
        Self { local, connections, accepting, own: OwnSocket::new(Transport::Udp, local, TakenFrom::All) }
    }

    /// Stops accepting; the socket is closed when this returns. The connections go on.
    pub(in crate::serve) async fn unbind(self) -> Connections {
        self.accepting.abort();
        let _ = self.accepting.await;
        drop(self.own);
        self.connections
    }
}

/// Room for so many connections.
pub(in crate::serve) fn room(connections: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(connections.clamp(1, Semaphore::MAX_PERMITS)))
}

fn socket(address: SocketAddr, options: &ServeOptions) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // Connections of a server that ran before may linger on the port.
    socket.set_reuse_address(true)?;
    if options.reuse_port {
        socket.set_reuse_port(true)?;
    }
    if address.is_ipv6() {
        // So that the IPv4 address beside it can be bound too.
        socket.set_only_v6(true)?;
    }
    // What is accepted has it from here, with no call for each connection.
    socket.set_tcp_nodelay(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(i32::try_from(options.backlog).unwrap_or(i32::MAX))?;
    TcpListener::from_std(socket.into())
}

/// Accepts until it is aborted.
async fn accept(
    listener: TcpListener,
    connections: Connections,
    observer: Option<Arc<dyn ObserveConnections>>,
    [own, in_all]: [Arc<Semaphore>; 2],
    serving: impl Accept,
) {
    let mut pause = FIRST_PAUSE;
    loop {
        let own = Arc::clone(&own).acquire_owned().await.ok();
        match listener.accept().await {
            Ok((stream, peer)) => {
                pause = FIRST_PAUSE;
                // Not before there is a client: a socket without any must keep no room from others.
                let in_all = Arc::clone(&in_all).acquire_owned().await.ok();
                let member = connections.join(own.into_iter().chain(in_all).collect());
                tokio::spawn(serving.serve(stream, peer, member));
            }
            // Only this connection failed.
            Err(error) if is_of_connection(&error) => {}
            Err(error) => {
                if let Some(observer) = &observer {
                    observer.refused(ConnectionRefusal::NotAccepted);
                }
                tracing::warn!(%error, ?pause, "cannot accept connections");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

fn is_of_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[tokio::test]
    async fn what_is_accepted_sends_without_delay() {
        let listener = socket((Ipv4Addr::LOCALHOST, 0).into(), &ServeOptions::default()).unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (accepted, _) = listener.accept().await.unwrap();
        assert!(accepted.nodelay().unwrap());
    }
}
