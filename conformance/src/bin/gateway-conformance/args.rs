//! The command line.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::ArgPredicate;
use clap::{Args, Parser, Subcommand, ValueEnum};
use conformance::run::Pattern;
use gateway_core::feature::{Feature, Profile};
use gateway_core::manifest::closest;

/// Replays the conformance cases of Gateway API v1.7.0, and more, against an implementation in any language.
///
/// A case is a file: objects, what is sent, and what must come back. `list` and `show` tell what there is, `run` runs it,
/// and `check` reads cases of your own.
#[derive(Debug, Parser)]
#[command(name = "gateway-conformance", version, after_help = EXIT_CODES)]
pub(crate) struct GatewayConformance {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0    every case that ran passed, or every file is right
  1    a case failed, or something is wrong with a file
  2    the command line is wrong, or a file cannot be read or written
  3    the engine could not start
  130  it was interrupted; what is said is about the cases that had ended";

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run cases against an engine.
    Run(Box<Run>),
    /// List the cases.
    List(List),
    /// Show a case: its file, and above it the profiles that it counts for.
    Show(Show),
    /// Read files with cases, and say everything that is wrong with them.
    Check(Check),
}

/// Which cases.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Which cases")]
pub(crate) struct Choice {
    /// Only cases with these names, such as HTTPRouteMatching, or 'HTTPRoute*'.
    #[arg(value_name = "CASE")]
    pub(crate) names: Vec<Pattern>,
    /// Only cases of this profile, such as GATEWAY-HTTP; may be given several times.
    #[arg(
        long = "profile",
        visible_alias = "conformance-profiles",
        value_name = "PROFILE",
        value_delimiter = ','
    )]
    pub(crate) profiles: Vec<Profile>,
    /// Only cases that need this feature, such as HTTPRouteCORS; may be given several times.
    #[arg(long = "feature", value_name = "FEATURE", value_parser = feature)]
    pub(crate) features: Vec<Feature>,
    /// The same as a name without an option; may be given several times.
    #[arg(long = "case", visible_alias = "run-test", value_name = "NAME")]
    pub(crate) cases: Vec<Pattern>,
    /// Pass over cases with this name, or 'HTTPRoute*'; reports name them as skipped. May be given several times.
    #[arg(long, visible_alias = "skip-tests", value_name = "NAME")]
    pub(crate) skip: Vec<Pattern>,
    /// Pass over cases that upstream does not have.
    #[arg(long, conflicts_with = "beyond_only")]
    pub(crate) no_beyond: bool,
    /// Only cases that upstream does not have.
    #[arg(long)]
    pub(crate) beyond_only: bool,
    /// Pass over cases that upstream calls provisional, and leave them out of the report.
    #[arg(long)]
    pub(crate) skip_provisional: bool,
    /// A folder with cases of your own, YAML files at any depth; may be given several times. They count as beyond
    /// upstream's.
    #[arg(long = "cases", value_name = "FOLDER")]
    pub(crate) folders: Vec<PathBuf>,
}

/// The arguments of `run`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Run {
    /// What is put under test.
    #[arg(
        long,
        value_name = "ENGINE",
        default_value = "core",
        default_value_ifs([
            ("command", ArgPredicate::IsPresent, "command"),
            ("gateway_class", ArgPredicate::IsPresent, "cluster"),
        ])
    )]
    pub(crate) engine: EngineName,
    /// How many cases run at a time.
    #[arg(long, value_name = "NUMBER", default_value = "1", value_parser = number::<NonZeroUsize>)]
    pub(crate) parallel: NonZeroUsize,
    /// Write a line for each case, with how long it took and why it was skipped.
    #[arg(long, short)]
    pub(crate) verbose: bool,
    /// Run cases too that are known to fail with an engine of this program.
    #[arg(long)]
    pub(crate) known_failures: bool,
    #[command(flatten)]
    pub(crate) program: ProgramArgs,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    #[command(flatten)]
    pub(crate) choice: Choice,
    #[command(flatten)]
    pub(crate) claims: ClaimArgs,
    #[command(flatten)]
    pub(crate) patience: PatienceArgs,
    #[command(flatten)]
    pub(crate) reports: ReportArgs,
}

/// What is put under test.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum EngineName {
    /// gateway-core: its table, statuses and decisions, without a network.
    Core,
    /// The specification read aloud, without a network and without statuses.
    Reference,
    /// The layers of gateway-tower, without sockets.
    Tower,
    /// The whole gateway of gateway-tower, on sockets of the loopback interface.
    Http,
    /// A program of yours, in any language, which reads manifests from a folder; see `--command`.
    Command,
    /// Whatever implements a GatewayClass of a live Kubernetes cluster, of any vendor; see `--gateway-class`. Backends run
    /// there as Pods, and what is sent is sent from here to the addresses of Gateways. The namespaces gateway-conformance-*
    /// belong to the run: what is in them is deleted. Needs a build with the feature `kube`.
    Cluster,
}

/// The program that is put under test.
#[derive(Debug, Args)]
#[command(next_help_heading = "The program under test (--engine command)")]
pub(crate) struct ProgramArgs {
    /// How to start the program: its name and arguments, split as a shell does it, but no shell is run. It is started
    /// for each case, and ended with it. In it, {manifests} stands for a folder with a file for each object, which change
    /// as the case goes on; {address} for the IP address to listen on; {port-offset} for what to add to the number of each
    /// port; {status} for a file that it writes its objects with their statuses into, as a List; and {mesh} for the IP address
    /// and port at which it takes connections of workloads, which begin with a header of the PROXY protocol. Without {status},
    /// statuses are not looked at, and without {mesh} nothing is sent to Services. What it writes to its output and its
    /// standard error is shown with what fails.
    #[arg(long, value_name = "TEMPLATE", required_if_eq("engine", "command"))]
    pub(crate) command: Option<String>,
    /// Where Gateways listen.
    #[arg(long, value_name = "WHICH", default_value = "one", requires = "command")]
    pub(crate) addresses: AddressesName,
    /// What the program adds to the number of each port: 10000 unless said, or nothing where low ports can be bound or
    /// the command does not say {port-offset}.
    #[arg(long, value_name = "NUMBER", requires = "command")]
    pub(crate) port_offset: Option<u16>,
    /// The name of its controller, which GatewayClasses and the statuses of routes have; that of this program's own engines
    /// by default.
    #[arg(long, value_name = "NAME", requires = "command")]
    pub(crate) controller_name: Option<String>,
    /// How long it may take until it takes a connection or writes a status: 10s unless said.
    #[arg(long, value_name = "TIME", value_parser = time, requires = "command")]
    pub(crate) startup_timeout: Option<Duration>,
}

/// The cluster that cases are played in.
#[derive(Debug, Args)]
#[command(next_help_heading = "The cluster under test (--engine cluster)")]
#[cfg_attr(not(feature = "kube"), allow(dead_code, reason = "a build without the feature only says so"))]
pub(crate) struct ClusterArgs {
    /// The GatewayClass to test: gateway-conformance unless said. It says the name of its controller, and the features that
    /// are claimed.
    #[arg(long, value_name = "NAME")]
    pub(crate) gateway_class: Option<String>,
    /// The file that says how to reach the cluster; that of $KUBECONFIG, or ~/.kube/config, unless said.
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// The context in that file; the current one unless said.
    #[arg(long, value_name = "NAME")]
    pub(crate) context: Option<String>,
    /// The image of the backends, which is upstream's echo-basic; that of suite v1.7.0 unless said.
    #[arg(long, value_name = "IMAGE")]
    pub(crate) echo_image: Option<String>,
}

/// Where Gateways listen.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum AddressesName {
    /// All on {address}. Cases in which two Gateways have the same port are skipped.
    One,
    /// Where the `spec.addresses` of each says, which is a loopback address of its own; on Linux only.
    Spec,
}

/// What the engine claims.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "What the engine claims")]
pub(crate) struct ClaimArgs {
    /// The features that the engine claims, separated by commas; those that it knows of itself by default. Cases that
    /// need others are not supported, which is no failure.
    #[arg(long, visible_alias = "features", value_name = "LIST", value_delimiter = ',', value_parser = feature)]
    pub(crate) supported_features: Vec<Feature>,
    /// Take every feature for claimed.
    #[arg(long, conflicts_with = "supported_features")]
    pub(crate) all_features: bool,
    /// Take these features for not claimed, whatever else is said.
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = feature)]
    pub(crate) exempt_features: Vec<Feature>,
    /// Look at statuses only, for a control plane that stands alone: nothing is sent, and a case that sends something
    /// counts as skipped. The engine `core` claims kinds of Routes then that it has statuses for and does not serve.
    #[arg(long)]
    pub(crate) statuses_only: bool,
    /// An address that a Gateway can ask for and gets; for GatewayStaticAddresses.
    #[arg(long, value_name = "ADDRESS", requires = "unusable_address")]
    pub(crate) usable_address: Option<String>,
    /// An address that a Gateway can ask for and does not get; for GatewayStaticAddresses.
    #[arg(long, value_name = "ADDRESS", requires = "usable_address")]
    pub(crate) unusable_address: Option<String>,
}

/// How long to wait.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "How long to wait (30s, 500ms, or a number of seconds)")]
pub(crate) struct PatienceArgs {
    /// Until requests are answered as they must be: 30s unless said. A conformant implementation needs no more.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) max_time_to_consistency: Option<Duration>,
    /// Until a status says what it must: 60s unless said.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) status_timeout: Option<Duration>,
    /// Until a copy of a request has arrived: 10s unless said.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) mirror_timeout: Option<Duration>,
    /// Before looking again: 100ms unless said.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) default_poll_interval: Option<Duration>,
    /// How many times in a row an answer must be right: 3 unless said.
    #[arg(long, value_name = "NUMBER", value_parser = number::<NonZeroU32>)]
    pub(crate) required_consecutive_successes: Option<NonZeroU32>,
    /// For a whole case: 300s unless said.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) case_timeout: Option<Duration>,
}

/// What is written.
#[derive(Debug, Args)]
#[command(next_help_heading = "Reports")]
pub(crate) struct ReportArgs {
    /// Write the report that upstream publishes, in YAML. Cases that did not run count as skipped in it.
    #[arg(long, visible_alias = "report-output", value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Write JUnit XML.
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// Write a summary in Markdown.
    #[arg(long, value_name = "FILE")]
    pub(crate) markdown: Option<PathBuf>,
    /// Compare each verdict with that of upstream's own suite about the same implementation: what the suite wrote with
    /// -test.v. A difference that is not explained is exit code 1.
    #[arg(long, value_name = "LOG")]
    pub(crate) compare: Option<PathBuf>,
    /// The mode of operation of the implementation, for the report.
    #[arg(long, value_name = "MODE", default_value = "default")]
    pub(crate) mode: String,
    #[command(flatten)]
    pub(crate) implementation: ImplementationArgs,
}

/// What was tested.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ImplementationArgs {
    /// Who makes the implementation, for the report.
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    pub(crate) organization: String,
    /// The name of the implementation, for the report.
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    pub(crate) project: String,
    /// The web page of the implementation, for the report: an absolute URL.
    #[arg(long, value_name = "URL", default_value = "", hide_default_value = true)]
    pub(crate) url: String,
    /// The version of the implementation, for the report; never the name of a branch.
    #[arg(long, value_name = "VERSION", default_value = "", hide_default_value = true)]
    pub(crate) version: String,
    /// Who can be asked, separated by commas, for the report: names on GitHub, addresses, or the URL of a support page.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub(crate) contact: Vec<String>,
}

/// The arguments of `list`.
#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    pub(crate) choice: Choice,
    /// Write JSON: a list of objects with name, summary, source, beyond, provisional, features and profiles.
    #[arg(long)]
    pub(crate) json: bool,
}

/// The arguments of `show`.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The name of the case, such as HTTPRouteMatching.
    pub(crate) case: String,
    /// A folder with cases of your own, YAML files at any depth; may be given several times.
    #[arg(long = "cases", value_name = "FOLDER")]
    pub(crate) folders: Vec<PathBuf>,
}

/// The arguments of `check`.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Files, and folders with YAML files at any depth.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

/// A feature by its name.
pub(crate) fn feature(name: &str) -> Result<Feature, String> {
    if name.is_empty() {
        return Err("a name is empty; write features with one comma between them".to_owned());
    }
    Feature::parse(name).ok_or_else(|| {
        let lower = name.to_ascii_lowercase();
        let near = |feature: &&Feature| feature.as_str().to_ascii_lowercase().contains(&lower);
        let mut near: Vec<&str> = Feature::ALL.iter().filter(near).map(|feature| feature.as_str()).collect();
        if near.is_empty() {
            near.extend(closest(name, Feature::ALL.iter().map(|feature| feature.as_str())));
        }
        match near.as_slice() {
            [] => format!(
                "there is no feature {name:?}; `gateway-conformance list` shows those that cases need"
            ),
            near => format!("there is no feature {name:?}; did you mean {}?", near.join(" or ")),
        }
    })
}

/// A number of what there is at least one of.
fn number<N: FromStr>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| format!("{text:?} is no number of these; write 1 or more"))
}

/// A time: a duration of Gateway API, or a number of seconds.
fn time(text: &str) -> Result<Duration, String> {
    let seconds = || text.parse().map(Duration::from_secs).ok();
    let duration = || gateway_core::duration::parse(text).ok();
    let time = seconds().or_else(duration);
    time.ok_or_else(|| format!("{text:?} is no time; write 30s, 500ms, 1m30s, or a number of seconds"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn every_argument_has_help() {
        let mut command = GatewayConformance::command();
        command.build();
        command.clone().debug_assert();
        for subcommand in command.get_subcommands() {
            for argument in subcommand.get_arguments() {
                assert!(argument.get_help().is_some(), "{} {}", subcommand.get_name(), argument.get_id());
            }
        }
    }

    #[test]
    fn a_time_is_a_duration_or_a_number_of_seconds() {
        assert_eq!(time("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(time("2"), Ok(Duration::from_secs(2)));
        assert!(time("soon").unwrap_err().contains("500ms"));
    }

    #[test]
    fn a_feature_that_is_not_there_is_answered_with_those_that_are_like_it() {
        assert_eq!(feature("HTTPRouteCORS"), Ok(Feature::HttpRouteCors));
        assert!(feature("cors").unwrap_err().contains("did you mean HTTPRouteCORS?"));
        assert!(feature("HTTPRute").unwrap_err().contains("did you mean HTTPRoute?"));
        assert!(feature("Teapot").unwrap_err().contains("list"));
        assert!(feature("").unwrap_err().contains("one comma"));
    }
}
