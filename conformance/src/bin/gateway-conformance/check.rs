//! `check`: reads cases, and says what is wrong.

use std::io::Write;
use std::process::ExitCode;

use conformance::case;

use crate::args::Check;
use crate::{Trouble, load};

/// Reads cases, and says what is wrong.
pub(crate) fn check(args: &Check, out: &mut impl Write) -> Result<ExitCode, Trouble> {
    let mut wrong = false;
    for path in &args.files {
        for file in load::files(path)? {
            let source = file.display().to_string();
            if let Err(problems) = case::read(&load::text(&file)?, &source) {
                wrong = true;
                for problem in problems {
                    writeln!(out, "{problem}")?;
                }
            }
        }
    }
    Ok(if wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
