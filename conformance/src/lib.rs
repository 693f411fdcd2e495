//! The conformance cases, the engines that run them, the plain reference matcher and the generators.
//!
//! A [`case`] is data: objects, what is done, what must come of it. An [`engine`] is anything that takes the objects, tells
//! their statuses and carries what is sent; the same cases run on a pure function, on a tower stack, on a program in any language, and
//! on a live cluster. There is each test of upstream's suite at v1.7.0, and more than a hundred beyond them.
//!
//! The shortest useful program is a test, `tests/conformance.rs` with `harness = false`. It makes each case a test of the crate that
//! has it, here on a gateway that some layers of one's own would stand in:
//!
//! ```no_run
//! # #[cfg(not(feature = "suite"))] fn main() {}
//! # #[cfg(feature = "suite")]
//! # mod conformance_test {
//! use conformance::engine::stack::StackEngines;
//! use gateway_tower::upstream::Upstream;
//! use gateway_tower::{Connection, Gateway, TableHandle};
//! use std::sync::Arc;
//!
//! # pub
//! fn main() -> std::process::ExitCode {
//!     conformance::trials(StackEngines::new("mine", |tables: &TableHandle| {
//!         let gateway = Gateway::new(tables.clone(), Upstream::default()); // your layers here
//!         move |connection: Arc<Connection>| gateway.clone().on(connection)
//!     }))
//! }
//! # }
//! # #[cfg(feature = "suite")] fn main() -> std::process::ExitCode { conformance_test::main() }
//! ```
//!
//! One case from code, with what came of it:
//!
//! ```
//! # #[cfg(not(feature = "suite"))] fn main() {}
//! # #[cfg(feature = "suite")]
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use conformance::case::cases;
//! use conformance::engine::pure::CoreEngines;
//! use conformance::outcome::Verdict;
//! use conformance::run::{Settings, run_case};
//!
//! let case = cases().iter().find(|case| case.name == "HTTPRouteMatching").expect("upstream has it");
//! let report = run_case(&CoreEngines, case, &Settings::default()).await;
//! assert_eq!(report.verdict, Verdict::Passed);
//! # }
//! ```
//!
//! # The map
//! | you have, or want | look at |
//! | --- | --- |
//! | a tower stack of your own | [`trials()`], over [`engine::stack::StackEngines`](engine::stack) |
//! | a proxy in Rust of another make | [`engine::Engines`], [`wire::Proxy`]; [`engine::http`] is an example |
//! | a program in any language, or a live cluster | the program `gateway-conformance`; [`engine::command`], `engine::cluster` |
//! | cases of your own | [`case`]; `docs/cases.md` has every field |
//! | some cases, one after the other, with their reports | [`run`](mod@run), [`outcome`], [`report`] |
//! | cases that an engine of ours does not pass | [`skips`] |
//! | to know that the cases can fail | [`mutant`]: engines that are wrong in one thing |
//! | what backends answer, which pods they are, their certificates | [`backend`], [`cluster`], [`certificate`] |
//! | the objects of a case, as an API server would have them | [`store`] |
//! | what is sent, what comes back, and how the two are compared | [`exchange`], [`wire`], [`expect`] |
//! | resources and requests in which everything collides | [`generate`] |
//! | a second opinion on a decision | [`decision`]: the core's, and that of the plain reference |
//! | to fuzz the core, or filters and an engine of your own | [`fuzzing`] |
//!
//! The plain reference reads the specification aloud, slowly, and shares no code with the core. Where the two differ on
//! what is generated, one of them is wrong.
//!
//! # Features
//! - `suite`, on by default: everything from [`case`] on, with the program. Without it there is what fuzzing takes, and no
//!   dependency that knows a socket, TLS or a command line.
//! - `messages`, on by default: the fuzz targets that read messages, through the server and the client of `gateway-tower`.
//! - `kube`: the engine [`cluster`](engine::cluster), for live clusters.
//!
//! # Limits
//! - A verdict is about what was looked at: without statuses or without traffic, those steps are left out, and the reports say so.
//!   A report that upstream accepts comes of upstream's own suite; `upstream/` in the sources runs that one, too.
//! - Engines on sockets use the loopback interface, on Linux an address of its own for each case, elsewhere one for all.
//! - What takes effect at some time is waited for, so a slow machine makes a run slower and no case fail; a case that does not end
//!   within [`Settings::limit`](run::Settings::limit) fails.
//! - Nothing is measured: how fast a gateway is, is no matter of conformance.
//!
//! # Versions
//! Rust 1.89 or later. The cases are those of Gateway API v1.7.0, by the names that upstream gives them. Until 1.0, a minor version may
//! change the API; cases of one's own name theirs by `apiVersion`.

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
