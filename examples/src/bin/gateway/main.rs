//! A gateway whose resources come from files or from a cluster. `gateway --help` says what it can do; the parts that it puts together are
//! the modules of [`gateway_examples`].

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod allocator;
mod args;
mod check;
mod clients;
mod controller;
mod descriptors;
mod diff;
mod explain;
mod explain_backend;
mod explain_stream;
mod facts;
mod front;
mod load;
mod log;
mod nearest;
mod rule;
mod run;
mod serving;
mod tls;
#[cfg(feature = "otlp")]
mod traces;
#[cfg(not(feature = "otlp"))]
#[path = "without_traces.rs"]
mod traces;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::args::Command;

fn main() -> ExitCode {
    let result = match &args::Gateway::parse().command {
        Command::Run(args) => run::run(args),
        Command::Controller(args) => controller::controller(args),
        Command::Check(args) => check::check(args),
        Command::Explain(args) => explain::explain(args),
        Command::Diff(args) => diff::diff(args),
        Command::Rule(args) => rule::rule(args),
    };
    match result {
        Ok(code) => code,
        // The reader of the output has had enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to be done if that cannot be written either.
            let _ = writeln!(io::stderr(), "gateway: {error}");
            ExitCode::from(2)
        }
    }
}
