//! Sockets: where they are bound, how they stand, and the loop that accepts from each.

mod addresses;
#[expect(clippy::module_inception, reason = "named after its type")]
mod sockets;
mod listener;

pub use self::addresses::Addresses;
pub(super) use self::listener::Listener;
pub use self::sockets::{CertificateProblem, Socket, Sockets};
