//! `gateway rule`

use std::io::{self, Write};
use std::process::ExitCode;

use gateway_core::{choices, spec, validate};

use crate::args::Rule;

pub(crate) fn rule(args: &Rule) -> io::Result<ExitCode> {
    let mut out = io::stdout().lock();
    let mut code = ExitCode::SUCCESS;
    for (position, id) in args.ids.iter().enumerate() {
        let id = id.to_ascii_uppercase();
        let (rule, choice) = (spec::rule(&id), choices::choice(&id));
        if position > 0 {
            writeln!(out)?;
        }
        let form = validate::form(&id);
        if let Some(form) = &form {
            writeln!(out, "ID: {id}\nForm: {form}")?;
        }
        if rule.is_none() && choice.is_none() && form.is_none() {
            match with_two_digits(&id) {
                Some(meant) => writeln!(out, "there is no rule {id:?}; did you mean {meant}?")?,
                None => writeln!(
                    out,
                    "there is no rule {id:?}; `gateway check` shows ids in parentheses, and the documentation of gateway_core::spec has all"
                )?,
            }
            code = ExitCode::FAILURE;
        }
        for (title, text) in rule.iter().flatten().filter(|(_, text)| !text.is_empty()) {
            writeln!(out, "{title}: {text}")?;
        }
        if let Some(choice) = choice {
            if rule.is_none() {
                writeln!(out, "ID: {id}")?;
            }
            writeln!(out, "Chosen: {choice}")?;
        }
    }
    Ok(code)
}

/// What `id` is with its number as ids have it, if there is that.
fn with_two_digits(id: &str) -> Option<String> {
    let (family, number) = id.rsplit_once('-')?;
    let meant = format!("{family}-{:02}", number.parse::<u16>().ok()?);
    (spec::rule(&meant).is_some() || choices::choice(&meant).is_some()).then_some(meant)
}
