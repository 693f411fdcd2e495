//! The manual: how the parts work together.
//!
//! The pages of modules and types say what each does. Here are the things that no one page can say.
//!
//! | chapter | answers |
//! | --- | --- |
//! | [`architecture`] | what the parts are, which way data flows, and why |
//! | [`request`] | what happens to a request, in order, and who does it |
//! | [`precedence`] | which rule serves a request where several match |
//! | [`filters`] | what filters do, where they stand, and what a broken one costs |
//! | [`statuses`] | where each word of a status comes from, and what it promises |
//! | [`embedding`] | which crate is for which program, and what is left to it |
//! | [`comparison`] | what neighbouring projects are for |
//!
//! Limits, metrics, draining and logs are a chapter of `gateway-tower`; replicas, rights and what happens when the API server is
//! away are on the first page of `gateway-kube`. Every rule of the specification is in [`spec`](crate::spec), and every question that
//! it leaves open in [`choices`](crate::choices).

pub mod architecture;
pub mod request;
pub mod precedence;
pub mod filters;
pub mod statuses;
pub mod embedding;
pub mod comparison;
