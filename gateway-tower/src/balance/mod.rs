//! Choosing the endpoint of an attempt, and aiming the request at it.
//!
//! The endpoint is random: with many requests, many gateways and connections kept alive that is as even as taking turns,
//! and no state is shared between cores. Attempts of one request go to different endpoints, as far as there are any.
//!
//! The request is given its [target](crate::UpstreamTarget), the endpoint as the authority of its URI, and the
//! version that the backend speaks. The host that the client named is in the Host header afterwards, however the client
//! named it.

mod future;
mod layer;
mod service;

pub use self::future::BalanceFuture;
pub use self::layer::BalanceLayer;
pub use self::service::Balance;
