//! Connecting to an endpoint, within TLS where its backend is spoken to so.
//!
//! A [`Peer`] is what a connection is made with, and all that it may be shared by. Clients are [read](poll_read_at_most) in the same way.

mod application;
mod blocks;
mod peer;
mod own_sockets;
mod read_at_most;
mod stream;
mod tcp;
mod turn;
#[cfg(feature = "tls")]
mod verifier;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "without_tls.rs"]
mod tls;

pub(crate) use self::application::Application;
pub(crate) use self::blocks::Blocks;
pub(crate) use self::own_sockets::{Maker, is_of_machine};
#[cfg(feature = "server")]
pub(crate) use self::own_sockets::{OwnSocket, TakenFrom, ToSelf, enter, is_own};
pub(crate) use self::peer::Peer;
#[cfg(any(feature = "server", feature = "tls"))]
pub(crate) use self::peer::TlsPeer;
pub(crate) use self::read_at_most::poll_read_at_most;
pub(crate) use self::stream::{BackendIo, Connected};
#[cfg(feature = "fuzzing")]
pub(crate) use self::tcp::in_place_of_sockets;
pub(crate) use self::tcp::tcp;
pub(crate) use self::tls::Connector;
pub(crate) use self::turn::Turn;
