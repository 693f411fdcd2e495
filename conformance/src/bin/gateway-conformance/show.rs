//! `show`: a case as it is written.

use std::io::Write;
use std::process::ExitCode;

use crate::args::Show;
use crate::choose::way_out;
use crate::list::{features, profiles};
use crate::{Trouble, load};

/// Shows a case. What is put above its file is a comment, so that the output is a case again.
pub(crate) fn show(args: &Show, out: &mut impl Write) -> Result<ExitCode, Trouble> {
    let cases = load::cases(&args.folders)?;
    let Some(case) = cases.iter().find(|case| case.name.eq_ignore_ascii_case(&args.case)) else {
        let way_out = way_out(&args.case, &cases);
        return Err(Trouble::Usage(format!("there is no case {:?}; {way_out}", args.case)));
    };
    writeln!(out, "# {}", profiles(case))?;
    writeln!(out, "# needs {}", features(case))?;
    write!(out, "{}", case.text)?;
    Ok(ExitCode::SUCCESS)
}
