//! The objects of a cluster as a stream of changes: one watch a kind, and one for each Secret and ConfigMap that is asked for.
//!
//! A watch goes on where it stopped when the connection breaks, lists again when the API server does not remember so far
//! back, and waits longer each time that it fails. What it has brought stays meanwhile: an API server that is away changes
//! nothing.
//!
//! A kind whose definition is not installed, or that may not be read, is left out. [`Watches::left_out`] says so, and the kind is
//! asked for again and again until it appears. Nothing else waits for it.
//!
//! Kinds of the embedder's own are watched as all others, and their objects read as [manifests](gateway_core::manifest::OwnTypes) of them
//! are. Their statuses are the embedder's to write.
//!
//! Pods are watched in those namespaces only in which an XBackend selects among them.
//!
//! Secrets and ConfigMaps are never listed: [`Watches::look_up`] takes the names of those that a translation asked for,
//! each gets a watch for its name alone, and one that is not asked for any more is forgotten. There are
//! [so many](WatchOptions::max_lookups) of them at most; what else is asked for is not read, and
//! [`Watches::unreadable`] says so.

mod change;
mod follow;
mod options;
mod part;
mod share;
mod state;
mod watches;

pub use change::{Change, Said};
pub use options::WatchOptions;
pub use part::{Part, Scope};
pub use state::{LeftOut, State};
pub use watches::Watches;
