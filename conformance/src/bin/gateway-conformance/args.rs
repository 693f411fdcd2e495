//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use conformance::profile::Profile;
use gateway_core::feature::Feature;
use globset::Glob;

/// Replays the conformance cases of Gateway API v1.6.1, and more, against an implementation in any language.
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
  0  every case that ran passed, or every file is right
  1  a case failed, or something is wrong with a file
  2  the command line is wrong, or a file cannot be read or written
  3  the engine could not start";

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
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
    /// Only cases of this profile, such as GATEWAY-HTTP; may be given several times.
    #[arg(long = "profile", value_name = "PROFILE")]
    pub(crate) profiles: Vec<Profile>,
    /// Only cases that need this feature, such as HTTPRouteCORS; may be given several times.
    #[arg(long = "feature", value_name = "FEATURE", value_parser = feature)]
    pub(crate) features: Vec<Feature>,
    /// Only cases with this name, such as HTTPRouteMatching, or 'HTTPRoute*'; may be given several times.
    #[arg(long = "case", value_name = "NAME")]
    pub(crate) cases: Vec<Glob>,
    /// Pass over cases with this name, or 'HTTPRoute*'; reports name them as skipped. May be given several times.
    #[arg(long, value_name = "NAME")]
    pub(crate) skip: Vec<Glob>,
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
    Feature::parse(name).ok_or_else(|| {
        let lower = name.to_ascii_lowercase();
        let near = |feature: &&Feature| feature.as_str().to_ascii_lowercase().contains(&lower);
        let near: Vec<&str> = Feature::ALL.iter().filter(near).map(|feature| feature.as_str()).collect();
        match near.as_slice() {
            [] => format!(
                "there is no feature {name:?}; `gateway-conformance list` shows those that cases need"
            ),
            near => format!("there is no feature {name:?}; did you mean {}?", near.join(" or ")),
        }
    })
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
    fn a_feature_that_is_not_there_is_answered_with_those_that_are_like_it() {
        assert_eq!(feature("HTTPRouteCORS"), Ok(Feature::HttpRouteCors));
        assert!(feature("cors").unwrap_err().contains("did you mean HTTPRouteCORS?"));
        assert!(feature("Teapot").unwrap_err().contains("list"));
    }
}
