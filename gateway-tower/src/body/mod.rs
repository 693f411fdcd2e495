//! The bodies that pass through: the client's on its way to the backend, and the backend's on its way back.
//!
//! Both are whatever body type the server and the client have, with the few things that a gateway must be able to do
//! with it; when it need not, they pass frames on untouched.

pub(crate) mod copy;
pub(crate) mod replay;
pub(crate) mod deadline;
#[cfg(feature = "client")]
pub(crate) mod gathered;
pub(crate) mod guard;
mod inflow;
mod trailers;
mod request_body;
mod response_body;

pub(crate) use self::deadline::Limit;
pub(crate) use self::inflow::Inflow;
pub use self::request_body::RequestBody;
pub use self::response_body::ResponseBody;

/// Any error; only made when something failed.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
