//! Words between a client and the layers around it: where a request goes, and that it could not get there.
//!
//! Any service that takes requests to endpoints is a client; [ours](crate::upstream) is one. It finds its
//! [`UpstreamTarget`] in the request, says with a [`ConnectError`] that nothing was sent, and with [`NotProcessed`] that
//! the backend has done nothing with what was. [`AnyBody`] lets one stand behind layers that change bodies.

mod any_body;
#[cfg(feature = "tls")]
mod backend_tls_options;
mod upstream_target;
mod connect_error;
mod not_processed;
mod retry_budget;

pub use self::any_body::AnyBody;
#[cfg(feature = "tls")]
pub use self::backend_tls_options::BackendTlsOptions;
pub use self::connect_error::ConnectError;
pub use self::not_processed::NotProcessed;
pub(crate) use self::retry_budget::{allow_retry, count_request};
#[cfg(feature = "client")]
pub(crate) use self::upstream_target::Target;
pub use self::upstream_target::UpstreamTarget;
