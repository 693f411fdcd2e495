//! The conformance cases, the plain reference matcher and the generators.
//!
//! An [`engine`] decides what becomes of a request, given the resources. There is one that reads the specification aloud,
//! slowly, and shares no code with the core; and there is the core. [`generate`] makes resources and requests in which
//! everything collides, so that comparing the two finds out where either is wrong. [`fuzzing`] is the same for a fuzzer.

pub mod case;
pub mod certificate;
pub mod exchange;
pub mod mutant;
pub mod outcome;
pub mod backend;
pub mod cluster;
pub mod store;
pub mod engine;
pub mod generate;
pub mod fuzzing;
