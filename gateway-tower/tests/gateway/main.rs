//! The gateway and its layers, over clients that follow a script and over real sockets.

mod scene;
mod answers;
mod forwarding;
mod filters;
mod timeouts;
mod retries;
mod balancing;
mod own_backends;
mod mirrors;
mod authorize;
mod sessions;
mod places;
mod sockets;
