//! `gateway run`

use std::io;
use std::process::ExitCode;

use crate::args::Run;

pub(crate) fn run(args: &Run) -> io::Result<ExitCode> {
    let _ = args;
    Ok(ExitCode::SUCCESS)
}
