//! Statuses written back: merged with what is stored, and only where the two differ.
//!
//! [`Computed`] is what a translation says about one object. [`Writer`] brings it together with what is stored, and writes
//! what comes of it against the version that it read: where another change came first, it reads again and merges anew,
//! so that entries of other controllers are never lost. What is equal is not written. A Route that has no parent of ours any
//! more loses our entries, and no others.
//!
//! An object that the translation left out, because it breaks rules of v1.7 or cannot be read, gets a status that says
//! so ([`refused`]): an API server stored it, and its owner looks there.
//!
//! # Spec
//! [GEN-01](gateway_core::spec#GEN-01) to [GEN-12](gateway_core::spec#GEN-12), [GC-10](gateway_core::spec#GC-10),
//! [GC-11](gateway_core::spec#GC-11), [RTE-10](gateway_core::spec#RTE-10).

mod computed;
mod event;
mod feature_name;
mod never_seen;
mod refused;
mod writer;

pub use computed::Computed;
pub use event::{Worse, worse};
pub use feature_name::{Minor, Vocabulary, published_names};
pub use refused::refused;
pub(crate) use writer::lacks_finalizer;
pub use writer::{Outcome, Writer, WriterOptions};
