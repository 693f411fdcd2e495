//! Reports: what came of a run, for people, for build servers, and for upstream.
//!
//! All of them are made from the same [`Results`]: the cases there are, and a
//! [`CaseReport`](crate::outcome::CaseReport) for each that was selected.
//! A [`ConformanceReport`] has upstream's schema and counts as upstream counts, so it knows nothing of the cases beyond
//! upstream's; [`junit`], [`markdown`] and [`table`] tell everything. A [`Comparison`] puts the verdicts next to those of
//! upstream's own suite, about the same implementation.
//!
//! A profile overlaps with others: a case about Gateways belongs to five of them, and counts in each. The sum over the
//! profiles is therefore larger than the number of cases, which [`Results::total`] has.
//!
//! ```
//! use std::collections::BTreeSet;
//! use std::time::Duration;
//!
//! use conformance::case;
//! use conformance::outcome::{CaseReport, Verdict};
//! use gateway_core::feature::Profile;
//! use conformance::report::{self, Results};
//! use gateway_core::feature::Feature;
//!
//! let case = case::cases().iter().find(|case| case.name == "HTTPRouteMatching").expect("it comes with the crate");
//! let passed = CaseReport {
//!     name: case.name.clone(),
//!     verdict: Verdict::Passed,
//!     checked: 4,
//!     passed_over: Vec::new(),
//!     duration: Duration::from_millis(3),
//! };
//! let results = Results {
//!     engine: "core",
//!     profiles: vec![Profile::GatewayHttp],
//!     claimed: &BTreeSet::from([Feature::Gateway, Feature::HttpRoute, Feature::ReferenceGrant]),
//!     cases: std::slice::from_ref(case),
//!     reports: &[passed],
//! };
//! assert_eq!(results.total().passed, 1);
//! assert!(report::table(&results).contains("GATEWAY-HTTP  core"));
//! ```

mod comparison;
mod conformance_report;
mod explanation;
mod junit;
mod markdown;
mod results;
mod table;

pub use self::comparison::{Comparison, Difference, SuiteVerdict, SuiteVerdicts};
pub use self::conformance_report::{
    ConformanceReport, ExtendedStatus, Implementation, ProfileReport, RELEASE, ReportError, ReportSettings,
    Statistics, Status, StatusResult,
};
pub use self::explanation::explanation;
pub use self::junit::junit;
pub use self::markdown::markdown;
pub use self::results::{Count, Results, Section};
pub use self::table::table;
