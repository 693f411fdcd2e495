//! Choosing the backend of a request by the weights of its rule.
//!
//! The choice is random; each request draws for itself, so every replica of a gateway keeps to the weights without
//! knowing of the others. The share of a reference that is invalid, or of a backend without endpoints, is answered
//! here; it is not given to the others (HRB-04, AMB-21).
//!
//! Then the filters of the chosen backend run, within those of the rule: after them on the request, before them on the
//! answer.

mod future;
mod layer;
mod service;

pub use self::future::DispatchFuture;
pub use self::layer::DispatchLayer;
pub use self::service::Dispatch;
