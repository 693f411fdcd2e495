//! The server: sockets bound and unbound as the table changes, and the connections that come in on them.
//!
//! A [`Server`] follows a [`TableHandle`](crate::TableHandle). For each port of each Gateway in the table it binds the
//! [`Addresses`] of that Gateway; when a port goes, its socket is closed and its connections finish what they have begun,
//! while all others go on. A socket that cannot be bound is tried again, and hinders no other; [`Server::sockets`] says how
//! they stand.
//!
//! - Without TLS, a connection speaks HTTP/1.1, or HTTP/2 if it starts with that protocol's preface.
//! - With TLS, the listener and its certificate are chosen by the server name, in the table in use at that moment; the
//!   protocol is agreed on by ALPN, HTTP/2 before HTTP/1.1. A server name that no listener serves, or none where no listener
//!   does without, ends the handshake. Connections outlive a change of certificates.
//! - Every connection gets a service of its own, made with what is known about it, for example
//!   `move |connection| gateway.clone().on(connection)`.
//! - When a server [drains](Server::drain) or a port goes, answers under way are finished, HTTP/1.1 connections close
//!   after them, HTTP/2 clients are told to go, and tunnels stay until the time is up.
//!
//! Everything that a client can make grow is limited by [`ServeOptions`]. No timer is set for a request: once a second
//! all connections are looked at, so that limits of time are kept to within two seconds.
//!
//! Messages that are framed in two ways or none, a second Host header, folded headers and the like are refused by hyper or
//! by the route layer; the tests of this module show each.
//!
//! # Spec
//! GWL-11, GWL-16, GWL-18, GWT-10, GRP-18, HST-22, AMB-16.

mod accepted;
mod addresses;
mod certificates;
mod listener;
mod options;
mod preface;
mod server;
mod service;
mod sockets;
mod stream;
mod tls;

pub use self::addresses::Addresses;
pub use self::options::ServeOptions;
pub use self::server::{Drained, Server};
pub use self::service::ConnectionService;
pub use self::sockets::{CertificateProblem, Socket, Sockets};
