//! Answers and statuses, compared with what a case expects.
//!
//! Everything here is a pure function: an expectation of a case and what there is go in, and every [`Mismatch`] comes out.
//! Whether to look again later is for [`run`](crate::run) to decide.

mod bytes;
mod distribution;
mod grpc;
mod http;
mod infrastructure;
mod mismatch;
mod status;
mod stream;
mod websocket;

pub use self::bytes::bytes;
pub use self::distribution::{Spread, mirrored, spread};
pub use self::grpc::grpc;
pub use self::http::{Meeting, SetCookie, http, mesh, set_cookie};
pub use self::infrastructure::infrastructure;
pub use self::mismatch::Mismatch;
pub use self::status::{accepted, is_unwritten, no_routes, not_accepted, ready, resolved, status};
pub use self::stream::{tcp, udp};
pub use self::websocket::websocket;
