//! Sockets: where they are bound, how they stand, and the loop that accepts from each.
//!
//! What is done with a connection is up to the caller that binds: an `Accept` for each protocol.

mod addresses;
#[expect(clippy::module_inception, reason = "named after its type")]
mod sockets;
mod listener;

pub use self::addresses::{Addresses, PortOverflow};
pub(super) use self::listener::{Accept, Listener, room};
pub use self::sockets::{BindError, Socket, Sockets};
