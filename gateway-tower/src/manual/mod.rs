//! The manual of the data plane.
//!
//! | chapter | answers |
//! | --- | --- |
//! | [`layers`] | which layer does what, which can be left out, and where one's own stand |
//! | [`operating`] | what is limited, how a gateway ends, what it tells of itself, and what may be missing |
//!
//! What is decided, and why, is in the [manual of the core](gateway_core::manual): the way of a request, precedence, filters, statuses.

pub mod layers;
pub mod operating;
