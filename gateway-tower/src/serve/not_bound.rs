//! A server that started, and does not serve everything.

use std::fmt;

use super::sockets::Sockets;

/// Not everything in the table can be served. The server runs: what could be bound is served, and the rest tried again, for
/// as long as this is kept or [`into_server`](Self::into_server) is.
///
/// ```
/// use std::net::Ipv4Addr;
/// use std::sync::Arc;
/// use gateway_core::name::ObjectName;
/// use gateway_core::table::{Listener, ListenerProtocol, RouteTable};
/// use gateway_tower::serve::{Addresses, ServeOptions, Server};
/// use gateway_tower::upstream::Upstream;
/// use gateway_tower::{Connection, Gateway, TableHandle};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
/// let other = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
/// let name = ObjectName::new("default", "gateway");
/// let mut table = RouteTable::builder(1);
/// table.listener(Listener::new(name.clone(), "http", other.local_addr()?.port(), ListenerProtocol::Http));
/// let tables = TableHandle::new(table.build());
/// let gateway = Gateway::new(tables.clone(), Upstream::default());
/// let services = move |connection: Arc<Connection>| gateway.clone().on(connection);
/// let addresses = Addresses::all_on(Ipv4Addr::LOCALHOST.into());
/// let error = Server::start(&tables, addresses, ServeOptions::default(), services).await.unwrap_err();
/// assert!(error.to_string().starts_with("not everything is served: port "));
/// let _server = error.into_server();
/// # Ok(()) }
/// ```
pub struct NotBound<S> {
    server: S,
    sockets: Sockets,
}

// === impl NotBound ===

impl<S> NotBound<S> {
    pub(super) fn new(server: S, sockets: Sockets) -> Self {
        Self { server, sockets }
    }

    /// How the sockets stand.
    pub fn sockets(&self) -> &Sockets {
        &self.sockets
    }

    /// The server, for a program that goes on with what can be served.
    pub fn into_server(self) -> S {
        self.server
    }
}

impl<S> fmt::Display for NotBound<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unbound = self.sockets.unbound();
        let unbound = unbound.iter().map(ToString::to_string);
        let certificates = self.sockets.certificates.iter().map(ToString::to_string);
        write!(f, "not everything is served: {}", unbound.chain(certificates).collect::<Vec<_>>().join("; "))
    }
}

/// The same text: it is what a program shows whose `main` returns the error.
impl<S> fmt::Debug for NotBound<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<S> std::error::Error for NotBound<S> {}
