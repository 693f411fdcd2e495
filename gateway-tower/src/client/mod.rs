//! What a client and the layers around it say to each other: where a request goes, and that it could not get there.
//!
//! Any service that takes requests to endpoints is a client; [ours](crate::upstream) is one. It finds its
//! [`UpstreamTarget`] in the request, and says with a [`ConnectError`] that nothing was sent.

mod upstream_target;
mod connect_error;

pub use self::connect_error::ConnectError;
pub use self::upstream_target::UpstreamTarget;
