//! Which cases are chosen.

use conformance::case::Case;
use globset::Glob;

use crate::Trouble;
use crate::args::Choice;

/// The cases that are chosen, those with `--skip` among them.
pub(crate) fn chosen<'c>(cases: &'c [Case], choice: &Choice) -> Result<Vec<&'c Case>, Trouble> {
    for name in choice.cases.iter().chain(&choice.skip) {
        if !cases.iter().any(|case| is(name, case)) {
            let message = format!("there is no case {:?}; `gateway-conformance list` shows all", name.glob());
            return Err(Trouble::Usage(message));
        }
    }
    Ok(cases.iter().filter(|case| is_chosen(case, choice)).collect())
}

/// Whether the case is one of those of `--skip`.
pub(crate) fn is_skipped(case: &Case, choice: &Choice) -> bool {
    choice.skip.iter().any(|name| is(name, case))
}

fn is_chosen(case: &Case, choice: &Choice) -> bool {
    let Choice { profiles, features, cases, skip: _, no_beyond, beyond_only, skip_provisional, folders: _ } =
        choice;
    (profiles.is_empty() || profiles.iter().any(|profile| profile.class(case).is_some()))
        && (features.is_empty() || features.iter().any(|feature| case.features.contains(feature)))
        && (cases.is_empty() || cases.iter().any(|name| is(name, case)))
        && !(*no_beyond && case.is_beyond())
        && (!beyond_only || case.is_beyond())
        && !(*skip_provisional && case.provisional)
}

fn is(name: &Glob, case: &Case) -> bool {
    name.compile_matcher().is_match(&case.name)
}
