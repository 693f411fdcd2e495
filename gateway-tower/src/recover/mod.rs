//! Where the errors of a client end: above this layer everything is an answer.
//!
//! A client that cannot connect gives 503, any other error of it gives 502. The error itself goes along as the source
//! of the [`Refusal`](crate::Refusal) in the answer's [`Outcome`](crate::Outcome), where access logs find it and the
//! retry layer sees that an attempt failed.

mod future;
mod layer;
mod service;

pub use self::future::RecoverFuture;
pub use self::layer::RecoverLayer;
pub use self::service::Recover;
