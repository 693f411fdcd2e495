//! The server of a mesh: what workloads send to Services, taken on its way there.
//!
//! A [`MeshServer`] stands beside the workloads, not before a Gateway. The network leads their connections to it instead of to where they
//! were addressed: rules of nftables in the network namespace of a pod, or on a node for many pods. It asks each connection
//! [where it was addressed to](OriginalDestination) and [in which namespace its client is](ClientNamespaces), and the table in use
//! whether some Route is for that: a Route of the Service with this address and port, for clients of that namespace.
//!
//! - If there is one, the connection speaks HTTP/1.1, or HTTP/2 if it starts with that protocol's preface, and each request is decided about
//!   as at a Gateway, by the same service.
//! - If there is none, the connection goes on to where it was addressed, byte for byte: to a Service, which whatever carries out Services
//!   carries out, to a pod, or out of the cluster.
//!
//! Which it is, is decided when a connection comes. When the last Route for it goes, its address becomes that of another Service, or its client
//! is known to be in another namespace, it finishes what is under way and is closed, so that the client comes again; one that was passed on
//! when the first Route came stays passed on.
//!
//! What the server itself sends must not be led back to it: the rules have to leave its own user alone, for instance. A connection that was
//! made to the server itself, at any of its addresses, is reset rather than made again and again: nothing that this process sends may come to a
//! socket of a mesh, which believes what it is told about clients.
//!
//! | embedding | clients | destination |
//! | --- | --- | --- |
//! | beside one workload, in the same pod | [`OneNamespace`] | [`OriginalDestination::Redirected`] |
//! | on a node, for many pods | [`NamespacesInTable`] | [`OriginalDestination::Redirected`], or [`OriginalDestination::ProxyHeader`] behind what leads connections there by itself |
//!
//! ```
//! use std::net::Ipv4Addr;
//! use std::sync::Arc;
//! use std::time::Duration;
//! use gateway_core::table::RouteTable;
//! use gateway_tower::serve::{MeshOptions, MeshServer, OneNamespace, OriginalDestination, ServeOptions};
//! use gateway_tower::upstream::Upstream;
//! use gateway_tower::{Connection, Gateway, TableHandle};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
//! let tables = TableHandle::new(RouteTable::default());
//! let gateway = Gateway::new(tables.clone(), Upstream::default());
//! let services = move |connection: Arc<Connection>| gateway.clone().on(connection);
//! let mesh = MeshOptions {
//!     destination: OriginalDestination::Redirected,
//!     clients: Arc::new(OneNamespace("shop".into())),
//!     max_connections_of_client: usize::MAX,
//! };
//! let addresses = [(Ipv4Addr::LOCALHOST, 0).into()];
//! let server = MeshServer::start(&tables, &addresses, ServeOptions::default(), mesh, services)?;
//! assert_ne!(server.addresses()[0].port(), 0);
//! assert_eq!(server.drain(Duration::from_secs(1)).await.cut, 0);
//! # Ok(()) }
//! ```
//!
//! # Spec
//! [MSH-01](gateway_core::spec#MSH-01), [MSH-02](gateway_core::spec#MSH-02), [MSH-05](gateway_core::spec#MSH-05),
//! [MSH-06](gateway_core::spec#MSH-06), [MSH-08](gateway_core::spec#MSH-08).

mod client_namespaces;
mod client_room;
mod original_destination;
mod options;
mod connections;
mod server;

pub use self::client_namespaces::{ClientNamespaces, NamespacesInTable, OneNamespace};
pub use self::options::MeshOptions;
pub use self::original_destination::{OriginalDestination, ResolveDestination};
pub use self::server::MeshServer;
