//! The conformance cases, the engines that run them, the plain reference matcher and the generators.
//!
//! A [`case`] is data: objects, what is done, what must come of it. An [`engine`] is anything that takes the objects, tells
//! their statuses and carries what is sent; the same cases run on a pure function and on a live cluster.
//!
//! | module | what it is for |
//! | --- | --- |
//! | [`decision`] | what becomes of a request: said by the core, and by the plain reference |
//! | [`generate`] | resources and requests in which everything collides |
//! | [`fuzzing`] | the core against the reference, from bytes; filters and engines of your own, too |
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
//! | [`trials()`] | the cases as ordinary tests of a crate |
//!
//! The plain reference reads the specification aloud, slowly, and shares no code with the core. Where the two differ on
//! what is generated, one of them is wrong.
//!
//! # Features
//! - `suite`, on by default: everything from [`case`] on, with the program. Without it there is what fuzzing takes, and no
//!   dependency that knows a socket, TLS or a command line.
//! - `messages`, on by default: the fuzz targets that read messages, through the server and the client of `gateway-tower`.
//! - `kube`: the engine [`cluster`](engine::cluster), for live clusters.

pub mod decision;
pub mod generate;
pub mod fuzzing;
#[cfg(feature = "suite")]
pub mod case;
#[cfg(feature = "suite")]
pub mod certificate;
#[cfg(feature = "suite")]
pub mod exchange;
#[cfg(feature = "suite")]
pub mod mutant;
#[cfg(feature = "suite")]
pub mod outcome;
#[cfg(feature = "suite")]
mod loopback;
#[cfg(feature = "suite")]
pub mod backend;
#[cfg(feature = "suite")]
pub mod cluster;
#[cfg(feature = "suite")]
pub mod store;
#[cfg(feature = "suite")]
pub mod wire;
#[cfg(feature = "suite")]
pub mod engine;
#[cfg(feature = "suite")]
pub mod expect;
#[cfg(feature = "suite")]
pub mod run;
#[cfg(feature = "suite")]
pub mod report;
#[cfg(feature = "suite")]
pub mod skips;
#[cfg(feature = "suite")]
mod trials;

#[cfg(feature = "suite")]
pub use self::trials::{trials, trials_of_every_case, trials_with};

/// The examples in the README are examples of this crate, and compiled as such.
#[cfg(all(doctest, feature = "suite"))]
#[doc = include_str!("../README.md")]
pub struct Readme;
