//! Replays the conformance cases against an implementation of Gateway API. `gateway-conformance --help` says how.

mod args;
mod check;
mod choose;
mod claims;
mod cluster;
mod list;
mod load;
mod progress;
mod run;
mod show;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::args::Command;

/// Something that keeps a command from doing what it is for.
#[derive(Debug)]
enum Trouble {
    /// The command line, or a file that it names, is wrong.
    Usage(String),
    /// The engine cannot start.
    Start(String),
    /// The output cannot be written.
    Output(io::Error),
}

fn main() -> ExitCode {
    let out = &mut io::stdout().lock();
    let result = match args::GatewayConformance::parse().command {
        Command::Run(args) => run::run(&args, out),
        Command::List(args) => list::list(&args, out),
        Command::Show(args) => show::show(&args, out),
        Command::Check(args) => check::check(&args, out),
    };
    let (code, message) = match result {
        Ok(code) => return code,
        // The reader of the output has had enough.
        Err(Trouble::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => return ExitCode::SUCCESS,
        Err(Trouble::Usage(message)) => (2, message),
        Err(Trouble::Start(message)) => (3, message),
        Err(Trouble::Output(error)) => (2, format!("the output cannot be written: {error}")),
    };
    // Nothing is left to be done if that cannot be written either.
    let _ = writeln!(io::stderr(), "gateway-conformance: {message}");
    ExitCode::from(code)
}

// === impl Trouble ===

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}
