//! The server: sockets bound and unbound as the table changes, and the connections that come in on them.
//!
//! A [`Server`] follows a [`TableHandle`](crate::TableHandle). For each port of each Gateway in the table it binds the
//! [`Addresses`] of that Gateway; when a port goes, its socket is closed and its connections finish what they have begun,
//! while all others go on. A socket that cannot be bound is an error when the server starts; later it is tried again, and
//! hinders no other, and [`Server::sockets`] says how they stand. A socket that serves is never given up for one that could be
//! bound in its place.
//!
//! - Without TLS, a connection speaks HTTP/1.1, or HTTP/2 if it starts with that protocol's preface.
//! - With TLS, for which [`ServeOptions::tls`] names the cryptography, the listener and its certificate are chosen by the server name, in the table in use at that moment; the
//!   protocol is agreed on by ALPN, HTTP/2 before HTTP/1.1. A server name that no listener serves, or none where no listener
//!   does without, ends the handshake. Connections outlive a change of certificates. Where the listener asks for certificates
//!   of clients, the handshake fails without a valid one, unless any will do, and sessions are not resumed.
//! - Where a listener is for TLSRoutes or TCPRoutes, a connection is passed on as it comes: after the handshake where TLS is
//!   terminated, and with its ClientHello where it is not. One that goes nowhere is reset. Each side may close by itself; when one
//!   is reset, so is the other.
//! - Where it is for UDPRoutes, what comes from one port of a client is a flow, which goes to one endpoint from a port of its own,
//!   and back. A flow begins with a datagram of a client only, and there is [room](DatagramOptions) for so many.
//! - Every connection for requests gets a service of its own, made with what is known about it, for example
//!   `move |connection| gateway.clone().on(connection)`.
//! - When a server [drains](Server::drain) or a port goes, answers under way are finished, HTTP/1.1 connections close
//!   after them, HTTP/2 clients are told to go, and tunnels stay until the time is up.
//!
//! | within | there is | it does not know |
//! | --- | --- | --- |
//! | `options` | what is limited | |
//! | `sockets` | addresses, binding, accepting; how the sockets stand | what is done with a connection |
//! | `stream` | the first bytes, TLS, watching that bytes move | HTTP |
//! | `relay` | what is passed on as it comes: connections, flows of datagrams, the PROXY header | TLS and HTTP |
//! | `http` | connections of hyper, and a service for each | sockets and tables |
//! | `server` | following the table: which sockets, with which protocol | |
//! | `mesh` | what workloads send to Services, whose sockets do not depend on the table | |
//!
//! Nothing is decided here that the table has decided; what turns out here, a port in use or a certificate that cannot be
//! used, is in [`Sockets`] for those who write statuses: [`Sockets::unbound`] is what a translator takes.
//!
//! Everything that a client can make grow is limited by [`ServeOptions`]. No timer is set for a request of HTTP/1.1: once a
//! second all connections are looked at, so that limits of time are kept to within two seconds. Requests of HTTP/2 have
//! clocks of their own, which run while it is the client's turn, and are kept to within a quarter of the limit.
//!
//! A request of HTTP/2 costs a tenth less where the runtime looks for what has come after every 256 tasks
//! (`tokio::runtime::Builder::event_interval`) rather than after 61 as it does by itself: under load, calls of the kernel then bring and take
//! more requests at once. One of HTTP/1.1 costs the same.
//!
//! On a machine with several addresses of which one socket has all, the kernel chooses the one from which datagrams are answered:
//! name the addresses where that matters.
//!
//! Messages that are framed in two ways or none, a second Host header, folded headers and the like are refused by hyper or
//! by the route layer; the tests of this module show each.
//!
//! ```
//! use std::net::Ipv4Addr;
//! use std::sync::Arc;
//! use std::time::Duration;
//! use gateway_core::name::ObjectName;
//! use gateway_core::table::{Listener, ListenerProtocol, RouteTable};
//! use gateway_tower::serve::{Addresses, ServeOptions, Server};
//! use gateway_tower::upstream::Upstream;
//! use gateway_tower::{Connection, Gateway, TableHandle};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//! use tokio::net::TcpStream;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let name = ObjectName::new("default", "gateway");
//! let mut table = RouteTable::builder(1);
//! table.listener(Listener::new(name.clone(), "http", 80, ListenerProtocol::Http));
//! let tables = TableHandle::new(table.build());
//! let gateway = Gateway::new(tables.clone(), Upstream::default());
//! let mut addresses = Addresses::all_on(Ipv4Addr::LOCALHOST.into());
//! addresses.ports.insert(80, 0);
//!
//! let services = move |connection: Arc<Connection>| gateway.clone().on(connection);
//! let server = Server::start(&tables, addresses, ServeOptions::default(), services).await?;
//! let address = server.sockets().borrow().address(&name, 80).expect("it is bound");
//!
//! let mut client = TcpStream::connect(address).await?;
//! client.write_all(b"GET / HTTP/1.1\r\nhost: example.com\r\nconnection: close\r\n\r\n").await?;
//! let mut answer = String::new();
//! client.read_to_string(&mut answer).await?;
//! assert!(answer.starts_with("HTTP/1.1 404 "), "there are no routes");
//! assert_eq!(server.drain(Duration::from_secs(1)).await.cut, 0);
//! # Ok(()) }
//! ```
//!
//! # Spec
//! [GWL-05](gateway_core::spec#GWL-05), [GWL-11](gateway_core::spec#GWL-11), [GWL-16](gateway_core::spec#GWL-16),
//! [GWL-18](gateway_core::spec#GWL-18), [GWT-10](gateway_core::spec#GWT-10), [GWF-09](gateway_core::spec#GWF-09),
//! [GRP-18](gateway_core::spec#GRP-18), [HST-22](gateway_core::spec#HST-22), [AMB-16](gateway_core::choices#AMB-16);
//! [TLR-06](gateway_core::spec#TLR-06) to [TLR-08](gateway_core::spec#TLR-08), [TLR-11](gateway_core::spec#TLR-11),
//! [TLR-13](gateway_core::spec#TLR-13), [TLR-14](gateway_core::spec#TLR-14); [TCR-03](gateway_core::spec#TCR-03),
//! [TCR-06](gateway_core::spec#TCR-06), [TCR-07](gateway_core::spec#TCR-07); [UDR-03](gateway_core::spec#UDR-03),
//! [UDR-04](gateway_core::spec#UDR-04), [UDR-06](gateway_core::spec#UDR-06).

mod certificate_problem;
mod stream_record;
mod destination;
mod stream_options;
mod options;
mod sockets;
mod stream;
mod relay;
mod http;
mod server;
#[cfg(feature = "fuzzing")]
mod single;
mod not_bound;
mod mesh;

pub use self::certificate_problem::CertificateProblem;
pub use self::http::{ClientBody, ConnectionService};
pub use self::mesh::{
    ClientNamespaces, MeshOptions, MeshServer, NamespacesInTable, OneNamespace, OriginalDestination,
    ResolveDestination,
};
pub use self::not_bound::NotBound;
pub use self::options::ServeOptions;
pub use self::relay::ProxyHeader;
pub use self::server::{Drained, Server};
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub use self::single::serve_one;
pub use self::sockets::{Addresses, BindError, PortOverflow, Socket, Sockets};
#[cfg(feature = "tls")]
pub use self::stream::{ClientHello, ClientHelloError, ClientHelloReader, TlsOptions};
pub use self::stream_options::{DatagramOptions, ProxyHeaderVersion, StreamOptions};
