//! The sockets of a mesh, which do not depend on the table.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::client_room::ClientRoom;
use super::connections::MeshConnections;
use super::options::MeshOptions;
use crate::drain::{Connections, Patience, Phase};
use crate::handle::TableHandle;
use crate::serve::http::ConnectionService;
use crate::serve::options::ServeOptions;
use crate::serve::server::{Drained, SWEEP, finish};
use crate::serve::sockets::{Listener, room};

/// A running server of a mesh. Dropping it closes all sockets and connections at once; [`drain`](Self::drain) is the gentle way.
#[derive(Debug)]
#[must_use = "a server that is dropped closes all its sockets"]
pub struct MeshServer {
    orders: mpsc::UnboundedSender<Order>,
    addresses: Vec<SocketAddr>,
}

#[derive(Debug)]
enum Order {
    WindDown,
    Drain(Duration, oneshot::Sender<Drained>),
}

// === impl MeshServer ===

impl MeshServer {
    /// Takes connections at these addresses, and decides about them by the table in use; those that some Route is for get a service from
    /// `services`, as in [`Server::start`](crate::serve::Server::start). TLS, the PROXY header and datagrams of the options are for
    /// Gateways.
    ///
    /// # Errors
    /// When one of the addresses cannot be bound.
    ///
    /// # Panics
    /// Outside of a tokio runtime with I/O and time.
    pub fn start(
        tables: &TableHandle,
        addresses: &[SocketAddr],
        options: ServeOptions,
        mesh: MeshOptions,
        services: impl ConnectionService,
    ) -> io::Result<Self> {
        let in_all = room(options.max_connections_in_all);
        let of_clients = ClientRoom::new(mesh.max_connections_of_client);
        let bind = |address: &SocketAddr| {
            let (mesh, room) = (mesh.clone(), Arc::clone(&of_clients));
            let serving = MeshConnections::new(tables.clone(), mesh, room, &options, services.clone());
            let observer =
                options.observer.as_ref().and_then(|observer| observer.mesh_socket(address.port()));
            let bound = Listener::bind(*address, &options, in_all.clone(), observer, serving);
            bound.map_err(|error| io::Error::new(error.kind(), format!("{address}: {error}")))
        };
        let listeners = addresses.iter().map(bind).collect::<io::Result<Vec<_>>>()?;
        let addresses = listeners.iter().map(|listener| listener.local).collect();
        let (orders, received) = mpsc::unbounded_channel();
        tokio::spawn(supervise(listeners, options.patience(), received));
        Ok(Self { orders, addresses })
    }

    /// Where it takes connections, in the order in which the addresses were given.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Asks clients to come anew, while all of them are still served; see [`Server::wind_down`](crate::serve::Server::wind_down).
    pub fn wind_down(&self) {
        // Fails only when the server has ended with its runtime.
        let _ = self.orders.send(Order::WindDown);
    }

    /// Closes all sockets, and waits until the connections have finished what they have begun, up to `limit`; then those
    /// that are left are closed.
    pub async fn drain(self, limit: Duration) -> Drained {
        let (done, drained) = oneshot::channel();
        let _ = self.orders.send(Order::Drain(limit, done));
        // Fails only when the runtime ends, and all connections with it.
        drained.await.unwrap_or(Drained { cut: 0 })
    }
}

async fn supervise(listeners: Vec<Listener>, patience: Patience, mut orders: mpsc::UnboundedReceiver<Order>) {
    let mut sweep = interval(SWEEP);
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut swept = Instant::now();
    let drain = loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(Order::WindDown) => {
                    listeners.iter().for_each(|listener| listener.connections.advance(Phase::WindingDown));
                }
                Some(Order::Drain(limit, done)) => break Some((limit, done)),
                None => break None,
            },
            _ = sweep.tick() => {
                listeners.iter().for_each(|listener| listener.connections.sweep(swept.elapsed(), patience));
                swept = Instant::now();
            }
        }
    };
    let mut open: Vec<Connections> = Vec::with_capacity(listeners.len());
    for listener in listeners {
        open.push(listener.unbind().await);
    }
    match drain {
        Some((limit, done)) => {
            let drained = finish(&open, limit).await;
            tracing::info!(cut = drained.cut, "the mesh has drained");
            let _ = done.send(drained);
        }
        None => open.iter().for_each(|connections| connections.advance(Phase::Closed)),
    }
}
