//! The two timeouts of a rule.
//!
//! `request` limits the whole exchange with the client, `backendRequest` one attempt at a backend; the layer is the same
//! in two places. The time runs from the call until the end of the answer's body. Before the answer has begun, expiry
//! gives 504; after that the only way left is to break the body off (TMO-09). A rule without the timeout costs
//! nothing.
//!
//! The surprising case: an answer that turns the connection into something else, as a WebSocket handshake does, ends the
//! time (AMB-55). The conversation that follows may last.

mod future;
mod layer;
mod service;

pub use self::future::TimeoutsFuture;
pub use self::layer::TimeoutsLayer;
pub use self::service::Timeouts;
pub use crate::body::Limit;
