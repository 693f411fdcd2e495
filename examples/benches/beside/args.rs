//! The command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum, value_parser};

use super::case::Case;

/// What a request costs of CPU time through `gateway run`, and through Envoy beside it.
///
/// The proxy under test has a core to itself and one worker, and what it takes is what /proc/PID/stat says. The load and the backend, which
/// are this process, share another core. For each slice of time the proxy is started anew, has load for half a second, and is measured
/// from then on while the load goes on; the programs take turns. The table has the median of the slices: CPU time a request in
/// microseconds (of a call with all of its messages), the ratio of gateway's to Envoy's, below 1 where gateway takes less, and
/// requests a second, as many as one core of proxy and one core of load and backend let through.
///
/// Each answer has to have status 200 and its whole length. The first that has not ends everything: of errors nothing is measured.
///
/// `gateway` is the one that was built with this, with its metrics, which it always keeps. Cargo builds it as for a release but for panics,
/// which unwind in benchmarks; a release itself is measured with --gateway. Envoy is as it comes: with its statistics and an x-request-id
/// for each request, which are its defaults (a deployment may switch the ids off, which saves it some), without an access log, which
/// neither has by default. What its configuration has beside a listener, a route and a cluster spares it work: no `x-envoy-` fields and
/// no time limit of the route.
///
/// Needs Linux and two CPUs. A busy machine measures its other work too: look at what else runs.
#[derive(Debug, Parser)]
#[command(
    name = "cargo bench -p gateway-examples --bench beside --",
    bin_name = "cargo bench -p gateway-examples --bench beside --"
)]
pub(crate) struct Args {
    /// The program Envoy to compare with; without it gateway is measured alone
    #[arg(long, value_name = "PATH")]
    pub(crate) envoy: Option<PathBuf>,

    /// Another build of the program gateway than the one that was built with this
    #[arg(long, value_name = "PATH")]
    pub(crate) gateway: Option<PathBuf>,

    /// The cases to measure, separated by commas [default: all]
    #[arg(long, value_name = "CASES", value_enum, value_delimiter = ',', default_values_t = Case::value_variants().to_vec(), hide_default_value = true)]
    pub(crate) cases: Vec<Case>,

    /// How many slices each program has in each case
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = value_parser!(u32).range(1..=1000))]
    pub(crate) rounds: u32,

    /// How long a slice is measured, in seconds
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = value_parser!(u64).range(1..=3600))]
    pub(crate) seconds: u64,

    /// What cargo says to benchmarks
    #[arg(long, hide = true)]
    pub(crate) bench: bool,

    /// What cargo has before `--`: names of other benchmarks
    #[arg(hide = true)]
    pub(crate) filter: Option<String>,
}
