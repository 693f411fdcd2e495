//! The conformance cases, the engines that run them, the plain reference matcher and the generators.
//!
//! A [`case`] is data: objects, what is done, what must come of it. An [`engine`] is anything that takes the objects, tells
//! their statuses and carries what is sent; the same cases run on a pure function and on a live cluster.
//!
//! | module | what it is for |
//! | --- | --- |
//! | [`case`] | what cases say, and how they are read |
//! | [`certificate`] | the certificates that cases name, made anew each time |
//! | [`exchange`] | what is sent in a case, and what comes back |
//! | [`mutant`] | engines that are wrong in one thing, which the cases must notice |
//! | [`outcome`] | what came of a case |
//! | [`backend`] | what the backends of cases answer, with sockets and without |
//! | [`cluster`] | the pods that they are |
//! | [`store`] | the objects of a case, with what an API server and its controllers make of them |
//! | [`wire`] | clients on sockets, for engines that have some |
//! | [`engine`] | what can be put under test: the core, the tower stack, the plain reference, gateways on sockets |
//! | [`expect`] | what came back, compared with what must come |
//! | [`run`](mod@run) | cases played against an engine: one, or all |
//! | [`report`] | what came of a run, for people, for build servers, and for upstream |
//! | [`skips`] | cases that an engine of ours does not pass |
//! | [`trials`](mod@trials) | the cases as ordinary tests of a crate |
//! | [`generate`] | resources and requests in which everything collides |
//! | [`fuzzing`] | the core against the reference, from bytes |
//!
//! The plain reference reads the specification aloud, slowly, and shares no code with the core. Where the two differ on
//! what is generated, one of them is wrong.

pub mod decision;
pub mod generate;
pub mod fuzzing;

pub mod case;
pub mod certificate;
pub mod exchange;
pub mod mutant;
pub mod outcome;
mod loopback;
pub mod backend;
pub mod cluster;
pub mod store;
pub mod wire;
pub mod engine;
pub mod expect;
pub mod run;
pub mod report;
pub mod skips;
pub mod trials;

pub use self::trials::trials;

/// The examples in the README are examples of this crate, and compiled as such.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
