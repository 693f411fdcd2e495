//! Programs from fifteen lines to a complete gateway, and the parts that they share.
//!
//! The complete one is `src/bin/gateway`; it puts together, in this order, what the modules here do:
//!
//! | module | does |
//! | --- | --- |
//! | [`echo`] | backends that answer with what they received |
//! | [`demo`] | the manifests of `gateway run --demo` |
//! | [`cluster`] | from a cluster to a table, statuses, and what is wrong, as `gateway_tower::source` does from files |
//! | [`dry_run`] | what a cluster would be with manifests applied to it |
//! | [`table_view`] | the same for a terminal |
//! | [`admin`] | what those who run it want to know |

pub mod echo;
pub mod demo;
pub mod cluster;
pub mod dry_run;
pub mod table_view;
pub mod admin;

#[cfg(test)]
mod test_client;

/// The examples in the README are examples of this crate, and compiled as such.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
