//! The Kubernetes Gateway API as a pure engine.
//!
//! Resources in, a compiled [route table](table) and every status condition out; a request in, a decision out.
//! There is no async code, no I/O, no clock and no random number here: a time or a random number is an argument.
//!
//! Modules are listed in order: each imports only what stands before it.

pub mod name;
pub mod hostname;
pub mod duration;
pub mod condition;
pub mod feature;
pub mod finding;
#[cfg(feature = "resources")]
pub mod api;
#[cfg(feature = "resources")]
pub mod manifest;
pub mod matching;
pub mod filter;
pub mod rule;
pub mod table;
pub mod exchange;
#[cfg(feature = "resources")]
pub mod options;
#[cfg(feature = "resources")]
pub mod validate;
#[cfg(feature = "resources")]
pub mod resolve;
#[cfg(feature = "resources")]
mod attach;
#[cfg(feature = "resources")]
mod compile;
#[cfg(feature = "resources")]
pub mod status;
#[cfg(feature = "resources")]
pub mod translate;
#[cfg(feature = "resources")]
pub mod lint;
pub mod choices;
