//! Programs from fifteen lines to a complete gateway, and the parts that they share.
//!
//! The complete one is `src/bin/gateway`; it puts together, in this order, what the modules here do:
//!
//! | module | does |
//! | --- | --- |
//! | [`echo`] | backends that answer with what they received |
//! | [`documents`], [`files`], [`watch`] | manifests in files, read again when they change |
//! | [`demo`] | the manifests of `gateway run --demo` |
//! | [`state`], [`cluster`] | from files or a cluster to a table, statuses, and what is wrong |
//! | [`status_file`] | statuses for those who look from outside |
//! | [`table_view`] | the same for a terminal |
//! | [`access_log`], [`admin`] | what those who run it want to know |

pub mod echo;
pub mod documents;
pub mod files;
pub mod watch;
pub mod demo;
mod report;
pub mod state;
pub mod cluster;
pub mod status_file;
pub mod table_view;
pub mod access_log;
pub mod admin;

#[cfg(test)]
mod test_client;

/// The examples in the README are examples of this crate, and compiled as such.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
