//! Sending copies of requests to other backends, whose answers nobody waits for.
//!
//! The filters made copies of the request's head; this layer sends them, each to one endpoint (FMR-02), in tasks of
//! their own. A mirror never slows or fails the request: it takes what it can of the body as that streams by.
//!
//! Everything that mirrors hold is limited: [`MAX_MIRRORS`] copies at a time, 1 MiB of body that a mirror has not taken
//! yet, and [`TIME_LIMIT`] for each. What goes beyond is given up, with a trace event.
//!
//! The layer stands outside of the retry layer, so that a request is mirrored once (AMB-52), and within the dispatch
//! layer, so that one which is not attempted is not mirrored either (AMB-51). A request to upgrade the connection is not
//! mirrored: the conversation that follows could not be.

mod copies;
mod layer;
mod service;

use std::time::Duration;

pub use self::layer::MirrorLayer;
pub use self::service::Mirror;

/// The most copies that are under way at a time, over all clones of a layer.
pub const MAX_MIRRORS: usize = 1024;

/// The longest that a copy may take, until the end of its answer.
pub const TIME_LIMIT: Duration = Duration::from_secs(30);
